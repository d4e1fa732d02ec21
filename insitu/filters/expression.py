"""The filters expression and binning: a field computed by an expression, at any point.

In: a volume, results of queries for the numbers in the expression. Out: the same with one more
field. Derivatives are those of the fields as continuous functions; `recenter` leaves a field as it
is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry import derived_quantities
from insitu.filters.geometry.derived_block import DerivedBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import DataSchema
from insitu.queries.fields import Arrays, Field, FieldRef, Recenter
from insitu.queries.mesh_fields import OF_MESH
from insitu.queries.scalars import Scalar
from insitu.queries.values import Binning, number
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

_DERIVATIVES = {
    "gradient": derived_quantities.gradient,
    "curl": derived_quantities.vorticity,
    "divergence": derived_quantities.divergence,
    "qcriterion": derived_quantities.qcriterion,
}


@dataclass(frozen=True)
class Computed:
    """Adds the field of an expression. Equal where type, text and output are."""

    type: str
    text: str
    output: str
    root: Field = field(compare=False)
    components: int | None = field(compare=False)
    """Of the result; None if not known yet."""
    queries: Mapping[Scalar, str] = field(compare=False)
    """The numbers, and binnings, in the expression -> the queries that compute them."""
    carrier: str = ""
    """A field whose blocks are used where the expression reads none."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    @property
    def names(self) -> list[str]:
        """The fields that it reads."""
        return [ref.name for ref in self.root.samples if ref.name not in OF_MESH]

    def on(self, given: DataSchema) -> Computed:
        """The same, with a field of the input for its blocks."""
        return replace(self, carrier=next(iter([*self.names, *given.fields]), ""))

    def outline(self, given: DataSchema) -> DataSchema:
        given.volume(self.type)
        for name in self.names:
            given.field(name, "expression")
        return given.plus(self.output, self.components)

    def reads(self, wanted: Names) -> Names:
        needed = {*self.names, self.carrier} if self.output in wanted else set()
        return wanted - {self.output} | needed

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        if self.output not in wanted:
            return data
        found = data
        with together(comm, f"{self.type} of {self.output}"):
            assert isinstance(data, VolumeData)
            numbers = {scalar: _result(step, name) for scalar, name in self.queries.items()}
            names = list(dict.fromkeys([self.carrier, *self.names]))
            blocks = [
                ExpressionBlock(
                    self.output, part[0], self.root, dict(zip(names, part, strict=True)), numbers
                )
                for part in zip(*(data.fields[name] for name in names), strict=True)
            ]
            found = replace(data, fields={**data.fields, self.output: blocks})
        return found


def _result(step: TimeStep, name: str) -> Any:
    """ValueError where the query has no result at the step's cycle."""
    found = [result for result in step.results.get(name, ()) if result.cycle == step.cycle]
    if not found:
        raise ValueError(f"{name}: no result at cycle {step.cycle}")
    value = found[-1].value
    return value if isinstance(value, Binning) else number(value)


@dataclass(frozen=True, eq=False)
class ExpressionBlock(DerivedBlock):
    """An expression on one partition."""

    root: Field
    blocks: Mapping[str, SampledBlock]
    """By name, the fields that it reads."""
    numbers: Mapping[Scalar, Any]

    @cached_property
    def _width(self) -> int:
        low, high = self.of.bounds
        return self._values(0.5 * (np.asarray(low) + high)[None]).shape[1]

    @property
    def n_components(self) -> int:
        return self._width

    def _values(self, points: Floats) -> Floats:
        components = self.root.values(_Points(self, points))
        columns = [np.broadcast_to(np.asarray(c, np.float64), len(points)) for c in components]
        low, high = self.of.bounds
        inside = np.all((points >= low) & (points <= high), axis=1, keepdims=True)
        return np.where(inside, np.stack(columns, axis=1), np.nan)


@dataclass(frozen=True, eq=False)
class _Points:
    """Points as a `Region`."""

    block: ExpressionBlock
    points: Floats

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.points),)

    @property
    def parameters(self) -> Mapping[Scalar, Any]:
        return self.block.numbers

    @property
    def is_flat(self) -> bool:
        return self.block.cells[0] == 1

    def read(self, samples: FieldRef) -> Arrays:
        if samples.name in OF_MESH:
            return ()
        values = np.asarray(self.block.blocks[samples.name](self.points), np.float64)
        return tuple(values.reshape(len(self.points), -1).T)

    def coordinate(self, axis: int) -> Floats:
        return self.points[:, axis]

    def cell_width(self, axis: int) -> Floats:
        nodes = self.block.nodes[axis]
        cell = np.searchsorted(nodes, self.points[:, axis], side="right") - 1
        widths: Floats = np.diff(nodes)
        return widths[np.clip(cell, 0, len(nodes) - 2)]

    def derivative(self, function: str, argument: Field) -> Arrays:
        of: SampledBlock = replace(self.block, root=argument)
        if isinstance(argument, FieldRef):
            of = self.block.blocks[argument.name]
        values = np.asarray(_DERIVATIVES[function](of)(self.points), np.float64)
        return tuple(values.reshape(len(self.points), -1).T)

    def recentered_values(self, node: Recenter) -> Arrays:
        return node.argument.values(self)
