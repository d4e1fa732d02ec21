"""Which kinds of models there are.

In: a kind, from a run file or the header of a frame; a class of one's own. Out: the class, models.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from insitu.core.errors import nearest
from insitu.models.base import Model

GROUP = "insitu.models"
DEFAULT = "hash_grid"

# Each is imported when it is first asked for.
_BUILT_IN = {
    "hash_grid": "insitu.models.hash_grid.model:HashGrid",
    "dense_grid": "insitu.models.dense_grid.model:DenseGrid",
}
_registered: dict[str, type[Model]] = {}


def register(model: type[Model]) -> type[Model]:
    """Add a kind of model for this process; also as a decorator. On every rank alike, before run
    files that name it are read. ValueError where another class has its name."""
    known = _registered.get(model.kind)
    if model.kind in _BUILT_IN or (known is not None and known is not model):
        raise ValueError(f"model {model.kind!r}: there is another of this name")
    _registered[model.kind] = model
    return model


def names() -> list[str]:
    """The kinds that may be asked for: our own, those registered, those of installed packages."""
    return list(dict.fromkeys([*_BUILT_IN, *_registered, *_of_packages()]))


def model_class(kind: Any) -> type[Model]:
    """The class of a kind. ValueError with the nearest name, and those that there are, for one that
    is not known; ImportError where its package cannot be loaded."""
    if kind in _registered:
        return _registered[kind]
    if isinstance(kind, str) and kind in _BUILT_IN:
        module, _, name = _BUILT_IN[kind].partition(":")
        found: type[Model] = getattr(importlib.import_module(module), name)
        return found
    packages = _of_packages()
    if isinstance(kind, str) and kind in packages:
        loaded: type[Model] = packages[kind].load()
        return loaded
    hint = nearest(kind, names()) if isinstance(kind, str) else ""
    raise ValueError(f"{kind!r} is not a kind of model{hint} (there are: {', '.join(names())})")


def to_dict(model: Model) -> dict[str, Any]:
    """JSON-able: the model's shape and its kind."""
    return {"kind": model.kind, **model.to_dict()}


def from_dict(data: Any) -> Model:
    """The model again. ValueError where the data, from whoever, are not those of one."""
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise ValueError("expected a mapping with the kind of a model")
    shape = {key: value for key, value in data.items() if key != "kind"}
    return model_class(data["kind"]).from_dict(shape)


def make(kind: str, options: Mapping[str, Any]) -> Model:
    """A model of the shape that a run file describes, with defaults for what it leaves out.

    ValueError for a kind or an option that is not known, or a value that is not possible.
    """
    made = model_class(kind)
    known = [field.name for field in dataclasses.fields(made) if field.name != "n_outputs"]  # type: ignore[arg-type]
    for key in options:
        if key not in known:
            there = ", ".join(known) or "none"
            raise ValueError(
                f"{key}: model {kind} has no such option{nearest(str(key), known)} (there are: "
                f"{there})"
            )
    try:
        model = made(**options)
        return made.from_dict(model.to_dict())
    except (TypeError, ValueError) as error:
        raise ValueError(f"model {kind}: {error}") from None


def _of_packages() -> dict[str, EntryPoint]:
    """By kind; a package cannot replace one of our own."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _BUILT_IN}
