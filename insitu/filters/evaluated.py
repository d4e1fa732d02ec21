"""A filter with parameters that are results of queries, such as the top tenth of a field's range.

In: the results of queries at a step. Out: what the filter makes of the data with these values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from insitu.filters.pipeline import Data, Filter, Names
from insitu.filters.schema import DataSchema
from insitu.queries.values import number
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class Evaluated:
    """A filter that is made anew at every step. Equal where type, text and queries are."""

    type: str
    text: str
    """Its params as they were given."""
    queries: tuple[str, ...]
    """The queries whose results its parameters are, in order."""
    like: Filter = field(compare=False)
    """The filter with other values: what it needs and gives does not depend on them."""
    make: Callable[[Sequence[float]], Filter] = field(compare=False)
    """The filter for the results of the queries. Raises ValueError for values that it refuses."""

    @property
    def past(self) -> Mapping[str, Span]:
        return self.like.past

    def outline(self, given: DataSchema) -> DataSchema:
        return self.like.outline(given)

    def reads(self, wanted: Names) -> Names:
        return self.like.reads(wanted)

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        # Every rank has the same results, and so raises the same.
        made = self.make([_result(step, name) for name in self.queries])
        return made.apply(comm, data, wanted, step)


def _result(step: TimeStep, name: str) -> float:
    """ValueError where the query has no finite number at the step's cycle."""
    found = [result for result in step.results.get(name, ()) if result.cycle == step.cycle]
    if not found:
        raise ValueError(f"{name}: no result at cycle {step.cycle}")
    try:
        value = number(found[-1].value)
    except TypeError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{name}: {found[-1].value} at cycle {step.cycle} is not a finite number")
    return value
