"""Which fields of the run file the simulation publishes, at the first step and later.

In: the fields of a step. Out: those that are missing, told once; an error if none is there.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from insitu.actions import Actions
from insitu.config import RunConfig
from insitu.core.errors import nearest
from insitu.session.check import check_step, published_names
from insitu.session.step_fields import StepFields

if TYPE_CHECKING:
    from mpi4py import MPI


class Presence:
    """Remembers which fields have not come yet; the same on every rank."""

    def __init__(self, comm: MPI.Comm, run: RunConfig, wanted: Actions) -> None:
        """Not collective."""
        self.comm, self.run, self.wanted = comm, run, wanted
        self.complete = False
        """All fields are there, and were checked."""
        self.absent: frozenset[str] = frozenset()
        """Fields that were not published at the last step that was looked at, and those of their
        components that were not."""
        self._checked: frozenset[str] | None = None  # what was absent at the last check
        self._told: set[str] = set()

    def require_all(self, step: StepFields) -> None:
        """Check a step that has to have all fields. Collective; raises as `check_step`."""
        check_step(self.comm, self.run, self.wanted, step, published_names(self.comm, step))
        self.complete, self.absent = True, frozenset()

    def look(self, step: StepFields) -> list[str]:
        """Check a step that may lack fields, and return what to tell of those that are missing for
        the first time. Collective.

        Raises: as `check_step`, for what else is wrong, or if all fields are missing.
        """
        published = published_names(self.comm, step)
        missing = {
            name: [part for part in field.components or (name,) if part not in published]
            for name, field in self.run.fields.items()
        }
        without = {name for name, parts in missing.items() if parts}
        absent = frozenset(part for name in without for part in (name, *missing[name]))
        if absent == self._checked:
            self.absent = absent
            return []
        # The rest is checked as if the run file named no other fields; expressions may read them.
        there = {n: field for n, field in self.run.fields.items() if n not in without}
        run = dataclasses.replace(self.run, fields=there or self.run.fields)
        awaited = absent if there else frozenset()
        check_step(self.comm, run, self.wanted, step, published | awaited, awaited)
        new = sorted(without - self._told)
        self._told |= without
        self._checked = self.absent = absent
        self.complete = not absent
        return [self._text(name, missing[name], published) for name in new]

    def _text(self, name: str, parts: list[str], published: set[str]) -> str:
        which = " and ".join(f"'{part}'" for part in parts)
        hint = nearest(parts[0], published) or f" (there are {', '.join(sorted(published))})"
        text = (
            f"fields.{name}: the simulation publishes no field {which}{hint}; {name} is recorded "
            f"when it does"
        )
        if not self.wanted.fields.isdisjoint({name, *parts}):
            text += "; no query or trigger is evaluated before, since some read it"
        return text
