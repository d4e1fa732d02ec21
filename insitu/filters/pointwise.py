"""Filters that add a field computed from others point by point: log, composite_vector, add_fields.

In: a volume, a surface or lines. Out: the same with one more field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.filters.geometry.pointwise_block import PointwiseBlock
from insitu.filters.pipeline import Data, Names, VolumeData
from insitu.filters.schema import DataSchema
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


def _logarithm(function: Callable[[Floats], Floats]) -> Callable[[Floats, float | None], Floats]:
    def of(values: Floats, least: float | None) -> Floats:
        clamped = values if least is None else np.maximum(values, least)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = function(clamped)
        return np.where(np.isfinite(found), found, np.nan)  # of 0 and below there is none

    return of


def _vector(values: Floats, _: float | None) -> Floats:
    """Of three components; a third that is not given is 0."""
    return np.pad(values, ((0, 0), (0, 3 - values.shape[1])))


def _power(values: Floats, exponent: float | None) -> Floats:
    assert exponent is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        found = values**exponent
    return np.where(np.isfinite(found), found, np.nan)


_FORMULAS: dict[str, tuple[Callable[[Floats, float | None], Floats], int]] = {
    "log": (_logarithm(np.log), 1),
    "log2": (_logarithm(np.log2), 1),
    "log10": (_logarithm(np.log10), 1),
    "composite_vector": (_vector, 3),
    "add_fields": (lambda values, _: values.sum(axis=1, keepdims=True), 1),
    "power_of_field": (_power, 1),
}
"""By filter type: of values (n, fields) and a number, and the components of the result."""


@dataclass(frozen=True)
class Pointwise:
    """A filter that adds a field; `type` is one of _FORMULAS."""

    type: str
    fields: tuple[str, ...]
    """The scalars that it is computed from."""
    output: str
    """The name of the new field."""
    number: float | None = None
    """For logarithms: smaller values count as this one; for power_of_field: the exponent."""

    @property
    def past(self) -> Mapping[str, Span]:
        return {}

    def outline(self, given: DataSchema) -> DataSchema:
        for name in self.fields:
            given.scalar(name)
        return given.plus(self.output, _FORMULAS[self.type][1])

    def reads(self, wanted: Names) -> Names:
        return wanted - {self.output} | (set(self.fields) if self.output in wanted else set())

    def apply(self, comm: MPI.Comm, data: Data, wanted: Names, step: TimeStep) -> Data:
        if self.output not in wanted:
            return data
        found = data
        with together(comm, f"{self.type} of {', '.join(self.fields)}"):
            if isinstance(data, VolumeData):
                rows = zip(*(data.fields[name] for name in self.fields), strict=True)
                width = _FORMULAS[self.type][1]
                blocks = [
                    PointwiseBlock(self.output, first, tuple(others), self._values, width)
                    for first, *others in rows
                ]
                around = None
                if data.around is not None:
                    around = _Around(self, data.around)
                fields = {**data.fields, self.output: blocks}
                found = replace(data, fields=fields, around=around)
            else:
                found = replace(data, values=self.on_points(data.values))
        return found

    def on_points(self, given: Mapping[str, Floats]) -> dict[str, Floats]:
        """The values of fields at points, with those of the new field."""
        values = self._values(np.stack([given[name] for name in self.fields], axis=1))
        return {**given, self.output: values[:, 0] if values.shape[1] == 1 else values}

    def _values(self, values: Floats) -> Floats:
        return _FORMULAS[self.type][0](values, self.number)


@dataclass(frozen=True)
class _Around:
    """The surface of a part of a volume, with the new field on it."""

    filter: Pointwise
    before: Callable[[MPI.Comm], Surface]

    def __call__(self, comm: MPI.Comm) -> Surface:
        surface = self.before(comm)
        return replace(surface, values=self.filter.on_points(surface.values))
