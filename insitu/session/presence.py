"""Which fields that something reads are there, step by step.

In: the fields of a step. Out: those that are missing or cannot be read, each told once; an error
if none is there.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from insitu.actions import Actions
from insitu.config import RunConfig
from insitu.core.errors import nearest
from insitu.session.check import check_step, published_names, require_readable
from insitu.session.step_fields import StepFields

if TYPE_CHECKING:
    from mpi4py import MPI


class Presence:
    """Remembers which fields were not there; the same on every rank."""

    def __init__(self, comm: MPI.Comm, run: RunConfig, wanted: Actions) -> None:
        """Not collective."""
        self.comm, self.run, self.wanted = comm, run, wanted
        self.absent: frozenset[str] = frozenset()
        """Fields that were not there at the last step that was looked at, and those of their
        components that were not."""
        self._checked: frozenset[str] | None = None  # what was missing at the last check
        self._told: set[str] = set()

    def require_all(self, step: StepFields) -> None:
        """Check a step that has to have all fields. Collective; raises as `check_step`."""
        require_readable(step)
        check_step(self.comm, self.run, self.wanted, step, published_names(self.comm, step))
        self._checked = self.absent = frozenset()

    def missing(self, step: StepFields) -> frozenset[str]:
        """The fields that something reads and that are not there, or cannot be read. Not
        collective."""
        wanted = dict.fromkeys([*self.run.fields, *sorted(self.wanted.fields)])
        return frozenset(name for name in wanted if name not in step.present)

    def look(self, step: StepFields) -> list[str]:
        """Check a step that may lack fields, and return what to tell of those that are missing for
        the first time. Collective where other fields are missing than at the step before.

        Raises: as `check_step`, for what else is wrong, or if all fields are missing.
        """
        missing = self.missing(step)
        if missing == self._checked:
            return []
        published = published_names(self.comm, step)
        lacking = {
            name: [part for part in self._parts(name) if part not in published]
            for name in sorted(missing)
        }
        absent = frozenset(part for name, parts in lacking.items() for part in (name, *parts))
        # The rest is checked as if the run file named no other fields; expressions may read them.
        there = {n: field for n, field in self.run.fields.items() if n not in missing}
        if not there and not step.present:
            require_readable(step)
            absent = frozenset()
        run = dataclasses.replace(self.run, fields=there if absent else self.run.fields)
        check_step(self.comm, run, self.wanted, step, published | absent, absent)
        parts_of = {part for name, parts in lacking.items() for part in parts if part != name}
        new = sorted(missing - parts_of - self._told)
        self._told |= missing
        self._checked, self.absent = missing, absent
        return [self._text(name, lacking[name], published, step) for name in new]

    def _parts(self, name: str) -> tuple[str, ...]:
        field = self.run.fields.get(name)
        return tuple(field.components) if field is not None and field.components else (name,)

    def _text(self, name: str, parts: list[str], published: set[str], step: StepFields) -> str:
        recorded = name in self.run.fields
        of = f"fields.{name}: " if recorded else ""
        later = f"; {name} is recorded when it does" if recorded else ""
        if name in step.unreadable:
            text = f"{of}{step.unreadable[name]}; {name} is left out as long as it is so"
        elif parts:
            which = " and ".join(f"'{part}'" for part in parts)
            hint = nearest(parts[0], published) or f" (there are {', '.join(sorted(published))})"
            text = f"{of}the simulation publishes no field {which}{hint}{later}"
        else:
            text = f"{of}no domain with cells has the field '{name}'{later}"
        if not self.wanted.fields.isdisjoint({name, *parts}):
            text += "; queries and triggers that read it have no value before"
        return text
