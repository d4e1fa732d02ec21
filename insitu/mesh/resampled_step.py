"""A step of a mesh of cells, as boxes of samples that are read like a published grid.

In: the tree of a step, and the `Resampler` that knows where its samples lie.
Out: partitions of the fields that were asked for, and what resampling them cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from insitu.mesh.partition import Partition
from insitu.mesh.published_step import PublishedStep
from insitu.mesh.resample import Resampler
from insitu.mesh.resampling_error import ResamplingError


class ResampledStep:
    """One step's boxes: none, or one on each rank."""

    def __init__(self, resampler: Resampler, tree: object) -> None:
        """Reads where the cells are. Collective; RemoteError on every rank where one's tree is
        wrong."""
        self._resampler = resampler
        self._boxes = resampler.begin(tree)
        self._there: set[str] = set()
        self._step = PublishedStep(None)

    def resample(self, fields: Iterable[str]) -> None:
        """Resample published fields of the step, each once. Collective, the same fields on all
        ranks; RemoteError on every rank where one's field is wrong."""
        missing = [name for name in dict.fromkeys(fields) if name not in self._there]
        if missing:
            self._resampler.add(self._boxes, missing)
            self._there.update(missing)
            self._step = PublishedStep(self._boxes)

    def partitions(
        self, field: str | Sequence[str], *, name: str | None = None, ghosts: str = "trust"
    ) -> list[Partition]:
        """As `PublishedStep.partitions`, of fields that were resampled. Where the mesh has no cells
        the samples are NaN. Not collective."""
        blocks = self._step.partitions(field, name=name, ghosts=ghosts)
        return [replace(block, nan_is_outside=True) for block in blocks]

    def error(self, fields: Sequence[str]) -> ResamplingError:
        """What resampling cost `fields`, the components of one. Collective; see
        `Resampler.error`."""
        return self._resampler.error(self._boxes, *fields)

    @property
    def cells(self) -> tuple[int, int, int]:
        """Cells of the whole grid along x, y, z."""
        x, y, z = (len(line) - 1 for line in self._resampler.lines)
        return x, y, z
