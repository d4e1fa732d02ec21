"""The registry of models.

In: a kind, from a run file or the header of a frame; a user's own class. Out: the class, models.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from insitu.core.errors import nearest
from insitu.models.base import Model

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "insitu.models"
DEFAULT = "sparse_grid"
"""The kind of model that a field gets where nothing else is said."""
NETWORK = "hash_grid"
"""The network: what it gets where options are given that only a trained model has."""

# Each is imported on first use.
BUILT_IN = {
    "hash_grid": "insitu.models.hash_grid.model:HashGrid",
    "dense_grid": "insitu.models.dense_grid.model:DenseGrid",
    "adaptive_grid": "insitu.models.adaptive_grid.model:AdaptiveGrid",
    "gaussians": "insitu.models.gaussians.model:Gaussians",
    "sparse_grid": "insitu.models.sparse_grid.model:SparseGrid",
}
_registered: dict[str, type[Model]] = {}


def register(model: type[Model]) -> type[Model]:
    """Add a kind of model in this process; can be used as a decorator. To be called on every rank,
    before run files that name it are read. Raises ValueError where another class has its name."""
    known = _registered.get(model.kind)
    if model.kind in BUILT_IN or (known is not None and known is not model):
        raise ValueError(f"model {model.kind!r}: this name is already registered")
    _registered[model.kind] = model
    return model


def names() -> list[str]:
    """The available kinds: built-in ones, registered ones, those of installed packages."""
    return list(dict.fromkeys([*BUILT_IN, *_registered, *_of_packages()]))


def model_class(kind: Any) -> type[Model]:
    """The class of a kind. Raises ValueError, with a suggestion and the valid names, for an unknown
    kind; ImportError where its package cannot be loaded."""
    if kind in _registered:
        return _registered[kind]
    if isinstance(kind, str) and kind in BUILT_IN:
        module, _, name = BUILT_IN[kind].partition(":")
        found: type[Model] = getattr(importlib.import_module(module), name)
        return found
    packages = _of_packages()
    if isinstance(kind, str) and kind in packages:
        loaded: type[Model] = packages[kind].load()
        return loaded
    hint = nearest(kind, names()) if isinstance(kind, str) else ""
    raise ValueError(f"{kind!r} is not a kind of model{hint} (there are: {', '.join(names())})")


def to_dict(model: Model) -> dict[str, Any]:
    """The model's architecture and kind, as JSON-serializable data."""
    return {"kind": model.kind, **model.to_dict()}


def from_dict(data: Any) -> Model:
    """The model of untrusted data from `to_dict`. Raises ValueError where they are invalid."""
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise ValueError("expected a mapping with the kind of a model")
    shape = {key: value for key, value in data.items() if key != "kind"}
    return model_class(data["kind"]).from_dict(shape)


def make(kind: str, options: Mapping[str, Any]) -> Model:
    """A model as described by a run file, with defaults for omitted options.

    Raises ValueError for an unknown kind or option, or an invalid value.
    """
    made = model_class(kind)
    known = [
        field.name
        for field in dataclasses.fields(made)  # type: ignore[arg-type]
        if field.name != "n_outputs" and not field.metadata.get("fitted")
    ]
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
    """Entry points by kind; a package cannot replace a built-in model."""
    from importlib.metadata import entry_points  # 1.5 MB a rank, which a run seldom needs

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}
