"""insitu attached to a simulation: the loop over its steps, and what it is made of.

In: a run configuration, a communicator, a mesh at every step. Out: `Session`, made by `open`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insitu.session.session import Session, open

__all__ = ["Session", "open"]


def __getattr__(name: str) -> Any:
    """Loaded when it is asked for: a session needs MPI, those who only format a report do not."""
    if name in __all__:
        return getattr(importlib.import_module("insitu.session.session"), name)
    raise AttributeError(f"module 'insitu.session' has no attribute {name!r}")
