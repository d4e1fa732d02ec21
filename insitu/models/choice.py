"""The model that a field's section of a run file selects.

In: a kind, or a mapping with the kind and options of its architecture; the section `network`. Out:
a `Model`, and whether its size is still open.

Where no kind is given, a field is a sparse grid: of all models it takes the fewest bytes and the
least time (docs/benchmarks.md), depends on no seed, and has no seams between blocks with ghosts.
Options that only a trained model has make it the network that it was before sparse grids existed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from insitu import models
from insitu.core.limits import changed
from insitu.models.base import Model
from insitu.models.registry import DEFAULT, NETWORK

AUTO = "auto"
"""The word for whichever model takes fewer bytes: a hash grid, or a sparse grid."""


class _Options(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True)
class ModelChoice:
    """A kind of model or `auto`, and the given options of its architecture."""

    kind: str | None = None
    """None: not given; `resolved` decides."""
    options: dict[str, Any] = field(default_factory=dict)

    def resolved(self, *, training: bool) -> ModelChoice:
        """The choice with a kind. training: whether options are given that only a trained model
        has."""
        return replace(self, kind=self._kind(training))

    def _kind(self, training: bool) -> str:
        return self.kind or (NETWORK if training else DEFAULT)

    def with_network(self, network: _Options | None = None) -> tuple[Model, bool]:
        """The model for the whole domain, and whether its size follows from the target or from the
        number of voxels. With `auto`, the network that a sparse grid competes with.

        network: the section of that name, with options of a hash grid. Raises ValueError where it
        is combined with another model, or the options do not match the kind.
        """
        given = {} if network is None else changed(network)
        kind = self._kind(bool(given))
        if given and (kind not in (NETWORK, AUTO) or self.options):
            raise ValueError(
                f"network: shapes the model {NETWORK}; give {', '.join(given)} under model"
            )
        options = self.options or given
        model = models.make(NETWORK if kind == AUTO else kind, options)
        return model, model.size_option not in options


class ModelWord:
    """A kind, `auto`, or `{kind: ..., option: value}`, with the check applied when a run file is
    read."""

    def check(self, value: Any) -> ModelChoice:
        """Raises ValueError for anything else, and for an unknown kind or option."""
        if isinstance(value, ModelChoice):
            return value
        if isinstance(value, str):
            kind, options = value, {}
        elif isinstance(value, Mapping) and isinstance(value.get("kind"), str):
            kind = value["kind"]
            options = {str(key): item for key, item in value.items() if key != "kind"}
        else:
            there = ", ".join(models.names())
            raise ValueError(f"expected a kind of model, or a mapping with `kind`: {there}")
        if value != AUTO:
            models.make(kind, options)
        return ModelChoice(kind, options)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        # A mapping may name a kind that a program registers when it runs.
        kind = {"type": "string", "enum": [AUTO, *models.names()]}
        other = {"kind": {"type": "string", "examples": models.names()}}
        return {"anyOf": [kind, {"type": "object", "properties": other, "required": ["kind"]}]}
