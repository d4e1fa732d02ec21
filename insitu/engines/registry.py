"""The registry of engines, and the choice of one for a process or a session.

In: a name from a run file, INSITU_ENGINE, or `auto`. Out: an `Engine`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import NamedTuple

from insitu.core.errors import nearest
from insitu.engines.base import Engine
from insitu.models.base import Model

SELECT = "INSITU_ENGINE"
"""Environment variable that names the engine, where a run file does not."""
AUTO = "auto"
GROUP = "insitu.engines"

# Best first, for `auto`. Each is imported on first use.
_BUILT_IN = {
    "cpu": "insitu.engines.cpu.engine:CpuEngine",
    "numpy": "insitu.engines.numpy.engine:NumpyEngine",
    "torch": "insitu.engines.torch.engine:TorchEngine",
    "cuda": "insitu.engines.cuda.engine:CudaEngine",
    "tinycudann": "insitu.engines.torch.tinycudann.engine:TinyCudaEngine",
}


_current: ContextVar[Engine | None] = ContextVar("engine in use", default=None)


def names() -> list[str]:
    """The available engines: built-in ones, then those of other packages."""
    return list(_places())


class Choice(NamedTuple):
    """An engine, and why it is used."""

    engine: Engine
    reason: str


def engine(name: str | None = None) -> Engine:
    """The engine of a name; for "auto", that of INSITU_ENGINE, or else the first that can be
    loaded; for None, the one in use (`using`), or else as for "auto".

    One object per name and process. Not collective. Raises ValueError for an unknown name,
    ImportError where its packages are not installed; both say what to do.
    """
    return choose(name).engine


def choose(name: str | None = None) -> Choice:
    """As `engine`, with the reason."""
    current = _current.get()
    if name is None and current is not None:
        return Choice(current, "in use by the session")
    if name not in (None, AUTO):
        return Choice(load(name), f"asked for as engine: {name}")
    wanted = os.environ.get(SELECT) or AUTO
    if wanted == AUTO:
        return _automatic()
    try:
        return Choice(load(wanted), f"asked for by {SELECT}")
    except ValueError as error:
        raise ValueError(f"{SELECT}: {error}") from None


@contextmanager
def using(chosen: Engine) -> Iterator[None]:
    """Context in which `chosen` is the default engine: of a session, for all that it trains, reads
    and draws. The setting is local to the current context (a context variable)."""
    before = _current.set(chosen)
    try:
        yield
    finally:
        _current.reset(before)


def load(name: str) -> Engine:
    """The engine of exactly this name. Raises as `engine`."""
    if name not in _BUILT_IN and name not in _places():
        there = ", ".join([AUTO, *names()])
        raise ValueError(f"engine: {name!r}{nearest(name, names())} (there are: {there})")
    return _load(name)


def for_model(model: Model, wanted: Engine | None = None) -> Engine:
    """The engine for a model: `wanted`, by default `engine()`, where it supports the model;
    otherwise the first one that does. Not collective."""
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


def drawing(wanted: Engine | None = None, model: Model | None = None) -> Engine:
    """The engine for rendering: `wanted`, by default `engine()`, if it can; otherwise `cpu`. model:
    what is to be marched, if it is a model."""
    first = engine() if wanted is None else wanted
    if first.draws or (model is not None and first.marches(model)):
        return first
    return _load("cpu")


def _automatic() -> Choice:
    problems = []
    for name in _BUILT_IN:
        try:
            found = _load(name)
        except ImportError as error:
            problems.append(str(error))
        else:
            return Choice(found, "; ".join([*problems, f"{AUTO}: the first that can be loaded"]))
    raise ImportError("no engine can be loaded: " + "; ".join(problems))


def _places() -> dict[str, str]:
    """module:class of every engine, by name; a package cannot replace a built-in engine."""
    from importlib.metadata import entry_points  # 1.5 MB a rank, which a run seldom needs

    others = {point.name: point.value for point in entry_points(group=GROUP)}
    return _BUILT_IN | {name: place for name, place in others.items() if name not in _BUILT_IN}


@cache
def _load(name: str) -> Engine:
    place = _BUILT_IN.get(name) or _places()[name]
    module, _, attribute = place.partition(":")
    try:
        made = getattr(importlib.import_module(module), attribute)()
    except ModuleNotFoundError as error:
        # The packages of built-in engines are in extras of the same names.
        missing = (
            f"pip install 'insitu-inr[{name}]'" if name in _BUILT_IN else f"install {error.name}"
        )
        raise ImportError(f"engine {name!r}: {error}; {missing}") from error
    except (ImportError, AttributeError) as error:
        raise ImportError(f"engine {name!r}: {error}") from error
    if not isinstance(made, Engine):
        raise ImportError(f"engine {name!r}: {place} is not an insitu.engines.base.Engine")
    return made
