"""Volume rendering: ray marching through the bricks of a block."""

from typing import Any

from insitu.core.deprecated import moved_name


def __getattr__(name: str) -> Any:
    """Names of the module that had this path in the previous version (deprecated)."""
    if name not in ("MAX_SAMPLES", "global_bounds", "render_volume"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return moved_name(__name__, f"{__name__}.volume", name)
