"""The engines that may be asked for, whether they work here, and which one is used.

In: models to ask them about. Out: plain data, for `insitu info --engines`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from insitu.engines import registry
from insitu.models.base import Model


@dataclass(frozen=True)
class EngineEntry:
    """One engine; where it cannot be loaded, all but its name and `problem` is empty."""

    name: str
    device: str = ""
    models: tuple[str, ...] = ()
    """Kinds that it supports."""
    draws: bool = False
    chosen: str = ""
    """Why this one is used; empty where it is not."""
    problem: str = ""
    """Why it cannot be loaded, and what to do."""


def list_engines(models: Iterable[Model], wanted: str | None = None) -> list[EngineEntry]:
    """All engines, in the order of preference. wanted: as a run file asks for it. Not collective.

    Raises ValueError where an engine is asked for that does not exist, ImportError where it cannot
    be loaded.
    """
    choice = registry.choose(wanted)
    of = list(models)
    return [_entry(name, choice, of) for name in registry.names()]


def _entry(name: str, choice: registry.Choice, models: list[Model]) -> EngineEntry:
    try:
        engine = registry.load(name)
    except ImportError as error:
        return EngineEntry(name, problem=str(error))
    return EngineEntry(
        name,
        device=engine.device,
        models=tuple(model.kind for model in models if engine.supports(model)),
        draws=engine.draws,
        chosen=choice.reason if choice.engine is engine else "",
    )
