"""What data are like, as far as it is known before there are any.

In: the fields of a run. Out: after each filter, whether there is a volume, a surface or lines, and
which fields are on it; or a ValueError that says what does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from insitu.core.errors import nearest

VOLUME, SURFACE, LINES, POINTS = "a volume", "a surface", "lines", "points"


class UnknownField(ValueError):
    """A field is asked for that is not there."""


@dataclass(frozen=True)
class DataSchema:
    """Immutable; the same on every rank."""

    fields: Mapping[str, int | None]
    """By name, the components of each; None where that is not known yet."""
    kind: str = VOLUME
    """VOLUME, SURFACE, LINES or POINTS."""
    made_by: str = ""
    """The type of the filter that made it what it is, for messages."""
    computed: frozenset[str] = frozenset()
    """The fields that filters added."""
    cut_by: tuple[str, ...] = ()
    """The types of the filters that left a part of it."""

    def field(self, name: str, key: str = "field") -> int | None:
        """The components of a field. UnknownField with the nearest name where there is none."""
        if name not in self.fields:
            hint = nearest(str(name), self.fields)
            there = f" (there are {', '.join(self.fields) or 'none'})"
            whose = f"on what {self.made_by} gives" if self.made_by else "that this run records"
            raise UnknownField(f"{key}: {name!r} is not among the fields {whose}{hint or there}")
        return self.fields[name]

    def scalar(self, name: str, key: str = "field") -> None:
        """ValueError where there is no such field, or it is known to be a vector."""
        components = self.field(name, key)
        if components is not None and components > 1:
            raise ValueError(
                f"{key}: {name!r} has {components} components, and a scalar is needed; take "
                f"vector_magnitude or vector_component of it first"
            )

    def vector(self, name: str, key: str = "field") -> None:
        """ValueError where there is no such field, or it is known not to have x, y and z."""
        components = self.field(name, key)
        if components not in (None, 3):
            raise ValueError(f"{key}: {name!r} has {components} components; a vector has 3")

    def recorded(self, name: str, filter_type: str, key: str = "field") -> None:
        """ValueError where there is no such field, or it is not one as the run records it."""
        self.field(name, key)
        if name in self.computed:
            raise ValueError(
                f"{key}: {name!r} is computed, and {filter_type} reads recorded fields"
            )
        if self.cut_by:
            raise ValueError(
                f"type: {filter_type} reads whole fields, and {self.cut_by[-1]} comes before it"
            )

    def volume(self, filter_type: str) -> None:
        """ValueError where this is no volume any more."""
        if self.kind != VOLUME:
            raise ValueError(
                f"type: {filter_type} works on a volume, and what comes before it, "
                f"{self.made_by}, gives {self.kind}; put it earlier"
            )

    def became(self, kind: str, made_by: str) -> DataSchema:
        return replace(self, kind=kind, made_by=made_by)

    def plus(self, name: str, components: int | None) -> DataSchema:
        """With another field, or another of the same name."""
        return replace(
            self,
            fields={**self.fields, name: components},
            computed=self.computed | {name},
        )
