"""The schema of data in a pipeline, checked before there is any data.

In: the fields of a run. Out: after each filter, whether the data is a volume, a surface or lines,
and which fields it has; or a ValueError that says what does not match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from insitu.core.errors import nearest

VOLUME, SURFACE, LINES, POINTS = "a volume", "a surface", "lines", "points"


class UnknownField(ValueError):
    """A field that does not exist was requested."""


@dataclass(frozen=True)
class DataSchema:
    """Kind and fields of some data. Immutable; the same on every rank."""

    fields: Mapping[str, int | None]
    """Field name -> number of components; None if not known yet."""
    kind: str = VOLUME
    """VOLUME, SURFACE, LINES or POINTS."""
    made_by: str = ""
    """The type of the filter that produced this kind of data, for messages."""
    computed: frozenset[str] = frozenset()
    """The fields added by filters."""
    cut_by: tuple[str, ...] = ()
    """The types of the filters that removed parts of it."""

    def field(self, name: str, key: str = "field") -> int | None:
        """The number of components of a field. Raises UnknownField, which suggests a similar
        name."""
        if name not in self.fields:
            hint = nearest(str(name), self.fields)
            there = f" (there are {', '.join(self.fields) or 'none'})"
            whose = f"in the output of {self.made_by}" if self.made_by else "recorded by this run"
            raise UnknownField(f"{key}: no field {name!r} {whose}{hint or there}")
        return self.fields[name]

    def scalar(self, name: str, key: str = "field") -> None:
        """Raises ValueError if the field does not exist or is known to be a vector."""
        components = self.field(name, key)
        if components is not None and components > 1:
            raise ValueError(
                f"{key}: {name!r} has {components} components; expected a scalar: apply "
                f"vector_magnitude or vector_component first"
            )

    def vector(self, name: str, key: str = "field") -> None:
        """Raises ValueError if the field does not exist or is known not to have x, y and z, or, in
        a plane, x and y."""
        components = self.field(name, key)
        if components not in (None, 2, 3):
            raise ValueError(f"{key}: {name!r} has {components} components; expected a vector of 3")

    def recorded(self, name: str, filter_type: str, key: str = "field") -> None:
        """Raises ValueError if the field does not exist or is not a recorded one."""
        self.field(name, key)
        if name in self.computed:
            raise ValueError(
                f"{key}: {name!r} is computed by a filter; {filter_type} needs a recorded field"
            )
        if self.cut_by:
            raise ValueError(
                f"type: {filter_type} needs complete fields; put it before {self.cut_by[-1]}"
            )

    def volume(self, filter_type: str) -> None:
        """Raises ValueError if this is not a volume."""
        if self.kind != VOLUME:
            raise ValueError(
                f"type: {filter_type} needs a volume, but {self.made_by} before it produces "
                f"{self.kind}; put it earlier"
            )

    def became(self, kind: str, made_by: str) -> DataSchema:
        return replace(self, kind=kind, made_by=made_by)

    def plus(self, name: str, components: int | None) -> DataSchema:
        """With one more field, or one that replaces a field of the same name."""
        return replace(
            self,
            fields={**self.fields, name: components},
            computed=self.computed | {name},
        )
