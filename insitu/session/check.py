"""Checks what a simulation publishes against the run file.

In: the fields of the first step. Out: nothing, or what does not fit, on every rank.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from insitu import actions
from insitu.actions import Action, Actions
from insitu.config import RunConfig
from insitu.core.errors import ConfigError
from insitu.core.parallel import together
from insitu.queries.expressions import FieldKind
from insitu.session.step_fields import StepFields

if TYPE_CHECKING:
    from mpi4py import MPI


def published_names(comm: MPI.Comm, fields: StepFields) -> set[str]:
    """The names of the fields that any rank publishes. Collective: RemoteError on every rank,
    naming the path of the tree that is wrong."""
    names: list[str] = []
    with together(comm, "mesh"):
        names = fields.published.field_names
    return set().union(*comm.allgather(names))


def require_readable(fields: StepFields) -> None:
    """RemoteError, on every rank, for a field that something reads and that cannot be read. Not
    collective."""
    for error in fields.unreadable.values():
        raise error


def check_step(
    comm: MPI.Comm,
    run: RunConfig,
    wanted: Actions,
    fields: StepFields,
    published: set[str],
    absent: Collection[str] = (),
) -> None:
    """Compare a step with the run file. Collective.

    Args:
        published: the names that any rank publishes, and those that are absent.
        absent: fields that may come later, of which nothing is known yet.

    Raises: ConfigError on every rank, naming what is asked for and not published, fields that are
        not the same kind of thing everywhere (reducing a scalar with a vector would fail half-way),
        and expressions that take a field for what it is not; RemoteError on every rank, naming the
        path of the tree that is wrong.
    """
    # Every rank checks the same names, and comes to the same end.
    actions.check_fields(run, wanted, published)
    asked_for = dict.fromkeys([*run.fields, *sorted(wanted.fields)])
    there = [name for name in asked_for if name not in absent]
    fields.prepare(there)
    mine: dict[str, set[tuple[str, int]]] = {}
    with together(comm, "mesh"):
        for name in there:
            blocks = fields.owned(name)
            mine[name] = {(b.association, b.n_components) for b in blocks}
    everyone = comm.allgather(mine)
    known: dict[str, FieldKind] = {}
    for name in there:
        kinds = sorted(set().union(*(kinds[name] for kinds in everyone)))
        if len(kinds) > 1:
            differ = " and ".join(f"{where}, components: {n}" for where, n in kinds)
            raise ConfigError([f"fields.{name}: blocks differ: {differ}"])
        if kinds:
            known[name] = FieldKind(*kinds[0])
    actions.check_kinds(_without(wanted, frozenset(absent)), known)


def reads_any(action: Action, names: Collection[str]) -> bool:
    """Whether a scene or an extract names one of these fields. Not collective."""
    return not (action.reads or frozenset()).isdisjoint(names)


def _without(wanted: Actions, absent: frozenset[str]) -> Actions:
    """What can be checked as long as nothing is known of these fields."""
    left, _ = actions.without_fields(wanted, wanted.fields - absent)
    triggers = (
        replace(trigger, actions=tuple(a for a in trigger.actions if not reads_any(a, absent)))
        for trigger in left.triggers
    )
    due = tuple(action for action in left.due if not reads_any(action, absent))
    return replace(left, triggers=tuple(triggers), due=due)
