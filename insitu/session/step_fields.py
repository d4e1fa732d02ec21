"""The fields of the present step, by the names of the run file.

In: what every rank publishes. Out: cycle and time, the same on all ranks, and the blocks of each
field, with the ghosts that the run file asks for; meshes of cells are resampled to boxes. Fields
that nothing reads are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from insitu.config import RunConfig
from insitu.core.parallel import RemoteError, together
from insitu.mesh import MeshError, Partition, PublishedStep, exchange
from insitu.mesh import check as check_ghosts
from insitu.mesh.partition import NO_LAYERS
from insitu.session.reporter import Reporter
from insitu.session.survey import Contents, Survey

if TYPE_CHECKING:
    from mpi4py import MPI

    from insitu.mesh.resample import Resampler
    from insitu.mesh.resampled_step import ResampledStep


class StepFields:
    """One step, as queries and training read it. Blocks are kept as long as it lives."""

    def __init__(
        self,
        comm: MPI.Comm,
        run: RunConfig,
        published: PublishedStep,
        contents: Contents,
        resampled: Mapping[str, ResampledStep],
        reporter: Reporter,
    ) -> None:
        """Not collective. resampled: the fields that are made of cells, by name."""
        self.comm, self.run, self.published = comm, run, published
        self.cycle, self.time = contents.cycle, contents.time
        self.present = contents.present
        """Those of the fields that something reads that are published and can be read; the same on
        every rank."""
        self.unreadable = dict(contents.unreadable)
        """Those that are published and cannot be read, and why; the same on every rank."""
        self._resampled, self._reporter = resampled, reporter
        self._partition_cache: dict[str, list[Partition]] = {}

    def prepare(self, names: Iterable[str]) -> None:
        """Make fields ready for `owned`. Collective where they are made of cells; RemoteError on
        every rank where one's field is wrong."""
        for name in names:
            if name in self._resampled:
                self._resampled[name].resample(self._parts(name))

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
        recorded = [name for name in self.run.fields if name in self.present]
        names = (recorded or sorted(self.present))[:1]
        self.prepare(names)
        found: list[Partition] = []
        with together(self.comm, "mesh"):
            for name in names or list(self.published.field_names)[:1]:
                found = self.owned(name)
            if not self._resampled.keys() & set(names):
                found = [replace(block, components=(), ghost_layers=NO_LAYERS) for block in found]
        return found

    def resampling_errors(self, names: Iterable[str]) -> dict[str, float]:
        """PSNR of the boxes of fields at the mesh's own points; logged, as a warning where it is
        below what the run file asks for. Nothing where the mesh is a grid, or the model is trained
        on the mesh's own points. Collective."""
        found: dict[str, float] = {}
        for name in names:
            if name not in self._resampled or self._is_trained_on_points(name):
                continue
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
        parts = self._parts(name)
        if name in self._resampled:
            return self._resampled[name].partitions(parts, name=name, ghosts=ghosts)
        if name in self.present and not self.published.has(parts):
            return []  # other ranks have it
        return self.published.partitions(parts, name=name, ghosts=ghosts)

    def _blocks(self, names: Sequence[str]) -> dict[str, list[Partition]]:
        ghosts = self.run.ghosts
        self.prepare(names)
        found: dict[str, list[Partition]] = {}
        with together(self.comm, f"mesh, fields {', '.join(names)}"):
            for name in names:
                wanted = "exchange" if name in self._resampled and ghosts != "ignore" else ghosts
                found[name] = self._partitions(name, wanted)
        asked = [name for name in names if ghosts == "exchange" or name in self._resampled]
        if asked and ghosts != "ignore":
            blocks = [block for name in asked for block in found[name]]
            blocks = exchange(self.comm, blocks, self.run.periodic)
            found.update(
                {name: [block for block in blocks if block.field == name] for name in asked}
            )
        for name in names:
            if name in self._resampled and self._is_trained_on_points(name):
                found[name] = self._with_points(name, found[name])
        if ghosts == "trust" and self.run.check_ghosts:
            for blocks in (found[name] for name in names if name not in asked):
                warning = check_ghosts(self.comm, blocks).warning
                if warning:
                    self._reporter.warn(warning)
        return found

    def _is_trained_on_points(self, name: str) -> bool:
        field = self.run.fields.get(name)
        return field is not None and field.recipe.model.scattered

    def _with_points(self, name: str, blocks: Sequence[Partition]) -> list[Partition]:
        """Blocks with the points that they were resampled from. Collective."""
        points = self._resampled[name].scattered(self._parts(name))
        if points is None:
            return list(blocks)
        return [
            replace(
                block,
                scattered=replace(points, values=points.values.astype(block.components[0].dtype)),
            )
            if block.dimension == 3
            else block
            for block in blocks
        ]

    def _resampling_error(self, name: str) -> float:
        resampled = self._resampled[name]
        error = resampled.error(self._parts(name))
        wanted = self.run.fields[name].wanted_db
        cells = " x ".join(map(str, resampled.cells))
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
    """Reads successive steps, and remembers what stays: where samples lie in cells, which domains
    are finer than others."""

    def __init__(
        self, comm: MPI.Comm, run: RunConfig, reporter: Reporter, wanted: Iterable[str]
    ) -> None:
        """Not collective. wanted: all fields that may be read, by the run file's names; the same on
        every rank."""
        self.comm, self.run, self._reporter = comm, run, reporter
        self._parts = {
            name: tuple(run.fields[name].components or (name,)) if name in run.fields else (name,)
            for name in dict.fromkeys(wanted)
        }
        self._survey = Survey(comm, self._parts)
        self._resamplers: dict[int, Resampler] = {}
        self._nothing = PublishedStep(None)  # what a rank has whose tree is wrong

    def read(self, mesh: Any) -> StepFields:
        """The fields of what is published: a Blueprint tree, or a PublishedStep of it. Collective:
        one reduction of a few numbers per field, and more where domains have moved or a field is
        wrong.

        Raises RemoteError on every rank, with the path in the tree that is wrong, where cycle, time
        or the tree itself is.
        """
        error: BaseException | None = None
        published = self._nothing
        try:
            published = PublishedStep.of(mesh, self.run.ghost_field)
        except BaseException as caught:
            error = caught
        contents = self._survey.of(published, error)
        groups: dict[int, list[str]] = {}
        for name, topology in contents.cells.items():
            groups.setdefault(topology, []).append(name)
        resampled: dict[str, ResampledStep] = {}
        if groups:  # loaded where there are cells
            from insitu.mesh.resample import Resampler
            from insitu.mesh.resampled_step import ResampledStep
        for topology, names in groups.items():
            if topology not in self._resamplers:
                self._resamplers[topology] = Resampler(
                    self.comm, self.run.resample.cells, self.run.ghost_field
                )
            parts = [part for name in names for part in self._parts[name]]
            step = ResampledStep(
                self._resamplers[topology], published.domains, parts, published.thickness
            )
            resampled.update(dict.fromkeys(names, step))
        return StepFields(self.comm, self.run, published, contents, resampled, self._reporter)
