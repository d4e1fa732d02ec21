"""Replay of a record: queries, triggers, scenes and extracts over recorded steps.

In: a time series, actions, a folder. Out: what the actions write; which triggers fired; failures.

At each step, oldest first, expressions read the decoded recorded field as the present, and earlier
steps as the past.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.actions import Action, Actions, check_kinds, check_past
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError, together
from insitu.fields.block_field import BlockField
from insitu.mesh import Partition, exchange
from insitu.mesh.partition import NO_LAYERS
from insitu.queries import callbacks, session_file
from insitu.queries.expressions import FieldKind
from insitu.queries.known_results import Known
from insitu.queries.triggers import Trigger, TriggerEngine
from insitu.session.budget import Budget
from insitu.session.scheduler import ActionScheduler
from insitu.store.shared_series import SharedSeries
from insitu.store.time_series import StepCount, TimeSeries, UpTo

if TYPE_CHECKING:
    from mpi4py import MPI

Moment = tuple[int, float]
"""Cycle and time of a step."""


@dataclass
class Report:
    """What a replay did, the same on every rank."""

    cycles: list[int] = field(default_factory=list)
    """Of the replayed steps, oldest first."""
    fired: list[tuple[str, int]] = field(default_factory=list)
    """Triggers, each with the cycle at which it fired."""
    files: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """One text per failure; everything else was done."""


def moments(series: TimeSeries, names: Collection[str] = ()) -> list[Moment]:
    """The steps at which all these fields are there, oldest first; without names, any field.

    Not collective.
    """
    found = [
        {entry.summary.cycle: entry.summary.time for entry in series.entries(name)}
        for name in (names or series.names)
    ]
    times = {cycle: time for steps in found for cycle, time in steps.items()}
    if names:
        times = {c: t for c, t in times.items() if all(c in steps for steps in found)}
    return sorted(times.items(), key=lambda moment: (moment[1], moment[0]))


class Replay:
    """The loop over recorded steps. Construction and `run` are collective."""

    def __init__(
        self,
        comm: MPI.Comm,
        series: SharedSeries,
        actions: Actions,
        folder: Path,
        *,
        window: StepCount = "all",
        every: int = 1,
        fire: Mapping[str, Collection[int]] | None = None,
        periodic: Collection[str] = (),
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """The same on every rank.

        Args:
            series: the recorded fields, shared by the ranks of `comm`. All that expressions and
                actions read must be among its names.
            window: number of steps of each field, up to the present one, that actions see.
            every: scenes and extracts outside triggers run at multiples of this many cycles.
            fire: additional cycles at which triggers fire, whatever their conditions.
            periodic: the axes, x, y or z, along which the domain continues at its other side.
            tell: called on every rank with warnings as they occur.

        Raises: ConfigError on every rank for an expression, scene or extract that does not fit the
            fields, or a callback that is not there.
        """
        self.comm, self.series, self.actions = comm, series, actions
        self.folder, self.every, self.fire, self._tell = folder, every, dict(fire or {}), tell
        check_kinds(actions, {name: FieldKind(*kind) for name, kind in series.kinds.items()})
        if window != "all":
            check_past(actions, dict.fromkeys(series.names, window))
        self._periodic = periodic
        self.past = UpTo(series, window)
        self.report = Report()
        self._reactions: TriggerEngine[Action] = TriggerEngine(
            comm, actions.queries, actions.triggers, self.past, self.failed, periodic
        )
        with together(comm, "callbacks of triggers"):
            for trigger in actions.triggers:
                self._import_callback(trigger)
        budget = Budget(None, None)
        self._scheduler = ActionScheduler(
            comm, self.past, budget, folder, self, self._reactions.results
        )
        self._present: dict[str, list[Partition]] = {}
        self._absent: dict[str, list[int]] = {}  # of actions, where a field was not recorded

    def run(
        self, steps: Sequence[Moment], progress: Callable[[int, int], None] | None = None
    ) -> Report:
        """Replay these steps of `moments`, oldest first. Collective.

        What fails, on any rank, is noted in the report, and the rest goes on.
        """
        for done, (cycle, time) in enumerate(steps, start=1):
            try:
                self._step(cycle, time)
            except RemoteError as error:
                self.failed(f"cycle {cycle} dropped", error)
            if progress is not None:
                progress(done, len(steps))
        for what, cycles in self._absent.items():
            there = ", ".join(map(str, cycles))
            self.warn(f"{what}: not at cycles {there}, which lack a field that it reads")
        self.report.files += self._save_queries()
        return self.report

    def owned(self, name: str) -> list[Partition]:
        """This rank's blocks of a field at the present step, decoded. Not collective."""
        if name not in self._present:
            newest = self.past.entries(name)[-1]
            self._present[name] = [decoded(block) for block in newest.open().fields]
        return self._present[name]

    def with_ghosts(self, name: str) -> list[Partition]:
        """The same with a layer of the neighbours' samples. Collective."""
        blocks: list[Partition] = []
        with together(self.comm, f"field {name}"):
            blocks = self.owned(name)
        return exchange(self.comm, blocks, self._periodic)

    def mesh(self) -> list[Partition]:
        """This rank's blocks of the mesh, with the samples of a field, which are NaN outside of it.
        Collective."""
        blocks: list[Partition] = []
        with together(self.comm, "mesh"):
            for name in self.past.names[:1]:
                blocks = self.owned(name)
        return blocks

    def failed(self, what: str, error: Exception) -> None:
        """Note what failed, the same on every rank. Not collective."""
        text = f"{what}: {error}"
        self.report.failed.append(text)
        self.warn(text)

    def warn(self, text: str) -> None:
        """Not collective."""
        self._tell(text)

    def _step(self, cycle: int, time: float) -> None:
        self.past.move_to(cycle, time)
        self._present.clear()
        for query in self.actions.queries:
            root = query.expression.root
            if isinstance(root, Known):  # at all steps of the run, recorded or not
                self._reactions.results[query.name] = root.before(cycle)
        fired = {trigger.name for trigger in self._reactions.evaluate(cycle, time, self)}
        fired |= {name for name, cycles in self.fire.items() if cycle in cycles}
        set_off = [trigger for trigger in self.actions.triggers if trigger.name in fired]
        due = self.actions.due if cycle % self.every == 0 else ()
        acts = [*due, *(action for trigger in set_off for action in trigger.actions)]
        there = {n for n in self.past.names if self.past.entries(n)[-1].summary.cycle == cycle}
        ready = []
        for action in acts:
            if action.reads is None or action.reads <= there:
                ready.append(action)
            else:
                self._absent.setdefault(f"{action.what} {action.name}", []).append(cycle)
        files = self._scheduler.act(ready, cycle)
        for trigger in set_off:
            self._call_back(trigger, cycle, time)
        self.report.cycles.append(cycle)
        self.report.fired += [(trigger.name, cycle) for trigger in set_off]
        self.report.files += [str(file) for file in files]

    def _import_callback(self, trigger: Trigger[Action]) -> None:
        """ConfigError if only the program that made the record could call it."""
        name = trigger.callback
        if name is None:
            return
        if ":" in name:
            self._reactions.callbacks[name] = callbacks.load(name)
        elif trigger.condition is None:
            text = (
                f"trigger {trigger.name}: callback: {name!r} is known only to the program that "
                f"ran; name it as module:function, or fire the trigger at a cycle"
            )
            raise ConfigError([text])
        else:
            self.warn(f"trigger {trigger.name}: callback {name!r} is not called")

    def _call_back(self, trigger: Trigger[Action], cycle: int, time: float) -> None:
        """Call the function that a trigger names beside its condition. Collective."""
        function = self._reactions.callbacks.get(trigger.callback or "")
        if trigger.condition is None or function is None:
            return
        event = self._reactions.event(trigger, cycle, time)
        try:
            with together(self.comm, f"trigger {trigger.name}, callback {trigger.callback}"):
                function(event)
        except RemoteError as error:
            self.failed("callback failed", error)

    def _save_queries(self) -> list[str]:
        """Write the results of the queries, if there are any. Collective."""
        if not self.actions.queries:
            return []
        path = self.folder / session_file.SESSION_FILE
        aside = None
        try:
            with together(self.comm, f"write {path}"):
                if self.comm.rank == 0:
                    kinds = {query.name: query.expression.kind for query in self.actions.queries}
                    aside = session_file.write_beside(path, self._reactions.results, kinds)
        except RemoteError as error:
            self.failed("results of the queries", error)
            return []
        if aside is not None:
            self.warn(f"{path} has other results, and is now {aside}")
        return [str(path)]


def decoded(block: BlockField) -> Partition:
    """A compressed block as a simulation would publish it, without ghosts."""
    values = block.decode()
    components = (
        (values,)
        if block.n_components == 1
        else tuple(values[..., i] for i in range(block.n_components))
    )
    return Partition(
        field=block.name,
        association="vertex" if block.association == "vertex" else "element",
        components=components,
        ghost_layers=NO_LAYERS,
        nodes=block.nodes,
        domain_id=block.domain_id,
        dimension=block.dimension,
    )
