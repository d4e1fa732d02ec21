"""Functions that read one thing from a published tree.

In: a Blueprint tree, as `PublishedStep` takes it. Out: its state, field names or partitions. To
read more than one of them, use a `PublishedStep`, which reads the tree once.
"""

from __future__ import annotations

from collections.abc import Sequence

from insitu.mesh.partition import Partition
from insitu.mesh.published_step import GHOST_FIELD, PublishedStep, State


def state(tree: object) -> State:
    """As `PublishedStep.state`. Not collective."""
    return PublishedStep(tree).state


def field_names(
    tree: object, *, ghost_field: str | Sequence[str] | None = GHOST_FIELD
) -> list[str]:
    """As `PublishedStep.field_names`. Not collective."""
    return PublishedStep(tree, ghost_field=ghost_field).field_names


def verify(
    tree: object,
    fields: Sequence[str] | None = None,
    *,
    ghost_field: str | Sequence[str] | None = GHOST_FIELD,
) -> None:
    """As `PublishedStep.verify`. Not collective."""
    PublishedStep(tree, ghost_field=ghost_field).verify(fields)


def partitions(
    tree: object,
    field: str | Sequence[str],
    *,
    name: str | None = None,
    ghosts: str = "trust",
    ghost_field: str | Sequence[str] | None = GHOST_FIELD,
) -> list[Partition]:
    """As `PublishedStep.partitions`. Not collective: a single rank can fail, so call it inside
    `parallel.together`."""
    step = PublishedStep(tree, ghost_field=ghost_field)
    return step.partitions(field, name=name, ghosts=ghosts)
