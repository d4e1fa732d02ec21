"""Field-valued expression nodes: nodes with a value at every sample.

In: a box of a block, which reads raw or decoded samples. Out: arrays (nz, ny, nx), one per
component, of the box's size. Those of the mesh itself are in `mesh_fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu.queries.ast_nodes import Node
from insitu.queries.scalars import ARITHMETIC, COMPARISONS, Constant, Scalar

if TYPE_CHECKING:
    from insitu.queries.region import Region

Arrays = tuple[NDArray[Any], ...]


class Field(Node):
    """An expression node that has a value at every sample."""

    neighbours: ClassVar[bool] = False
    """Whether it reads the samples beside those that it is asked for."""

    def values(self, region: Region) -> Arrays:
        """The components in a box of samples. Not collective."""
        raise NotImplementedError

    @property
    def samples(self) -> tuple[FieldRef, ...]:
        """The fields that it reads, without duplicates; not those that numbers in it reduce."""
        if isinstance(self, FieldRef):
            return (self,)
        fields = (part for part in self.parts() if isinstance(part, Field))
        return tuple(dict.fromkeys(samples for part in fields for samples in part.samples))

    def association(self, of: Mapping[FieldRef, str]) -> str:
        """ "element" or "vertex", where its values are; "" for what has a value anywhere.

        of: where the fields are that it reads. Raises ValueError if these are not the same.
        """
        fields = [part for part in self.parts() if isinstance(part, Field)]
        found = dict.fromkeys(filter(None, (part.association(of) for part in fields)))
        if len(found) > 1:
            names = ", ".join(f"'{samples.name}'" for samples in self.samples)
            raise ValueError(
                f"{names}: some have {' data, others '.join(found)} data: they cannot be computed "
                "with each other; recenter one"
            )
        return next(iter(found), "")


def piped(pipeline: str, field: str) -> str:
    """The name under which expressions read a field of a pipeline's result."""
    return f"{field} of {pipeline}"


@dataclass(frozen=True)
class FieldRef(Field):
    """A field of the simulation, at the current step or `back` recorded steps before it."""

    name: str
    back: int = 0
    length: int = 0
    """For a window: its number of steps, including the current one; otherwise 0."""

    def values(self, region: Region) -> Arrays:
        return region.read(self)

    def association(self, of: Mapping[FieldRef, str]) -> str:
        return of[self]


@dataclass(frozen=True)
class Parameter(Field):
    """A number that is the same at every sample."""

    scalar: Scalar

    def values(self, region: Region) -> Arrays:
        if isinstance(self.scalar, Constant):
            return (np.float64(self.scalar.constant),)
        return (np.float64(region.parameters[self.scalar]),)


@dataclass(frozen=True)
class Component(Field):
    holder: Field
    index: int

    def values(self, region: Region) -> Arrays:
        components = self.holder.values(region)
        if self.index >= len(components):
            raise ValueError(f"a field of {len(components)} components has none at {self.index}")
        return (components[self.index],)


@dataclass(frozen=True)
class Elementwise(Field):
    """A function applied at every sample, in float64; to vectors component by component."""

    function: str
    arguments: tuple[Field, ...]

    def values(self, region: Region) -> Arrays:
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

    def values(self, region: Region) -> Arrays:
        return tuple(np.asarray(a.values(region)[0], np.float64) for a in self.arguments)


@dataclass(frozen=True)
class Magnitude(Field):
    argument: Field

    def values(self, region: Region) -> Arrays:
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
    neighbours: ClassVar[bool] = True

    def values(self, region: Region) -> Arrays:
        return region.derivative(self.function, self.argument)


@dataclass(frozen=True)
class Recenter(Field):
    """The mean of a cell's corners, or of the cells around a vertex; of those that there are: at a
    block face without valid ghosts, the cells on one side."""

    argument: Field
    mode: str
    """ "element", "vertex", or "toggle"."""
    neighbours: ClassVar[bool] = True

    def values(self, region: Region) -> Arrays:
        return region.recentered_values(self)

    def association(self, of: Mapping[FieldRef, str]) -> str:
        before = self.argument.association(of)
        if self.mode != "toggle":
            return self.mode
        return {"element": "vertex", "vertex": "element"}.get(before, "")


@dataclass(frozen=True)
class Together(Field):
    """Several fields at once: their components one after the other."""

    arguments: tuple[Field, ...]

    def values(self, region: Region) -> Arrays:
        return tuple(
            np.broadcast_to(component, region.shape)
            for argument in self.arguments
            for component in argument.values(region)
        )


def _any_zero_is_false(function: Any) -> Any:
    return lambda *arguments: function(*(a != 0 for a in arguments))


_FUNCTIONS: dict[str, Any] = {
    **ARITHMETIC,
    **COMPARISONS,
    "and": _any_zero_is_false(np.logical_and),
    "or": _any_zero_is_false(np.logical_or),
    "not": _any_zero_is_false(np.logical_not),
    "if": lambda condition, then, otherwise: np.where(condition != 0, then, otherwise),
}
