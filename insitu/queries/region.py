"""Where field expressions are evaluated: a box of a block's samples, or any points.

In: what an expression asks for. Out: arrays that broadcast to `shape`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

if TYPE_CHECKING:
    from insitu.queries.fields import Arrays, Field, FieldRef, Recenter
    from insitu.queries.scalars import Scalar


class Region(Protocol):
    """Implemented by `block_view.SampleBox`, and for points by the filter expression."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def parameters(self) -> Mapping[Scalar, Any]:
        """Values of the numbers in the expression at this step."""

    @property
    def is_flat(self) -> bool:
        """Whether the mesh is one cell thick along z."""

    def read(self, samples: FieldRef) -> Arrays:
        """The components of a field."""

    def coordinate(self, axis: int) -> NDArray[Any]:
        """World x, y or z."""

    def cell_width(self, axis: int) -> NDArray[Any]:
        """The width of the cells along x, y or z."""

    def derivative(self, function: str, argument: Field) -> Arrays:
        """One of `derivatives.FUNCTIONS`."""

    def recentered_values(self, node: Recenter) -> Arrays:
        """The argument of a recenter, where the region is."""
