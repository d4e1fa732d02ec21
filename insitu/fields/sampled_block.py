"""The interface that rendering and extraction need: values anywhere in a box of grid cells.

Implemented by compressed blocks, and by quantities derived from them (a magnitude, a gradient),
which cannot be stored.
"""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from insitu.core.arrays import Floats


class SampledBlock(Protocol):
    """One field on one partition, as a function; members are documented in `BlockField`."""

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
