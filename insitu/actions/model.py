"""All that a run file asks for, as plain frozen data.

In: what the readers make of Ascent's words. Out: what the session acts on, the same on every rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from insitu.queries.expressions import Expression, FieldKind
from insitu.queries.triggers import Query, Trigger
from insitu.store.timestep import Span, TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


class Action(Protocol):
    """A scene or an extract: what is done with recorded steps."""

    @property
    def name(self) -> str: ...

    @property
    def what(self) -> str:
        """ "scene" or "extract"."""

    @property
    def window(self) -> Span:
        """For how many of the recorded steps it is done, the newest being the first; or all."""

    @property
    def reads(self) -> frozenset[str] | None:
        """The recorded fields that it reads at a step; None: any."""

    @property
    def past(self) -> frozenset[str] | None:
        """Those of which it reads earlier steps; None: any."""

    def check_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """ValueError where it takes a field for what it is not."""

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Do it at these steps, oldest first -> the files written, on all ranks. Collective.

        Raises the same on every rank: RemoteError, or ValueError."""


@dataclass(frozen=True)
class Actions:
    """All that is to be done. Scenes and extracts are done at every step that is due for the
    window; those of a trigger when it fires."""

    queries: tuple[Query, ...] = ()
    triggers: tuple[Trigger[Action], ...] = ()
    due: tuple[Action, ...] = ()
    """Scenes, then extracts, in their order."""

    @property
    def expressions(self) -> list[tuple[str, Expression]]:
        """Of all queries and triggers, each with the words for whose it is."""
        found = [(f"query {q.name}", q.expression) for q in self.queries]
        return found + [
            (f"trigger {t.name}", t.condition) for t in self.triggers if t.condition is not None
        ]

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that queries and triggers read."""
        names: set[str] = set()
        for query in self.queries:
            names |= query.reads
        for trigger in self.triggers:
            if trigger.condition is not None:
                names |= set(trigger.condition.reads)
        return frozenset(names)

    @property
    def every(self) -> Iterator[tuple[str, Action]]:
        """All scenes and extracts, those of triggers too, each with the words for whose it is."""
        for action in self.due:
            yield f"{action.what} {action.name}", action
        for trigger in self.triggers:
            for action in trigger.actions:
                yield f"trigger {trigger.name}, {action.what} {action.name}", action
