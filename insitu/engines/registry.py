"""Which engines there are, and which one a process or a session uses.

In: a name from a run file, INSITU_ENGINE, or `auto`. Out: an `Engine`.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from importlib.metadata import entry_points

from insitu.engines.base import Engine
from insitu.errors import nearest
from insitu.models.base import Model

SELECT = "INSITU_ENGINE"
"""Environment variable that names the engine, where a run file does not."""
AUTO = "auto"
GROUP = "insitu.engines"

# Best first, for `auto`. Each is imported when it is first asked for.
_BUILT_IN = {
    "cpu": "insitu.engines.cpu.engine:CpuEngine",
    "numpy": "insitu.engines.numpy.engine:NumpyEngine",
    "torch": "insitu.engines.torch.engine:TorchEngine",
}


def names() -> list[str]:
    """The engines that may be asked for: our own, then those of other packages."""
    return list(_places())


def engine(name: str | None = None) -> Engine:
    """The engine of a name; None or "auto": INSITU_ENGINE, else the first that can be loaded.

    One object per name and process. Not collective. ValueError for an unknown name, ImportError
    where its packages are not installed, both saying what to do.
    """
    wanted = name if name not in (None, AUTO) else os.environ.get(SELECT) or AUTO
    assert wanted is not None
    if wanted == AUTO:
        return _automatic()
    if wanted not in _places():
        there = ", ".join([AUTO, *names()])
        raise ValueError(f"engine: {wanted!r}{nearest(wanted, names())} (there are: {there})")
    return _load(wanted)


def for_model(model: Model, wanted: Engine | None = None) -> Engine:
    """The engine that computes with a model: `wanted`, by default `engine()`, where it supports the
    model; else the first of the others that does. Not collective."""
    first = engine() if wanted is None else wanted
    if first.supports(model):
        return first
    for name in _BUILT_IN:
        try:
            other = _load(name)
        except ImportError:
            continue
        if other.supports(model):
            return other
    raise ValueError(f"model {model.kind!r}: no engine supports it (asked: {first.name})")


def drawing(wanted: Engine | None = None) -> Engine:
    """The engine that draws: `wanted`, by default `engine()`, if it can; else the CPU's."""
    first = engine() if wanted is None else wanted
    return first if first.draws else _load("cpu")


def _automatic() -> Engine:
    problems = []
    for name in _BUILT_IN:
        try:
            return _load(name)
        except ImportError as error:
            problems.append(f"{name}: {error}")
    raise ImportError("no engine can be loaded: " + "; ".join(problems))


def _places() -> dict[str, str]:
    """module:class of every engine, by name; a package cannot replace one of our own."""
    others = {point.name: point.value for point in entry_points(group=GROUP)}
    return _BUILT_IN | {name: place for name, place in others.items() if name not in _BUILT_IN}


@cache
def _load(name: str) -> Engine:
    module, _, attribute = _places()[name].partition(":")
    made: Engine = getattr(importlib.import_module(module), attribute)()
    return made
