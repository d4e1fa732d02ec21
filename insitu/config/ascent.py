"""The run file's section `ascent`: what insitu, as an extract of Ascent, publishes back to it.

In: the section. Out: what to publish, checked but for the names of fields and triggers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from insitu.core.code import refusal
from insitu.core.limits import Range, Section


@dataclass(frozen=True, kw_only=True)
class IsosurfaceConfig(Section):
    """Isosurfaces of the newest recorded step of a field."""

    field: str
    """Name of a recorded field."""
    isovalues: tuple[float, ...]
    """In the field's unit."""
    component: Annotated[int, Range(0, 2)] | None = None
    """Component of a vector, from 0; default: the magnitude."""
    color_by: tuple[str, ...] = ()
    """Other fields to publish on the surface."""


@dataclass(frozen=True, kw_only=True)
class SliceConfig(Section):
    """A plane through the domain with fields of the newest recorded step."""

    fields: tuple[str, ...]
    """Names of recorded fields."""
    origin: tuple[float, float, float]
    """A point in the plane, x, y, z."""
    normal: tuple[float, float, float]
    """Normal of the plane."""


@dataclass(frozen=True, kw_only=True)
class DecodedConfig(Section):
    """The decoded blocks of a recorded step: one rectilinear grid each, without ghosts."""

    fields: tuple[str, ...]
    """Names of recorded fields."""
    step: Annotated[int, Range(-1_000_000, 0, "steps")] = 0
    """Which recorded step, counted back from the newest, as in field('p', step=-3); nothing is
    published until that many exist."""


@dataclass(frozen=True, kw_only=True)
class PublishConfig(Section):
    """One mesh for a nested Ascent: exactly one of `isosurface`, `slice` and `decoded`, and what
    Ascent does with it."""

    isosurface: IsosurfaceConfig | None = None
    """Isosurfaces of a field."""
    slice: SliceConfig | None = None
    """A plane."""
    decoded: DecodedConfig | None = None
    """Decoded blocks."""
    trigger: str | None = None
    """Publish only when this trigger fires; default: at every recorded step."""
    actions: tuple[Any, ...] = ()
    """Actions for the nested Ascent, passed on as they are."""

    def __post_init__(self) -> None:
        """Raises ValueError for none or several kinds, or nothing to do."""
        kinds = [kind for kind in ("isosurface", "slice", "decoded") if getattr(self, kind)]
        if len(kinds) != 1:
            given = ", ".join(kinds) or "none"
            raise ValueError(f"{given} given; expected one of isosurface, slice, decoded")
        if _has_script(list(self.actions)) and (refused := refusal("an extract")):
            raise ValueError(f"actions: {refused}")
        if not self.actions:
            raise ValueError("no actions given; expected actions or actions_file for Ascent to run")

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that it reads."""
        if self.isosurface:
            return (self.isosurface.field, *self.isosurface.color_by)
        plain = self.slice or self.decoded
        assert plain is not None
        return plain.fields


def _has_script(tree: Any) -> bool:
    """Whether actions for Ascent have a python extract."""
    if isinstance(tree, dict):
        return tree.get("type") == "python" or any(map(_has_script, tree.values()))
    return isinstance(tree, list | tuple) and any(map(_has_script, tree))


@dataclass(frozen=True, kw_only=True)
class AscentConfig(Section):
    """What insitu publishes back to Ascent; needs an Ascent that runs insitu as an extract."""

    publish: dict[str, PublishConfig] = field(default_factory=dict)
    """Meshes to publish, by names of your own, which appear in messages."""
