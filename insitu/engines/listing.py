"""List of the available engines, whether they can be loaded, and which one is used.

In: models to check for support. Out: plain data, for `insitu info --engines`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from insitu.engines import registry
from insitu.models.base import Model


@dataclass(frozen=True)
class EngineEntry:
    """One engine. Where it cannot be loaded, everything except its name and `problem` is empty."""

    name: str
    device: str = ""
    models: tuple[str, ...] = ()
    """Supported kinds of models."""
    draws: bool = False
    chosen: str = ""
    """Why this engine is used; empty where it is not."""
    problem: str = ""
    """Why it cannot be loaded, and what to do."""


def list_engines(models: Iterable[Model], wanted: str | None = None) -> list[EngineEntry]:
    """All engines, in order of preference. wanted: the run file's `engine`. Not collective.

    Raises ValueError where the selected engine does not exist, ImportError where it cannot be
    loaded.
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
