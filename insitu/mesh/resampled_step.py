"""A step of a mesh of cells, resampled to boxes that are read like a published grid.

In: the tree of a step, and the `Resampler` of one of its topologies.
Out: partitions of the requested fields, and their resampling error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from insitu.mesh.partition import Partition, ScatteredPoints
from insitu.mesh.published_step import PublishedStep
from insitu.mesh.resample import Resampler
from insitu.mesh.resampling_error import ResamplingError


class ResampledStep:
    """The boxes of one step, at most one per rank. The mesh is read when a field is first asked
    for."""

    def __init__(
        self,
        resampler: Resampler,
        tree: object,
        fields: Sequence[str],
        thickness: float | None = None,
    ) -> None:
        """fields: all that may be asked for, on one topology. thickness: see `Resampler.begin`. Not
        collective."""
        self._resampler, self._tree, self._fields = resampler, tree, fields
        self._thickness = thickness
        self._boxes: Any = None
        self._begun = False
        self._there: set[str] = set()
        self._step = PublishedStep(None)

    def resample(self, fields: Iterable[str]) -> None:
        """Resample published fields of the step, each once. Collective, with the same fields on all
        ranks; raises RemoteError on every rank if the mesh or the field of any rank is invalid."""
        missing = [name for name in dict.fromkeys(fields) if name not in self._there]
        if not missing:
            return
        if not self._begun:
            self._boxes = self._resampler.begin(self._tree, self._fields, self._thickness)
            self._begun = True
        self._resampler.add(self._boxes, missing)
        self._there.update(missing)
        self._step = PublishedStep(self._boxes)
        self._step.thickness = self._thickness

    def partitions(
        self, field: str | Sequence[str], *, name: str | None = None, ghosts: str = "trust"
    ) -> list[Partition]:
        """As `PublishedStep.partitions`, for resampled fields. Samples outside the mesh's cells are
        NaN. Not collective."""
        return self._step.partitions(field, name=name, ghosts=ghosts)

    def scattered(self, fields: Sequence[str]) -> ScatteredPoints | None:
        """The mesh's own points and values of `fields`, the components of one field, which have
        been resampled; None on a rank without a box. Collective; see `Resampler.scattered`."""
        return self._resampler.scattered(*fields)

    def error(self, fields: Sequence[str]) -> ResamplingError:
        """Resampling error of `fields`, the components of one field. Collective; see
        `Resampler.error`."""
        return self._resampler.error(self._boxes, *fields)

    @property
    def cells(self) -> tuple[int, int, int]:
        """Number of cells of the whole grid along x, y, z."""
        x, y, z = (len(line) - 1 for line in self._resampler.lines)
        return x, y, z
