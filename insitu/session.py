"""The life of a time step: publish, execute, close.

In: a run configuration, a communicator, and the simulation's mesh at every step.
Out: compressed fields in a window, pictures when a trigger fires, a record; a report per step.

A field is trained at a step only if something that is due reads it; see `Session._needed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from mpi4py import MPI

from insitu import actions, config
from insitu.acting import Acting
from insitu.actions import Action, Actions
from insitu.budget import Budget
from insitu.config import RunConfig
from insitu.engines import engine, threads
from insitu.errors import ConfigError, nearest
from insitu.fields.distributed_field import DistributedField
from insitu.history.crash_log import CrashLog
from insitu.history.record_writer import RecordWriter, Units
from insitu.history.window import Window
from insitu.mesh import (
    MeshError,
    Partition,
    Resampler,
    exchange,
    field_names,
    partitions,
    state,
    verify,
)
from insitu.mesh import check as check_ghosts
from insitu.parallel import RemoteError, cpu_share, rank_logger, together
from insitu.reactive import callbacks, session_file
from insitu.reactive.expressions import FieldKind
from insitu.reactive.triggers import Callback, Reactions, Trigger
from insitu.render.bricks import limit_brick_cache
from insitu.report import FieldReport, StepReport, Summary, Tally
from insitu.training.distributed import train_fields
from insitu.training.size import Memory


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
        with together(self.comm, "engine"):
            self._engine = engine(run.engine)
        self.recipes = {name: field.recipe for name, field in run.fields.items()}
        self.window = Window(run.window.steps, run.window.memory, run.window.key_every)
        limit_brick_cache(run.brick_cache)
        self._reactions = Reactions(
            self.comm, wanted.queries, wanted.triggers, self.window, self._failed
        )
        self._listeners: dict[str, list[Callback]] = {}
        self._import_callbacks()
        self._ready: dict[str, list[Partition]] = {}
        self._latest: dict[str, DistributedField] = {}
        self._memories: dict[tuple[str, int], Memory] = {}
        self._record: RecordWriter | None = None
        self._crash_log: CrashLog | None = None
        self._mirror_trouble = ""
        self._budget = Budget(run.budget.seconds, run.budget.fraction)
        self._acting = Acting(
            self.comm, self.window, self._budget, Path(run.output), self._failed, self._warn
        )
        self._tally = Tally()
        self._steps_written = 0  # of the queries' results
        self._mesh: Any = None
        self._resampler: Resampler | None = None
        self._boxes: Any = None  # the mesh, where it is made of cells, as boxes of samples
        self._boxed: set[str] = set()  # the fields that are there
        self._measured: set[str] = set()  # the fields whose error of resampling was told
        self._checked = False
        self._cycle = -1

    def on(self, name: str, function: Callback) -> None:
        """Have a Python function called. Not collective, but to be done on every rank alike.

        Args:
            name: a trigger, when it fires; or the `callback` of triggers in the run file.
            function: is given an `insitu.reactive.triggers.Event`, on every rank. As the callback
                of a trigger without a condition it returns whether the condition holds, and rank
                0's answer counts. It may communicate, but must then fail on all ranks or none.
                What it raises is handled as `on_error` says.

        Raises: ConfigError if there is no trigger or callback of this name.
        """
        triggers = [trigger.name for trigger in self.wanted.triggers]
        named = [t.callback for t in self.wanted.triggers if t.callback is not None]
        if name in named:
            self._reactions.callbacks[name] = function
        elif name in triggers:
            self._listeners.setdefault(name, []).append(function)
        else:
            hint = nearest(name, [*triggers, *named])
            there = f" (there are {', '.join([*triggers, *named]) or 'none'})"
            raise ConfigError([f"on: no trigger or callback {name!r}{hint or there}"])

    def _import_callbacks(self) -> None:
        """Import what run files name as module:function. Collective; ConfigError on all ranks."""
        refusals = []
        with together(self.comm, "callbacks of triggers"):
            for trigger in self.wanted.triggers:
                if trigger.callback is not None and ":" in trigger.callback:
                    try:
                        self._reactions.callbacks[trigger.callback] = callbacks.load(
                            trigger.callback
                        )
                    except ConfigError as error:
                        refusals += [f"trigger {trigger.name}: {p}" for p in error.problems]
        found = [text for texts in self.comm.allgather(refusals) for text in texts]
        if found:
            raise ConfigError(list(dict.fromkeys(found)))

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
        cells = False
        with together(self.comm, "mesh"):
            cells = state(mesh).has_cells
        if self._resampling(self.comm.allreduce(cells, op=MPI.LOR)):
            self._to_boxes(mesh, [*self.recipes, *self.wanted.fields])
        self._check_kinds(mesh)
        self._boxes = None
        self._boxed.clear()
        missing = [
            f"trigger {t.name}: callback: nothing is registered as {t.callback!r}; call "
            f"session.on({t.callback!r}, function), or name it as module:function"
            for t in self.wanted.triggers
            if t.callback is not None and t.callback not in self._reactions.callbacks
        ]
        if missing:
            raise ConfigError(missing)
        self._checked = True

    def _check_kinds(self, mesh: Any) -> None:
        """Refuse a field that is not the same kind of thing in all blocks of all ranks: reducing
        a scalar with a vector would fail half-way; and expressions that take a field for what it
        is not. Collective; raises ConfigError on every rank."""
        names = list(dict.fromkeys([*self.recipes, *sorted(self.wanted.fields)]))
        mine: dict[str, set[tuple[str, int]]] = {}
        with together(self.comm, "mesh"):
            for name in names:
                blocks = self._partitions(mesh, name, "ignore")
                mine[name] = {(b.association, b.n_components) for b in blocks}
        everyone = self.comm.allgather(mine)
        known: dict[str, FieldKind] = {}
        for name in names:
            kinds = sorted(set().union(*(kinds[name] for kinds in everyone)))
            if len(kinds) > 1:
                differ = " and ".join(f"{where}, components: {n}" for where, n in kinds)
                raise ConfigError([f"fields.{name}: blocks differ: {differ}"])
            if kinds:
                known[name] = FieldKind(*kinds[0])
        actions.check_kinds(self.wanted, known)

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
        self._budget.enter()
        try:
            return self._step()
        except Exception as error:
            self._failed("step dropped", error)
            return None
        finally:
            self._budget.leave()
            self._mesh = self._boxes = None
            self._boxed.clear()
            self._ready.clear()

    def close(self) -> Summary:
        """Write what the window holds to the record and the queries' results to
        `ascent_session.yaml`, and free everything. Collective.

        Raises: RemoteError on every rank, if writing failed and `on_error` is `raise`.
        """
        written = []
        try:
            if self._records_on("end"):
                self._save()
            written += [] if self._record is None else [str(self._record.path)]
        except RemoteError as error:
            if self._crash_log is not None:
                self._crash_log.close(remove=False)
                folder, self._crash_log = self._crash_log.folder, None
                self._warn(f"the window stays in {folder}: insitu recover {folder}")
            self._failed("record not completed", error)
        if self._crash_log is not None:
            self._crash_log.close(remove=True)
        try:
            written += self._save_queries()
        except RemoteError as error:
            self._failed(f"{session_file.SESSION_FILE} not written", error)
        # Last: a picture that fails under `on_error: raise` then costs nothing else.
        written += [str(file) for file in self._acting.finish()]
        self.window.clear()
        self._latest.clear()
        self.comm.Free()
        return self._tally.summary(written)

    def _step(self) -> StepReport | None:
        start = perf_counter()
        if not self._checked:
            self.check(self._mesh)
        cycle, time = self._agree_on_state()
        self._budget.begin(self.comm)
        if self._resampler is not None:
            self._to_boxes(self._mesh, sorted(self.wanted.fields))
        fired = self._reactions.react(cycle, time, self)
        due = cycle % self.run.window.every == 0
        needed = self._needed(due, fired)
        if not needed and not fired:
            return None
        acts = [*(self.wanted.due if due else ()), *(a for t in fired for a in t.actions)]
        fields = self._compress(needed, cycle, time, self._acting.expected(acts))
        skipped = fields is None
        resampled = self._resampling_errors(fields or {})
        if skipped:  # without its fields a picture would show some earlier step
            acts = []
        files = self._acting.act(acts, cycle)
        if fired:
            if self._records_on("trigger"):
                self._save()
            self._save_queries(at_end=False)
            self._call_back(fired, cycle, time)
        report = StepReport(
            cycle=cycle,
            time=time,
            fields=tuple(
                self._field_report(field, resampled.get(name))
                for name, field in (fields or {}).items()
            ),
            window_nbytes=self.comm.allreduce(self.window.nbytes),
            seconds=perf_counter() - start,
            fired=tuple(trigger.name for trigger in fired),
            files=tuple(str(file) for file in files),
            allowed=self._budget.allowed,
            skipped=skipped,
            put_off=tuple(self._acting.waiting),
        )
        self._tally.add(report)
        return report

    def _needed(self, due: bool, fired: Sequence[Trigger[Action]]) -> list[str]:
        """The fields that are to be trained at this step, in the run file's order.

        `due`: whether the step is one of the window's. A field is needed

        * at every such step, if a scene or an extract reads it, or those of a trigger that may
          still fire read earlier steps of it;
        * when a trigger fires whose scenes and extracts read it;
        * at both, if an expression reads its past: all these fields at the same steps, so that
          they can be computed with each other;
        * at both, if everything is kept: there is a record, `window.keep` is all, or a function is
          called when a trigger fires, or a script run, which may look at any field.
        """
        if not due and not fired:
            return []
        live = self._reactions.live
        acts = [action.reads for trigger in fired for action in trigger.actions]
        if due:
            acts += [action.reads for action in self.wanted.due]
            acts += [action.past for action in self.wanted.due]
            acts += [action.past for trigger in live for action in trigger.actions]
        names = {name for read in acts for name in read or ()}
        if due or names:
            names |= set(self._reactions.past)
        everything = (
            self.run.record is not None
            or self.run.window.keep == "all"
            or None in acts
            or any(self._called(trigger) for trigger in (live if due else fired))
        )
        return [name for name in self.recipes if everything or name in names]

    def _called(self, trigger: Trigger[Action]) -> list[tuple[str, Callback]]:
        """The functions that are called when a trigger fires."""
        found = [
            (f"session.on({trigger.name!r})", f) for f in self._listeners.get(trigger.name, [])
        ]
        if trigger.condition is not None and trigger.callback is not None:
            found.append((trigger.callback, self._reactions.callbacks[trigger.callback]))
        return found

    def _call_back(self, fired: Sequence[Trigger[Action]], cycle: int, time: float) -> None:
        """Tell those who asked for it that triggers have fired. Collective."""
        for trigger in fired:
            event = self._reactions.event(trigger, cycle, time)
            for name, function in self._called(trigger):
                try:
                    with together(self.comm, f"trigger {trigger.name}, callback {name}"):
                        function(event)
                except RemoteError as error:
                    self._failed("callback failed", error)

    def _agree_on_state(self) -> tuple[int, float]:
        """Cycle and time, from whichever rank publishes them. Collective.

        A simulation that publishes no cycle is counted; without a time, the cycle is the time.
        """
        with together(self.comm, "mesh"):
            mine = state(self._mesh)
        everyone = self.comm.allgather(mine)
        cycles = [known.cycle for known in everyone if known.cycle is not None]
        times = [known.time for known in everyone if known.time is not None]
        self._resampling(any(known.has_cells for known in everyone))
        self._cycle = max(cycles) if cycles else self._cycle + 1
        return self._cycle, max(times) if times else float(self._cycle)

    def owned(self, name: str) -> list[Partition]:
        """This rank's owned samples of a field of the published step. Not collective."""
        return self._partitions(self._mesh, name, "ignore")

    def with_ghosts(self, name: str) -> list[Partition]:
        """This rank's blocks of a field of the published step, with the ghosts that the run file
        asks for. Collective when it is first asked for at a step."""
        if name not in self._ready:
            self._ready[name] = self._blocks(name)
        return self._ready[name]

    def _partitions(self, mesh: Any, name: str, ghosts: str) -> list[Partition]:
        field = self.run.fields.get(name)
        published = name if field is None or not field.components else field.components
        if self._resampler is not None:
            mesh = self._boxes
        blocks = partitions(
            mesh, published, name=name, ghosts=ghosts, ghost_field=self.run.ghost_field
        )
        if self._resampler is not None:
            blocks = [replace(block, nan_is_outside=True) for block in blocks]
        return blocks

    def _resampling(self, has_cells: bool) -> bool:
        """Whether meshes are resampled: once one is made of cells, all are. Not collective."""
        if has_cells and self._resampler is None:
            self._resampler = Resampler(self.comm, self.run.resample.cells, self.run.ghost_field)
        return self._resampler is not None

    def _to_boxes(self, mesh: Any, names: Iterable[str]) -> None:
        """Resample those fields of the step that are not among the boxes yet. Collective."""
        assert self._resampler is not None
        published = [part for name in names for part in self._published(name)]
        wanted = [name for name in dict.fromkeys(published) if name not in self._boxed]
        self._boxes = self._resampler.to_boxes(mesh, wanted, self._boxes)
        self._boxed.update(wanted)

    def _published(self, name: str) -> Sequence[str]:
        """The fields of the tree that are the components of `name`."""
        field = self.run.fields.get(name)
        return field.components if field is not None and field.components else [name]

    def _resampling_errors(self, names: Iterable[str]) -> dict[str, float]:
        """PSNR of the boxes of fields at the mesh's own points, for those that are recorded for the
        first time; logged, as a warning where it is below what the run file asks for. Collective.
        """
        found: dict[str, float] = {}
        if self._resampler is None:
            return found
        for name in names:
            if name in self._measured:
                continue
            self._measured.add(name)
            try:
                error = self._resampler.error(self._boxes, *self._published(name))
            except (MeshError, RemoteError) as trouble:
                self._failed(f"field {name}: error of resampling not measured", trouble)
                continue
            found[name] = error.psnr_db
            wanted = self.run.fields[name].psnr
            lines = self._resampler.lines
            cells = " x ".join(str(len(line) - 1) for line in lines)
            text = (
                f"field {name}: resampled to {cells} cells, {error.covered:.1%} of it in the "
                f"domain: {error.psnr_db:.1f} dB, RMS {error.rms:.3g}, at the mesh's points"
            )
            if wanted is not None and error.psnr_db < wanted:
                self._warn(f"{text}; {wanted:g} dB are wanted: give resample.cells more")
            elif self.comm.rank == 0:
                self.log.info("%s", text)
        return found

    def _blocks(self, name: str) -> list[Partition]:
        """This rank's blocks of a field, with the ghosts asked for. Collective."""
        ghosts = self.run.ghosts
        if self._resampler is not None:
            self._to_boxes(self._mesh, [name])
            ghosts = "ignore" if ghosts == "ignore" else "exchange"
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

    def _compress(
        self, names: Sequence[str], cycle: int, time: float, acting: float
    ) -> dict[str, DistributedField] | None:
        """Train fields of the step and put them into the window; None, and nothing done, where the
        budget leaves no time for it. Collective. acting: seconds that are to follow."""
        if names and self._budget.hopeless(self.comm):
            return None
        self._budget.prepare()
        blocks = {name: self.with_ghosts(name) for name in names}
        recipes = {name: self.recipes[name] for name in names}
        fields = train_fields(
            self.comm,
            blocks,
            recipes,
            self._latest,
            memories=self._memories,
            engine=self._engine,
            seconds=self._budget.for_training(acting),
            cycle=cycle,
            time=time,
        )
        if fields is None:
            return None
        self._budget.trained()
        self._latest.update(fields)
        dropped = self.window.add(self.comm, fields.values())
        if dropped and self.comm.rank == 0:
            steps = ", ".join(f"{old.name} of cycle {old.cycle}" for old in dropped)
            self.log.warning(
                "window: memory of %d bytes is full: dropped %s", self.window.memory, steps
            )
        if fields and self._records_on("crash"):
            self._mirror(fields.values())
        return fields

    def _mirror(self, fields: Iterable[DistributedField]) -> None:
        """Keep the step where it outlives the simulation; failing that, go on. Collective."""
        record = self.run.record
        assert record is not None
        window = {
            (name, entry.summary.cycle)
            for name in self.window.names
            for entry in self.window.entries(name)
        }
        try:
            if self._crash_log is None:
                self._crash_log = CrashLog(
                    self.comm, Path(record.scratch), Path(record.path), self._units
                )
            self._crash_log.store(fields, window)
        except RemoteError as error:
            # Told once, not at every step.
            if self.run.on_error == "raise" or str(error) != self._mirror_trouble:
                self._mirror_trouble = str(error)
                self._failed("step not kept for a crash", error)

    @property
    def _units(self) -> Units:
        record = self.run.record
        assert record is not None
        fields = {name: field.unit for name, field in self.run.fields.items() if field.unit}
        return Units(record.length_unit, record.time_unit, fields)

    def _records_on(self, occasion: str) -> bool:
        return self.run.record is not None and occasion in self.run.record.on

    def _save(self) -> None:
        """Write what the window holds to the record. Collective."""
        if self._record is None:
            record = self.run.record
            assert record is not None
            self._record = RecordWriter(self.comm, Path(record.path), self._units)
        self._record.append([e for name in self.window.names for e in self.window.entries(name)])

    def _save_queries(self, at_end: bool = True) -> list[str]:
        """Write the results of the queries, if there are any. Collective. Returns the file.

        Before the end only where a tenth has come since the last time: the file is written whole.
        """
        if not self.wanted.queries:
            return []
        steps = max(map(len, self._reactions.results.values()))
        if not at_end and steps < 1.1 * self._steps_written:
            return []
        self._steps_written = steps
        path = Path(self.run.output) / session_file.SESSION_FILE
        with together(self.comm, f"write {path}"):
            if self.comm.rank == 0:
                kinds = {query.name: query.expression.kind for query in self.wanted.queries}
                session_file.write(path, self._reactions.results, kinds)
        return [str(path)]

    def _field_report(self, field: DistributedField, resampled_db: float | None) -> FieldReport:
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
            wanted_ratio=self.run.fields[summary.name].ratio,
            max_error=summary.metrics.max_error,
            non_finite=summary.metrics.nan_count + summary.metrics.inf_count,
            resampled_db=resampled_db,
        )

    def _failed(self, what: str, error: Exception) -> None:
        if self.run.on_error == "raise":
            raise error
        self._warn(f"{what}: {error}")

    def _warn(self, text: str) -> None:
        if self.comm.rank == 0:
            self.log.warning("%s", text)
