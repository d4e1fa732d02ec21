"""Queries and triggers: expressions evaluated at every step, and conditions that run actions.

In: the raw data of a step and the recorded steps before it, on all ranks.
Out: the triggers that fire, the same on every rank, and the history of the queries' results.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from insitu.core.parallel import RemoteError, rank_logger, together
from insitu.queries.block_view import outer_widths
from insitu.queries.evaluation import Evaluator, Plan, on_root
from insitu.queries.expressions import Expression, ExpressionError
from insitu.queries.fields import piped
from insitu.queries.mesh_fields import blocks_of_mesh
from insitu.queries.past import WindowPast
from insitu.queries.scalars import Context, Reduction, Result
from insitu.queries.trigger_state import TriggerState, matters
from insitu.queries.values import CONDITION, NotYet, Value, undefined
from insitu.store.time_series import TimeSeries

if TYPE_CHECKING:
    from mpi4py import MPI

    from insitu.mesh.partition import Partition

Action = TypeVar("Action")

MODES = ("level", "edge", "latch")


class QueriedPipeline(Protocol):
    """A pipeline whose result a query reads instead of the fields as they are."""

    @property
    def name(self) -> str: ...

    def reads(self, names: frozenset[str]) -> frozenset[str]:
        """The fields of the simulation that it needs for these of its result."""

    def blocks(
        self, comm: MPI.Comm, source: Source, names: frozenset[str], moment: tuple[int, float]
    ) -> Mapping[str, Sequence[Partition]]:
        """Fields of its result as this rank's samples. Collective; the moment: cycle and time.
        RemoteError or ValueError, the same on every rank."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A named expression that is evaluated at every step; its results are kept."""

    name: str
    expression: Expression
    pipeline: QueriedPipeline | None = None
    """What the fields of the expression are of; None: of the simulation."""

    @property
    def reads(self) -> frozenset[str]:
        """The fields of the simulation that it reads."""
        names = frozenset(self.expression.reads)
        return names if self.pipeline is None else self.pipeline.reads(names)


@dataclass(frozen=True, kw_only=True)
class Trigger(Generic[Action]):
    """Runs actions when a condition holds, or, as in Ascent, when a callback returns True.

    `mode` selects the steps at which it fires: `level` (as in Ascent): every step at which the
    condition holds; `edge`: steps at which it holds but did not at the previous step; `latch`: the
    first step at which it holds and every step after that.
    """

    name: str
    condition: Expression | None = None
    callback: str | None = None
    """The name of a Python function. With a condition, it is called when the trigger fires."""
    actions: tuple[Action, ...] = ()
    mode: str = "level"
    cooldown: int = 0
    """Minimum number of cycles between two firings; it does not fire earlier."""
    max_firings: int | None = None
    """Maximum number of firings, after which it is no longer evaluated; None: no limit."""

    def __post_init__(self) -> None:
        if self.condition is None and self.callback is None:
            raise ValueError("condition: is required, or a callback")
        if self.condition is not None and self.condition.kind != CONDITION:
            problem = f"expected a condition, as in a > 1, found {self.condition.kind}"
            raise ExpressionError(problem, self.condition.text, 0)
        if self.mode not in MODES:
            raise ValueError(f"mode: {self.mode!r} is not one of {', '.join(MODES)}")


@dataclass(frozen=True, kw_only=True)
class Event:
    """The argument of a callback; the same on every rank, except for the blocks in the window."""

    trigger: str
    cycle: int
    time: float
    """Simulation time, in the simulation's unit."""
    results: Mapping[str, Value]
    """Results of all queries at this step, by name."""
    window: TimeSeries
    """The recorded steps; `window.entries(name)[-1].open()` is the newest step of a field."""


Callback = Callable[[Event], object]


class Source(Protocol):
    """The current step of a simulation."""

    def owned(self, name: str) -> Sequence[Partition]:
        """This rank's blocks of a field, without ghosts. Not collective."""

    def with_ghosts(self, name: str) -> Sequence[Partition]:
        """This rank's blocks of a field, with valid ghosts. Collective."""

    def mesh(self) -> Sequence[Partition]:
        """This rank's blocks of the mesh, with a component that is NaN outside of it, or none.
        Collective."""


