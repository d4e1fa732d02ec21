"""Engines, which do the computation, behind a common interface (`insitu.engines.base`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from insitu.engines.base import Engine
from insitu.engines.registry import drawing, engine, for_model, names, using

if TYPE_CHECKING:
    from insitu.engines.cpu.description import CpuBuild

__all__ = ["Engine", "describe", "drawing", "engine", "for_model", "names", "using"]


def describe() -> CpuBuild:
    """The build of the C++ engine that this process uses, and why; `str` of it has one fact per
    line. Not collective. Raises ImportError where none is built."""
    from insitu.engines.cpu import description  # the other engines work without the extension

    return description.describe()
