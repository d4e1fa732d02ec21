"""The fields of the present step, by the names of the run file.

In: what every rank publishes. Out: cycle and time, the same on all ranks, and the blocks of each
field, with the ghosts that the run file asks for; meshes of cells are resampled to boxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.config import RunConfig
from insitu.core.parallel import RemoteError, agree, together
from insitu.mesh import MeshError, Partition, PublishedStep, Resampler, exchange
from insitu.mesh import check as check_ghosts
from insitu.mesh.partition import NO_LAYERS
from insitu.mesh.resampled_step import ResampledStep
from insitu.session.reporter import Reporter

if TYPE_CHECKING:
    from mpi4py import MPI


class StepFields:
    """One step, as queries and training read it. Blocks are kept as long as it lives."""

    def __init__(
        self,
        comm: MPI.Comm,
        run: RunConfig,
        published: PublishedStep,
        resampled: ResampledStep | None,
        moment: tuple[int | None, float | None],
        reporter: Reporter,
        changed: bool,
    ) -> None:
        """Not collective.

        Args:
            moment: cycle and time, the same on every rank; None where none publishes them.
            changed: whether any rank publishes other fields than at the step before.
        """
        self.comm, self.run, self.published = comm, run, published
        self.cycle, self.time = moment
        self.changed = changed
        self._resampled, self._reporter = resampled, reporter
        self._partition_cache: dict[str, list[Partition]] = {}

    def prepare(self, names: Iterable[str]) -> None:
        """Make fields ready for `owned`. Collective where the mesh is made of cells: RemoteError on
        every rank where one's field is wrong."""
        if self._resampled is not None:
            self._resampled.resample(part for name in names for part in self._parts(name))

    def owned(self, name: str) -> list[Partition]:
        """This rank's owned samples of a field. Not collective; MeshError on this rank."""
        return self._partitions(name, "ignore")

    def with_ghosts(self, name: str) -> list[Partition]:
        """This rank's blocks of a field with the ghosts that the run file asks for. Collective when
        it is first asked for; RemoteError on every rank."""
        return self.all_with_ghosts([name])[name]

    def all_with_ghosts(self, names: Sequence[str]) -> dict[str, list[Partition]]:
        """As `with_ghosts`, of several fields in one exchange; by name. Collective."""
        missing = [name for name in names if name not in self._partition_cache]
        if missing:
            self._partition_cache.update(self._blocks(missing))
        return {name: self._partition_cache[name] for name in names}

    def mesh(self) -> list[Partition]:
        """This rank's blocks of the mesh, without components; of a mesh of cells the boxes, with
        the samples of a field, which are NaN outside of the cells. Collective: RemoteError on every
        rank."""
        from mpi4py import MPI

        there = set(self.published.field_names)
        names = [name for name in self.run.fields if there.issuperset(self._parts(name))]
        if self._resampled is not None:
            mine = np.array([name in names for name in self.run.fields], np.int64)
            counts = np.empty_like(mine)
            self.comm.Allreduce(mine, counts, op=MPI.MAX)
            names = [name for name, n in zip(self.run.fields, counts, strict=True) if n][:1]
            self.prepare(names)
        found: list[Partition] = []
        with together(self.comm, "mesh"):
            for name in (names or self.published.field_names)[:1]:
                found = self.owned(name)
            if self._resampled is None:
                found = [replace(block, components=(), ghost_layers=NO_LAYERS) for block in found]
        return found

    def resampling_errors(self, names: Iterable[str]) -> dict[str, float]:
        """PSNR of the boxes of fields at the mesh's own points; logged, as a warning where it is
        below what the run file asks for. Nothing where the mesh is a grid. Collective."""
        found: dict[str, float] = {}
        for name in names if self._resampled is not None else ():
            try:
                found[name] = self._resampling_error(name)
            except (MeshError, RemoteError) as trouble:
                self._reporter.failed(f"field {name}: error of resampling not measured", trouble)
        return found

    def _parts(self, name: str) -> Sequence[str]:
        """The published fields that are the components of `name`."""
        field = self.run.fields.get(name)
        return field.components if field is not None and field.components else [name]

    def _partitions(self, name: str, ghosts: str) -> list[Partition]:
        step = self.published if self._resampled is None else self._resampled
        return step.partitions(self._parts(name), name=name, ghosts=ghosts)

    def _blocks(self, names: Sequence[str]) -> dict[str, list[Partition]]:
        ghosts = self.run.ghosts
        if self._resampled is not None:
            self.prepare(names)
            ghosts = "ignore" if ghosts == "ignore" else "exchange"
        found: dict[str, list[Partition]] = {}
        with together(self.comm, f"mesh, fields {', '.join(names)}"):
            found = {name: self._partitions(name, ghosts) for name in names}
        if ghosts == "exchange":
            blocks = exchange(self.comm, [block for name in names for block in found[name]])
            return {name: [block for block in blocks if block.field == name] for name in names}
        if ghosts == "trust" and self.run.check_ghosts:
            for blocks in found.values():
                warning = check_ghosts(self.comm, blocks).warning
                if warning:
                    self._reporter.warn(warning)
        return found

    def _resampling_error(self, name: str) -> float:
        assert self._resampled is not None
        error = self._resampled.error(self._parts(name))
        wanted = self.run.fields[name].psnr
        cells = " x ".join(map(str, self._resampled.cells))
        text = (
            f"field {name}: resampled to {cells} cells, {error.covered:.1%} of it in the "
            f"domain: {error.psnr_db:.1f} dB, RMS {error.rms:.3g}, at the mesh's points"
        )
        if wanted is not None and error.psnr_db < wanted:
            self._reporter.warn(f"{text}; the target is {wanted:g} dB: increase resample.cells")
        else:
            self._reporter.info(text)
        return error.psnr_db


