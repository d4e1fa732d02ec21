"""What pictures, surfaces and lines need of a block: values anywhere in a box of grid cells.

A block that was trained is one, and so is what is computed from such blocks (a magnitude, a
gradient), which has no bytes of its own.
"""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from insitu.core.arrays import Floats


class SampledBlock(Protocol):
    """One field on one partition, as a function; `BlockField` says what each of these means."""

    @property
    def name(self) -> str: ...

    @property
    def association(self) -> str: ...

    @property
    def cells(self) -> tuple[int, int, int]: ...

    @property
    def nodes(self) -> tuple[Floats, Floats, Floats]: ...

    @property
    def range(self) -> Floats: ...

    @property
    def n_components(self) -> int: ...

    @property
    def bounds(self) -> tuple[Floats, Floats]: ...

    @property
    def cycle(self) -> int: ...

    @property
    def time(self) -> float: ...

    def __call__(self, points: ArrayLike) -> Floats: ...

    def gradient(self, points: ArrayLike) -> Floats: ...

    def on_grid(self, xs: Floats, ys: Floats, zs: Floats) -> Floats: ...
