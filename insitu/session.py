"""The life of a time step: publish, execute, close.

In: a run configuration, a communicator, and the simulation's mesh at every step.
Out: compressed fields in a window, pictures when a trigger fires, a record; a report per step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from mpi4py import MPI

from insitu import actions, config
from insitu.actions import Actions, Scene
from insitu.config import RunConfig
from insitu.engines import threads
from insitu.errors import ConfigError
from insitu.fields.distributed_field import DistributedField
from insitu.history.record import RecordWriter
from insitu.history.window import Window
from insitu.mesh import Partition, exchange, field_names, partitions, state, verify
from insitu.mesh import check as check_ghosts
from insitu.parallel import RemoteError, cpu_share, rank_logger, together
from insitu.reactive.triggers import Reactions
from insitu.render.scene import render_volume_scene
from insitu.report import FieldReport, StepReport, Summary, Tally
from insitu.training.distributed import train_fields


def open(
    source: str | Path | Mapping[str, Any] | RunConfig, comm: MPI.Comm | None = None
) -> Session:
    """Attach insitu to a simulation. Collective.

    Args:
        source: a run file, its content as a mapping, or a configuration already checked. Rank 0
            reads it; the others get plain data.
        comm: the simulation's communicator, by default the world; insitu works on a duplicate.

    Raises: ConfigError on every rank, naming all that is wrong with the run file.
    """
    comm = MPI.COMM_WORLD if comm is None else comm
    if isinstance(source, RunConfig):
        return Session(source, actions.parse(source), comm)
    return Session(*config.broadcast(comm, lambda: actions.load(source)), comm)


class Session:
    """insitu attached to one simulation; made by `open`.

    A failure inside insitu, on any rank, is the same failure on all ranks: by default it is
    logged, what was due at that step is dropped, and the simulation goes on; with
    `on_error: raise` it is raised.
    """

    def __init__(self, run: RunConfig, wanted: Actions, comm: MPI.Comm) -> None:
        """Collective; the same configuration on every rank."""
        self.run, self.wanted = run, wanted
        self.comm = comm.Dup()
        # Where everyone was told how many threads to use, there is nothing to share out.
        if self.comm.allreduce(threads.omp_num_threads() is None, op=MPI.LOR):
            threads.set_share(cpu_share(self.comm, threads.cpus()))
        self.log = rank_logger(self.comm)
        self.recipes = {name: field.recipe for name, field in run.fields.items()}
        self.window = Window(run.window.steps, run.window.memory, run.window.key_every)
        self._reactions = Reactions(self.comm, wanted.queries, wanted.triggers)
        self._latest: dict[str, DistributedField] = {}
        self._record: RecordWriter | None = None
        self._tally = Tally()
        self._mesh: Any = None
        self._checked = False
        self._cycle = -1

    def check(self, mesh: Any) -> None:
        """Compare a mesh with the run file, before the first step. Collective.

        `execute` does this at its first step; calling it earlier finds mistakes earlier.

        Raises: ConfigError on every rank, naming what is asked for and not published;
            RemoteError on every rank, naming the path of the tree that is wrong.
        """
        ghost_field = self.run.ghost_field
        names: set[str] = set()
        with together(self.comm, "mesh"):
            verify(mesh, ghost_field=ghost_field)
            names = set(field_names(mesh, ghost_field=ghost_field))
        # Every rank checks the same names, and comes to the same end.
        actions.check_fields(self.run, self.wanted, set().union(*self.comm.allgather(names)))
        self._check_kinds(mesh)
        self._checked = True

    def _check_kinds(self, mesh: Any) -> None:
        """Refuse a field that is not the same kind of thing in all blocks of all ranks: reducing
        a scalar with a vector would fail half-way. Collective; raises ConfigError on every rank."""
        mine: dict[str, set[str]] = {}
        with together(self.comm, "mesh"):
            for name in self.recipes:
                blocks = self._partitions(mesh, name, "ignore")
                mine[name] = {f"{b.association}, components: {b.n_components}" for b in blocks}
        everyone = self.comm.allgather(mine)
        for name in self.recipes:
            kinds = sorted(set().union(*(kinds[name] for kinds in everyone)))
            if len(kinds) > 1:
                raise ConfigError([f"fields.{name}: blocks differ: {' and '.join(kinds)}"])

    def publish(self, mesh: Any) -> None:
        """Hand over this rank's part of the present step. Not collective.

        mesh: a Blueprint tree: nested mappings or a conduit node, one domain or several, or None
        on a rank without any. `execute` reads its arrays in place and never writes them; they must
        stay as they are until it returns.
        """
        self._mesh = mesh

    def execute(self) -> StepReport | None:
        """Do what is due at the published step. Collective.

        Returns what was done, the same on every rank but for the seconds, or None if nothing was
        due, or if it failed and was logged.

        Raises: whatever went wrong, on every rank (mostly RemoteError), if `on_error` is `raise`.
        """
        try:
            return self._step()
        except Exception as error:
            self._failed("step dropped", error)
            return None
        finally:
            self._mesh = None

    def close(self) -> Summary:
        """Write what the window holds to the record, and free everything. Collective.

        Raises: RemoteError on every rank, if writing failed and `on_error` is `raise`.
        """
        try:
            self._save()
        except RemoteError as error:
            self._failed("record not completed", error)
        self.window.clear()
        self._latest.clear()
        self.comm.Free()
        return self._tally.summary([] if self._record is None else [str(self._record.path)])

    def _step(self) -> StepReport | None:
        start = perf_counter()
        if not self._checked:
            self.check(self._mesh)
        cycle, time = self._agree_on_state()
        fired = self._reactions.react(cycle, time, self._raw)
        due = cycle % self.run.window.every == 0
        if not due and not fired:
            return None
        fields = self._compress(cycle, time)
        scenes = [scene for trigger in fired for scene in trigger.actions]
        files = [file for scene in (*self.wanted.scenes, *scenes) for file in self._render(scene)]
        if fired:
            self._save()
        report = StepReport(
            cycle=cycle,
            time=time,
            fields=tuple(self._field_report(field) for field in fields.values()),
            window_nbytes=self.comm.allreduce(self.window.nbytes),
            seconds=perf_counter() - start,
            fired=tuple(trigger.name for trigger in fired),
            files=tuple(str(file) for file in files),
        )
        self._tally.add(report)
        return report

    def _agree_on_state(self) -> tuple[int, float]:
        """Cycle and time, from whichever rank publishes them. Collective.

        A simulation that publishes no cycle is counted; without a time, the cycle is the time.
        """
        with together(self.comm, "mesh"):
            mine = state(self._mesh)
        everyone = self.comm.allgather((mine.cycle, mine.time))
        cycles = [cycle for cycle, _ in everyone if cycle is not None]
        times = [time for _, time in everyone if time is not None]
        self._cycle = max(cycles) if cycles else self._cycle + 1
        return self._cycle, max(times) if times else float(self._cycle)

    def _raw(self, name: str) -> list[Partition]:
        """This rank's owned samples of a field, for queries. Not collective."""
        return self._partitions(self._mesh, name, "ignore")

    def _partitions(self, mesh: Any, name: str, ghosts: str) -> list[Partition]:
        field = self.run.fields.get(name)
        published = name if field is None or not field.components else field.components
        return partitions(
            mesh, published, name=name, ghosts=ghosts, ghost_field=self.run.ghost_field
        )

    def _blocks(self, name: str) -> list[Partition]:
        """This rank's blocks of a recorded field, with the ghosts asked for. Collective."""
        ghosts = self.run.ghosts
        blocks: list[Partition] = []
        with together(self.comm, f"mesh, field {name}"):
            blocks = self._partitions(self._mesh, name, ghosts)
        if ghosts == "exchange":
            return exchange(self.comm, blocks)
        if ghosts == "trust" and self.run.check_ghosts:
            warning = check_ghosts(self.comm, blocks).warning
            if warning and self.comm.rank == 0:
                self.log.warning("%s", warning)
        return blocks

    def _compress(self, cycle: int, time: float) -> dict[str, DistributedField]:
        """Train every field of the step and put it into the window. Collective."""
        blocks = {name: self._blocks(name) for name in self.recipes}
        fields = train_fields(self.comm, blocks, self.recipes, self._latest, cycle=cycle, time=time)
        self._latest = fields
        dropped = self.window.add(self.comm, fields.values())
        if dropped and self.comm.rank == 0:
            steps = ", ".join(f"{old.name} of cycle {old.cycle}" for old in dropped)
            self.log.warning(
                "window: memory of %d bytes is full: dropped %s", self.window.memory, steps
            )
        return fields

    def _render(self, scene: Scene) -> list[Path]:
        """Pictures of a scene, at the present step or at those in the window. Collective."""
        fields: list[DistributedField] = []
        with together(self.comm, f"scene {scene.name}"):
            entries = self.window.entries(scene.plot.field)
            if scene.window != "all":
                entries = entries[-scene.window :]
            fields = [entry.open() for entry in entries]
        return render_volume_scene(
            self.comm,
            fields,
            scene.views,
            Path(self.run.output),
            color_table=scene.plot.color_table,
            min_value=scene.plot.min_value,
            max_value=scene.plot.max_value,
            samples=scene.plot.samples,
        )

    def _save(self) -> None:
        """Write what the window holds to the record, if there is to be one. Collective."""
        if self.run.record is None:
            return
        if self._record is None:
            self._record = RecordWriter(self.comm, Path(self.run.record.path))
        self._record.append([e for name in self.window.names for e in self.window.entries(name)])

    def _field_report(self, field: DistributedField) -> FieldReport:
        summary = field.summary
        return FieldReport(
            name=summary.name,
            psnr_db=summary.psnr_db,
            ratio=summary.ratio,
            seconds=summary.metrics.seconds,
            iterations=summary.metrics.iterations,
            warm=summary.metrics.warm,
            nbytes=summary.nbytes,
            wanted_db=self.run.fields[summary.name].psnr,
            non_finite=summary.metrics.nan_count + summary.metrics.inf_count,
        )

    def _failed(self, what: str, error: Exception) -> None:
        if self.run.on_error == "raise":
            raise error
        if self.comm.rank == 0:
            self.log.warning("%s: %s", what, error)
