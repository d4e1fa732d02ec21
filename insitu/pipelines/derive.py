"""Filters that add a field computed from another: vector_magnitude, gradient and the like.

In: a volume; for magnitudes and components, a surface or lines as well. Out: the same with one
field more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.extract import derived
from insitu.fields.sampled_block import SampledBlock
from insitu.history.steps import Span, Step
from insitu.parallel import together
from insitu.pipelines.outline import Outline
from insitu.pipelines.pipeline import Data, Names, Volume

if TYPE_CHECKING:
    from mpi4py import MPI

# type: what it does with a block, and the components that it needs and gives
_ALL: dict[str, tuple[Callable[[SampledBlock, str], SampledBlock], int, int]] = {
    "vector_magnitude": (derived.vector_magnitude, 3, 1),
    "gradient": (derived.gradient, 1, 3),
    "divergence": (derived.divergence, 3, 1),
    "vorticity": (derived.vorticity, 3, 3),
    "qcriterion": (derived.qcriterion, 3, 1),
}
TYPES = (*_ALL, "vector_component")


@dataclass(frozen=True)
class Derive:
    """One such filter; `type` is one of TYPES. Derivatives are those of the fields as functions,
    at any point."""

    type: str
    field: str
    output: str
    """The name of the new field."""
    component: int = 0
    """Of vector_component, from 0."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: Outline) -> Outline:
        needs, gives = _ALL[self.type][1:] if self.type in _ALL else (3, 1)
        if self.type not in ("vector_magnitude", "vector_component"):
            given.volume(self.type)
        if needs == 1:
            given.scalar(self.field)
        else:
            given.vector(self.field)
        return given.plus(self.output, gives)

    def reads(self, wanted: Names) -> Names:
        return wanted - {self.output} | ({self.field} if self.output in wanted else set())

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: Step) -> Data:
        if self.output not in wanted:
            return data
        found = data
        with together(comm, f"{self.type} of {self.field}"):
            if isinstance(data, Volume):
                blocks = [self._of_block(block) for block in data.fields[self.field]]
                found = replace(data, fields={**data.fields, self.output: blocks})
            else:
                vectors = data.values[self.field]
                values = (
                    np.linalg.norm(vectors, axis=1)
                    if self.type == "vector_magnitude"
                    else vectors[:, self.component]
                )
                found = replace(data, values={**data.values, self.output: values})
        return found

    def _of_block(self, block: SampledBlock) -> SampledBlock:
        if self.type == "vector_component":
            return derived.vector_component(block, self.component, self.output)
        return _ALL[self.type][0](block, self.output)
