"""Filters that add a field computed from another, such as vector_magnitude and gradient.

In: a volume; for magnitudes and components also a surface or lines. Out: the same with one more
field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry import derived_quantities
from insitu.filters.geometry.resampled_block import RecenteredBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


class _Quantity(NamedTuple):
    """Properties of a filter type."""

    of_block: Callable[[SampledBlock, str, int], SampledBlock]
    """Called with a block, the name of the new field and the component."""
    needs: int
    """Number of components of the input field: 1 or 3."""
    gives: int
    of_values: Callable[[Floats, int], Floats] | None = None
    """Vectors (n, 3) and the component -> (n,), if point values are sufficient."""


def _derivative(function: Callable[[SampledBlock, str], SampledBlock]) -> Any:
    return lambda block, output, _: function(block, output)


_QUANTITIES = {
    "vector_magnitude": _Quantity(
        _derivative(derived_quantities.vector_magnitude),
        3,
        1,
        lambda v, _: np.linalg.norm(v, axis=1),
    ),
    "vector_component": _Quantity(
        lambda block, output, component: derived_quantities.vector_component(
            block, component, output
        ),
        3,
        1,
        lambda vectors, component: vectors[:, component],
    ),
    "gradient": _Quantity(_derivative(derived_quantities.gradient), 1, 3),
    "divergence": _Quantity(_derivative(derived_quantities.divergence), 3, 1),
    "vorticity": _Quantity(_derivative(derived_quantities.vorticity), 3, 3),
    "qcriterion": _Quantity(_derivative(derived_quantities.qcriterion), 3, 1),
}


@dataclass(frozen=True)
class Derive:
    """A filter that adds a field; `type` is one of _QUANTITIES. Derivatives are those of the
    fields as continuous functions, at any point."""

    type: str
    field: str
    output: str
    """The name of the new field."""
    component: int = 0
    """For vector_component: index of the component, from 0."""
    at_cells: bool = False
    """Of derivatives: whether the result has its samples at the centres of cells."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        quantity = _QUANTITIES[self.type]
        if quantity.of_values is None:
            given.volume(self.type)
        if quantity.needs == 1:
            given.scalar(self.field)
        else:
            given.vector(self.field)
        return given.plus(self.output, quantity.gives)

    def reads(self, wanted: Names) -> Names:
        return wanted - {self.output} | ({self.field} if self.output in wanted else set())

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        if self.output not in wanted:
            return data
        found, quantity = data, _QUANTITIES[self.type]
        with together(comm, f"{self.type} of {self.field}"):
            if isinstance(data, VolumeData):
                blocks = [
                    quantity.of_block(block, self.output, self.component)
                    for block in data.fields[self.field]
                ]
                if self.at_cells:
                    blocks = [RecenteredBlock(self.output, block, "element") for block in blocks]
                found = replace(data, fields={**data.fields, self.output: blocks})
            else:
                assert quantity.of_values is not None
                values = quantity.of_values(data.values[self.field], self.component)
                found = replace(data, values={**data.values, self.output: values})
        return found
