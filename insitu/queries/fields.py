"""Field-valued expression nodes: nodes with a value at every sample.

In: a box of a block, which reads raw or decoded samples. Out: arrays (nz, ny, nx), one per
component, of the box's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.queries import derivatives
from insitu.queries.ast_nodes import Node
from insitu.queries.scalars import ARITHMETIC, COMPARISONS, Constant, Scalar

if TYPE_CHECKING:
    from insitu.queries.block_view import SampleBox

Arrays = tuple[NDArray[Any], ...]


class Field(Node):
    """An expression node that has a value at every sample."""

    def values(self, region: SampleBox) -> Arrays:
        """The components in a box of samples. Not collective."""
        raise NotImplementedError

    @property
    def samples(self) -> tuple[FieldRef, ...]:
        """The fields that it reads, without duplicates."""
        return tuple(dict.fromkeys(part for part in self.walk() if isinstance(part, FieldRef)))


@dataclass(frozen=True)
class FieldRef(Field):
    """A field of the simulation, at the current step or `back` recorded steps before it."""

    name: str
    back: int = 0
    length: int = 0
    """For a window: its number of steps, including the current one; otherwise 0."""

    def values(self, region: SampleBox) -> Arrays:
        return region.read(self)


@dataclass(frozen=True)
class Parameter(Field):
    """A number that is the same at every sample."""

    scalar: Scalar

    def values(self, region: SampleBox) -> Arrays:
        if isinstance(self.scalar, Constant):
            return (np.float64(self.scalar.constant),)
        return (np.float64(region.parameters[self.scalar]),)


@dataclass(frozen=True)
class Component(Field):
    holder: Field
    index: int

    def values(self, region: SampleBox) -> Arrays:
        components = self.holder.values(region)
        if self.index >= len(components):
            raise ValueError(f"a field of {len(components)} components has none at {self.index}")
        return (components[self.index],)


@dataclass(frozen=True)
class Elementwise(Field):
    """A function applied at every sample, in float64; to vectors component by component."""

    function: str
    arguments: tuple[Field, ...]

    def values(self, region: SampleBox) -> Arrays:
        arguments = [a.values(region) for a in self.arguments]
        function = _FUNCTIONS[self.function]
        count = max(map(len, arguments))
        with np.errstate(all="ignore"):
            return tuple(
                function(*(np.asarray(a[min(i, len(a) - 1)], np.float64) for a in arguments))
                for i in range(count)
            )


@dataclass(frozen=True)
class Composed(Field):
    """vector(x, y, z)"""

    arguments: tuple[Field, ...]

    def values(self, region: SampleBox) -> Arrays:
        return tuple(np.asarray(a.values(region)[0], np.float64) for a in self.arguments)


@dataclass(frozen=True)
class Magnitude(Field):
    argument: Field

    def values(self, region: SampleBox) -> Arrays:
        with np.errstate(all="ignore"):
            squares = [np.square(c, dtype=np.float64) for c in self.argument.values(region)]
            return (np.sqrt(sum(squares[1:], squares[0])),)


@dataclass(frozen=True)
class Derivative(Field):
    """gradient, curl, divergence or qcriterion: differences between neighbouring samples.

    Central differences, second order on any rectilinear spacing; one-sided at a block face
    without valid ghosts.
    """

    function: str
    argument: Field

    def values(self, region: SampleBox) -> Arrays:
        around, inside = region.grown(self.argument)
        components = [
            np.broadcast_to(np.asarray(c, np.float64), around.shape)
            for c in self.argument.values(around)
        ]
        with np.errstate(all="ignore"):
            return derivatives.FUNCTIONS[self.function](components, around.lines, inside)


def _any_zero_is_false(function: Any) -> Any:
    return lambda *arguments: function(*(a != 0 for a in arguments))


_FUNCTIONS: dict[str, Any] = {
    **ARITHMETIC,
    **COMPARISONS,
    "and": _any_zero_is_false(np.logical_and),
    "or": _any_zero_is_false(np.logical_or),
    "not": _any_zero_is_false(np.logical_not),
}
