"""Queries and triggers: what is asked at every step, and what sets actions off.

In: the raw data of a step, on all ranks.
Out: the triggers that fire, the same on every rank, and the history of the queries' results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from insitu.parallel import agree, together
from insitu.reactive.expressions import (
    CONDITION,
    Context,
    Expression,
    ExpressionError,
    NotYet,
    Value,
    undefined,
)
from insitu.reactive.statistics import FieldReference, FieldStatistics, field_statistics

if TYPE_CHECKING:
    from mpi4py import MPI

    from insitu.mesh.partition import Partition

Action = TypeVar("Action")

MODES = ("level", "edge", "latch")


@dataclass(frozen=True, kw_only=True)
class Query:
    """An expression that is evaluated at every step and keeps its results under a name."""

    name: str
    expression: Expression


@dataclass(frozen=True, kw_only=True)
class Trigger(Generic[Action]):
    """A condition and the actions that it sets off.

    `mode` says at which steps it fires: `level` (as in Ascent) at every step where the condition
    holds, `edge` where it holds and did not at the step before, `latch` at the first where it
    holds and at every step from then on.
    """

    name: str
    condition: Expression
    actions: tuple[Action, ...]
    mode: str = "level"

    def __post_init__(self) -> None:
        if self.condition.kind != CONDITION:
            problem = f"a condition compares, as in a > 1; this is {self.condition.kind}"
            raise ExpressionError(problem, self.condition.text, 0)
        if self.mode not in MODES:
            raise ValueError(f"mode: {self.mode!r} is not one of {', '.join(MODES)}")


class Reactions(Generic[Action]):
    """The queries and triggers of a run, and what they remember.

    Queries are evaluated in their order, then all triggers. Only the statistics of fields are
    computed by all ranks together; everything else is computed on rank 0 and broadcast, so that
    ranks cannot disagree, and every rank keeps the same results.
    """

    def __init__(
        self, comm: MPI.Comm, queries: Sequence[Query], triggers: Sequence[Trigger[Action]]
    ) -> None:
        """Not collective; the same queries and triggers on every rank."""
        self.comm, self.queries, self.triggers = comm, tuple(queries), tuple(triggers)
        self.results: dict[str, list[Value]] = {query.name: [] for query in queries}
        self._held = [False] * len(self.triggers)
        self._latched = [False] * len(self.triggers)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Of all queries and triggers."""
        return (*(q.expression for q in self.queries), *(t.condition for t in self.triggers))

    @property
    def references(self) -> frozenset[FieldReference]:
        """The scalars that queries and triggers read."""
        return frozenset(r for expression in self.expressions for r in expression.references)

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that queries and triggers read."""
        return frozenset(reference.name for reference in self.references)

    def react(
        self, cycle: int, time: float, partitions: Callable[[str], Sequence[Partition]]
    ) -> tuple[Trigger[Action], ...]:
        """Evaluate queries and triggers at a step; return the triggers that fire. Collective.

        A trigger that reads an entry of a history which is not there yet does not fire; a query
        that does so gives NaN. After an error nothing of this step is remembered.

        Args:
            cycle, time: of the step.
            partitions: gives this rank's blocks of a field, by its name, as the simulation
                published them; must not be collective.

        Raises: RemoteError on every rank.
        """
        statistics = self._statistics(partitions)
        answer: tuple[list[Value], list[bool]] | None = None
        error: Exception | None = None
        if self.comm.rank == 0:
            try:
                answer = self._decide(Context(cycle, time, statistics, self.results))
            except Exception as caught:
                error = caught
        agree(self.comm, error, "queries and triggers")
        values, fired = self.comm.bcast(answer, root=0)
        for query, value in zip(self.queries, values, strict=True):
            self.results[query.name].append(value)
        return tuple(t for t, fires in zip(self.triggers, fired, strict=True) if fires)

    def _statistics(
        self, partitions: Callable[[str], Sequence[Partition]]
    ) -> Mapping[FieldReference, FieldStatistics]:
        """The statistics of all scalars that are read. Collective."""
        blocks: dict[FieldReference, Sequence[Partition]] = {}
        with together(self.comm, "queries and triggers"):
            blocks = {reference: partitions(reference.name) for reference in self.references}
        return field_statistics(self.comm, blocks)

    def _decide(self, context: Context) -> tuple[list[Value], list[bool]]:
        """The results of the queries, and for each trigger whether it fires. On rank 0 only."""
        values: list[Value] = []
        try:
            for query in self.queries:
                values.append(_result(query, context))
                self.results[query.name].append(values[-1])  # for those that come after it
            conditions = [_holds(trigger, context) for trigger in self.triggers]
        finally:
            for query, _ in zip(self.queries, values, strict=False):
                self.results[query.name].pop()
        fired = []
        for i, (trigger, holds) in enumerate(zip(self.triggers, conditions, strict=True)):
            self._latched[i] |= holds
            fired.append(
                {
                    "level": holds,
                    "edge": holds and not self._held[i],
                    "latch": self._latched[i],
                }[trigger.mode]
            )
            self._held[i] = holds
        return values, fired


def _result(query: Query, context: Context) -> Value:
    try:
        return query.expression.evaluate(context)
    except NotYet:
        return undefined(query.expression.kind)


def _holds(trigger: Trigger[Action], context: Context) -> bool:
    try:
        return bool(trigger.condition.evaluate(context))
    except NotYet:
        return False