class StepReader:
    """Reads successive steps, and remembers the location of samples in cells."""

    def __init__(self, comm: MPI.Comm, run: RunConfig, reporter: Reporter) -> None:
        """Not collective."""
        self.comm, self.run, self._reporter = comm, run, reporter
        self._resampler: Resampler | None = None
        self._names: list[str] | None = None  # of the fields of the last step

    def read(self, mesh: Any) -> StepFields:
        """The fields of what is published: a Blueprint tree, or a PublishedStep of it. Collective:
        one reduction of five numbers, for grids.

        Raises RemoteError on every rank, with the path in the tree that is wrong.
        """
        from mpi4py import MPI

        error: BaseException | None = None
        # Failed, cycle, time, cells, other fields than before.
        mine, all_ranks = np.full(5, -np.inf), np.empty(5)
        try:
            published = PublishedStep.of(mesh, self.run.ghost_field)
            state = published.state
            changed = self._has_other_fields(published) or None
            known = (state.cycle, state.time, state.has_cells or None, changed)
            mine[1:] = [-np.inf if value is None else value for value in known]
        except BaseException as caught:
            error, mine[0] = caught, 1.0
        self.comm.Allreduce(mine, all_ranks, op=MPI.MAX)
        failed, cycle, time, cells, other = (
            n if np.isfinite(n) else None for n in all_ranks.tolist()
        )
        if failed:
            agree(self.comm, error, "mesh")
        if cells and self._resampler is None:  # once one is made of cells, all are resampled
            self._resampler = Resampler(self.comm, self.run.resample.cells, self.run.ghost_field)
        resampled = None
        if self._resampler is not None:
            resampled = ResampledStep(self._resampler, published.domains)
        moment = (None if cycle is None else int(cycle), time)
        return StepFields(
            self.comm, self.run, published, resampled, moment, self._reporter, other is not None
        )

    def _has_other_fields(self, published: PublishedStep) -> bool:
        """Whether this rank publishes other fields than at the last step; what is wrong with them
        is found where they are read."""
        try:
            names = published.field_names
        except MeshError:
            self._names = None
            return True
        changed, self._names = names != self._names, names
        return changed
