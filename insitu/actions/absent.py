"""What can be done without fields that are not there: a run need not record all that it had.

In: actions, the fields there are. Out: the queries and triggers that remain, and why others do not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from insitu.actions.model import Actions
from insitu.queries.expressions import Expression, parse
from insitu.queries.history import Gradient, History, HistoryRange
from insitu.queries.known_results import known
from insitu.queries.scalars import Query as QueryNode
from insitu.queries.scalars import Result

_NEVER = parse("0 > 1")


def without_fields(
    actions: Actions,
    fields: Collection[str],
    fired: Collection[str] = (),
    results: Mapping[str, Mapping[int, Result]] | None = None,
) -> tuple[Actions, list[str]]:
    """The queries and triggers that read these fields alone, each with its actions; and for every
    other, what it reads. Not collective.

    fired: triggers that are set off by other means: they get a condition that never holds.
    results: of queries, by cycle, that are known; they stand for queries that cannot be evaluated.
    """
    lost: dict[str, str] = {}
    """By the name of the query, why."""
    problems, queries = [], []
    for query in actions.queries:
        reason = _lacks(query.expression, query.reads, fields, lost)
        if reason and query.name in (results or {}):
            queries.append(known(query, (results or {})[query.name]))
        elif reason:
            lost[query.name] = reason
            problems.append(f"query {query.name} reads {reason}")
        else:
            queries.append(query)
    triggers = []
    for trigger in actions.triggers:
        if trigger.name in fired:
            # A callback without a condition would be asked whether it holds.
            callback = None if trigger.condition is None else trigger.callback
            triggers.append(replace(trigger, condition=_NEVER, callback=callback))
            continue
        reason = (
            ""
            if trigger.condition is None
            else _lacks(trigger.condition, trigger.condition.reads, fields, lost)
        )
        if reason:
            problems.append(f"trigger {trigger.name} reads {reason}")
        else:
            triggers.append(trigger)
    return replace(actions, queries=tuple(queries), triggers=tuple(triggers)), problems


def _lacks(
    expression: Expression,
    reads: Collection[str],
    fields: Collection[str],
    lost: Collection[str],
) -> str:
    """What an expression reads that is not there; empty where all is."""
    absent = [f"field '{name}'" for name in reads if name not in fields]
    named = (
        part.name
        for part in expression.root.walk()
        if isinstance(part, QueryNode | History | HistoryRange | Gradient)
    )
    return ", ".join(
        [*absent, *(f"query '{name}'" for name in dict.fromkeys(named) if name in lost)]
    )