class TriggerEngine(Generic[Action]):
    """The queries and triggers of a run, and their state.

    Queries are evaluated in order, then all triggers. Fields are reduced by all ranks
    together; everything else is computed on rank 0 and broadcast, so that ranks cannot disagree,
    and every rank keeps the same results.
    """

    def __init__(
        self,
        comm: MPI.Comm,
        queries: Sequence[Query],
        triggers: Sequence[Trigger[Action]],
        window: TimeSeries,
        failed: Callable[[str, Exception], None] | None = None,
        periodic: Collection[str] = (),
    ) -> None:
        """Not collective; the same queries and triggers on every rank.

        failed: called on every rank with the exception that a callback raised; it may raise. By
            default the exception is re-raised.
        periodic: the axes, x, y or z, along which the domain continues at its other side.
        """
        self.comm, self.queries, self.triggers = comm, tuple(queries), tuple(triggers)
        self.window = window
        self.callbacks: dict[str, Callback] = {}
        """The functions that triggers name as their `callback`."""
        self.results: dict[str, list[Result]] = {query.name: [] for query in queries}
        self._failed, self._periodic = failed, periodic
        self._states = [TriggerState() for _ in self.triggers]
        self._evaluator = Evaluator(comm)
        self._plan = self._make_plan()

    @property
    def live(self) -> tuple[Trigger[Action], ...]:
        """The triggers that can still fire."""
        pairs = zip(self.triggers, self._states, strict=True)
        return tuple(trigger for trigger, state in pairs if not state.exhausted(trigger))

    @property
    def past(self) -> Mapping[str, int]:
        """Field name -> number of steps back, for fields of which earlier steps are still read."""
        return self._plan.depths

    def resume(
        self, results: Mapping[str, Sequence[Result]], states: Mapping[str, TriggerState]
    ) -> None:
        """Go on where an earlier run ended, before the first step. Not collective; the same on
        every rank.

        results: those of queries, oldest first; states: of triggers. Both by name; those of other
        names are ignored.
        """
        for name, history in self.results.items():
            history[:0] = results.get(name, ())
        self._states = [states.get(t.name, TriggerState()) for t in self.triggers]
        self._plan = self._make_plan()

    @property
    def states(self) -> dict[str, tuple[str, TriggerState]]:
        """Of the triggers whose past matters, by name: the text that decides, and the state."""
        return {
            t.name: ("" if t.condition is None else t.condition.identity, state)
            for t, state in zip(self.triggers, self._states, strict=True)
            if matters(t)
        }

    def evaluate(
        self, cycle: int, time: float, source: Source, absent: Collection[str] = ()
    ) -> tuple[Trigger[Action], ...]:
        """Evaluate queries and triggers at a step; return the triggers that fire. Collective.

        absent: fields that the step lacks, the same on every rank; what reads them has no value.

        A trigger that needs a result or recorded step not yet available does not fire; a query
        that does is NaN. The same holds where the blocks of two steps are not the same, which is
        logged. After an error the state is as before this step.

        Raises: RemoteError on every rank.
        """
        if not self.queries and not self.triggers:
            return ()
        what = "queries and triggers"
        context = self._context(cycle, time)
        self._reduce(context, source, frozenset(absent))
        values, holds, fired = on_root(self.comm, what, lambda: self._decide(context))
        if any(hold is None for hold in holds):
            answers = self._ask(holds, context, values)
            holds, fired = on_root(self.comm, what, lambda: self._fire(answers, cycle))
        for query, value in zip(self.queries, values, strict=True):
            self.results[query.name].append(Result(cycle, time, value))
        reading = self._reading()
        for state, hold, fires in zip(self._states, holds, fired, strict=True):
            state.remember(bool(hold), fires, cycle)
        if self._reading() != reading:  # stop computing what no trigger needs any more
            self._plan = self._make_plan()
        return tuple(t for t, fires in zip(self.triggers, fired, strict=True) if fires)

    def event(self, trigger: Trigger[Action], cycle: int, time: float) -> Event:
        """The argument of callbacks at this step. Not collective."""
        results = {name: found[-1].value for name, found in self.results.items()}
        return Event(
            trigger=trigger.name, cycle=cycle, time=time, results=results, window=self.window
        )

    def _reading(self) -> list[bool]:
        """For each trigger, whether its condition is still needed."""
        return [s.evaluated(t) for t, s in zip(self.triggers, self._states, strict=True)]

    def _make_plan(self) -> Plan:
        conditions = [
            trigger.condition.root
            for trigger, reading in zip(self.triggers, self._reading(), strict=True)
            if reading and trigger.condition is not None
        ]
        made = {
            piped(query.pipeline.name, name)
            for query in self.queries
            if query.pipeline is not None
            for name in query.expression.reads
        }
        return Plan({q.name: q.expression.root for q in self.queries}, conditions, made)

    def _context(self, cycle: int, time: float) -> Context:
        queries = {q.name: (q.expression.root, undefined(q.expression.kind)) for q in self.queries}
        return Context(cycle, time, self.results, queries)

    def _reduce(self, context: Context, source: Source, absent: frozenset[str]) -> None:
        """Put all reductions of this step into rank 0's context. Collective."""
        present: dict[str, Sequence[Partition]] = {}
        names = sorted(item for item in self._plan.ghosts.items() if item[0] not in absent)
        depths = {name: n for name, n in self._plan.depths.items() if name not in absent}
        with together(self.comm, "queries and triggers"):
            past = WindowPast(self.window, depths, context.cycle)
            for name, ghosts in names:
                if not ghosts:
                    present[name] = source.owned(name)
        widths = {}
        for name, ghosts in names:
            if ghosts:
                present[name] = source.with_ghosts(name)
                widths[name] = outer_widths(self.comm, present[name], self._periodic)
        absent |= self._piped(context, source, present, absent)
        if self._plan.mesh:
            mesh = source.mesh()
            present |= {name: blocks_of_mesh(mesh, name) for name in self._plan.mesh}
        moved = self._evaluator.reduce(self._plan, context, present, past, widths, absent)
        if moved:
            self._tell(moved, context.cycle)

    def _piped(
        self,
        context: Context,
        source: Source,
        present: dict[str, Sequence[Partition]],
        absent: frozenset[str],
    ) -> frozenset[str]:
        """Add what queries read of pipelines to `present` -> those names that are absent.
        Collective."""
        wanted: dict[QueriedPipeline, frozenset[str]] = {}
        for query in self.queries:
            if query.pipeline is not None and query.expression.reads:
                before = wanted.get(query.pipeline, frozenset())
                wanted[query.pipeline] = before | set(query.expression.reads)
        missing: set[str] = set()
        for pipeline, names in wanted.items():
            there = {name: piped(pipeline.name, name) for name in sorted(names)}
            if pipeline.reads(names) & absent:
                missing.update(there.values())
                continue
            found = pipeline.blocks(self.comm, source, names, (context.cycle, context.time))
            present.update({there[name]: blocks for name, blocks in found.items()})
        return frozenset(missing)

    def _tell(self, moved: set[Reduction], cycle: int) -> None:
        """Log what has no value because blocks moved. Not collective."""
        roots = {f"query {query.name}": query.expression.root for query in self.queries}
        for trigger in self.triggers:
            if trigger.condition is not None:
                roots[f"trigger {trigger.name}"] = trigger.condition.root
        names = [name for name, root in roots.items() if moved & set(root.walk())]
        if self.comm.rank == 0:
            rank_logger(self.comm).warning(
                "%s: no value at cycle %d: blocks are not those of an earlier step",
                ", ".join(names),
                cycle,
            )

    def _decide(self, context: Context) -> tuple[list[Value], list[bool | None], list[bool]]:
        """The queries' results, whether each condition holds (None: its callback decides), and
        whether each trigger fires, as far as known. On rank 0 only."""
        values = [context.query(query.name) for query in self.queries]
        holds: list[bool | None] = [
            self._holds(trigger, context) if reading else False
            for trigger, reading in zip(self.triggers, self._reading(), strict=True)
        ]
        return values, holds, self._fire(holds, context.cycle)[1]

    def _holds(self, trigger: Trigger[Action], context: Context) -> bool | None:
        if trigger.condition is None:
            return None
        try:
            return bool(trigger.condition.root.value(context))
        except NotYet:
            return False

    def _fire(
        self, holds: Sequence[bool | None], cycle: int
    ) -> tuple[list[bool | None], list[bool]]:
        fired = [
            state.fires(trigger, bool(hold), cycle)
            for trigger, state, hold in zip(self.triggers, self._states, holds, strict=True)
        ]
        return list(holds), fired

    def _ask(
        self, holds: Sequence[bool | None], context: Context, values: Sequence[Value]
    ) -> list[bool | None]:
        """`holds` with the results of callbacks; rank 0's will be used. Collective."""
        results = dict(zip(self.results, values, strict=True))
        answers = list(holds)
        for i, trigger in enumerate(self.triggers):
            if holds[i] is not None or trigger.callback is None:
                continue
            event = Event(
                trigger=trigger.name,
                cycle=context.cycle,
                time=context.time,
                results=results,
                window=self.window,
            )
            answers[i] = False
            try:
                with together(self.comm, f"callback of trigger {trigger.name}"):
                    answers[i] = _truth(self.callbacks[trigger.callback](event))
            except RemoteError as error:
                if self._failed is None:
                    raise
                answers[i] = False
                self._failed(f"trigger {trigger.name} does not fire", error)
        return answers


def _truth(answer: object) -> bool:
    if answer is None:
        raise TypeError("a callback without a condition decides: it must return True or False")
    return bool(answer)
