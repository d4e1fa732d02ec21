"""The run file's section `ascent`: what goes back to the Ascent that insitu is an extract of.

In: the section. Out: what to publish, checked but for the names of fields and triggers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from insitu.core.limits import Range, Section


@dataclass(frozen=True, kw_only=True)
class IsosurfaceConfig(Section):
    """Surfaces on which the newest recorded step of a field has given values."""

    field: str
    """Name of a recorded field."""
    isovalues: tuple[float, ...]
    """Values of the surfaces, in the field's unit."""
    component: Annotated[int, Range(0, 2)] | None = None
    """Of a vector, counted from 0; default: its magnitude."""
    color_by: tuple[str, ...] = ()
    """Further fields, whose values come along."""


@dataclass(frozen=True, kw_only=True)
class SliceConfig(Section):
    """A plane through the domain, with fields of the newest recorded step on it."""

    fields: tuple[str, ...]
    """Names of recorded fields."""
    origin: tuple[float, float, float]
    """A point of the plane, x, y, z."""
    normal: tuple[float, float, float]
    """Direction across the plane."""


@dataclass(frozen=True, kw_only=True)
class DecodedConfig(Section):
    """The blocks of a recorded step, decoded: a rectilinear grid each, without ghosts."""

    fields: tuple[str, ...]
    """Names of recorded fields."""
    step: Annotated[int, Range(-1_000_000, 0, "steps")] = 0
    """Recorded steps back from the newest, as in field('p', step=-3); until there are so many,
    nothing is published."""


@dataclass(frozen=True, kw_only=True)
class PublishConfig(Section):
    """One mesh for a nested Ascent: exactly one of the kinds, and what Ascent does with it."""

    isosurface: IsosurfaceConfig | None = None
    """Surfaces of a field."""
    slice: SliceConfig | None = None
    """A plane."""
    decoded: DecodedConfig | None = None
    """Decoded blocks."""
    trigger: str | None = None
    """Only when this trigger fires; default: at every recorded step."""
    actions: tuple[Any, ...] = ()
    """Ascent's actions, in Ascent's words, also from an `actions_file`; insitu hands them on."""

    def __post_init__(self) -> None:
        """Raises ValueError for none or several kinds, or nothing to do."""
        kinds = [kind for kind in ("isosurface", "slice", "decoded") if getattr(self, kind)]
        if len(kinds) != 1:
            given = ", ".join(kinds) or "none"
            raise ValueError(f"{given} given; expected one of isosurface, slice, decoded")
        if not self.actions:
            raise ValueError("no actions; expected actions or actions_file, for Ascent to do")

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that it reads."""
        if self.isosurface:
            return (self.isosurface.field, *self.isosurface.color_by)
        plain = self.slice or self.decoded
        assert plain is not None
        return plain.fields


@dataclass(frozen=True, kw_only=True)
class AscentConfig(Section):
    """What goes back to Ascent; without it, or without Ascent, nothing does."""

    publish: dict[str, PublishConfig] = field(default_factory=dict)
    """Meshes, by names that only messages show."""
