"""What all models of actions have in common: how they check their keys, and say what is wrong.

In: plain data from a run file. Out: a frozen model, or InvalidAction with every wrong value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pydantic
from pydantic_core import core_schema

from insitu.actions.errors import InvalidAction, inside, keys, one_of, shown
from insitu.core.yaml_tree import KeyPath
from insitu.filters.schema import UnknownField

M = TypeVar("M", bound="ActionModel")

REFERENCE = "insitu:reference"
"""In a JSON schema: stands for {"$ref": "#/$defs/..."} until all definitions are there."""


class ActionModel(pydantic.BaseModel):
    """A mapping of known keys. Unknown and missing keys are refused before any value is read."""

    model_config = pydantic.ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # only the models that a run file uses: building takes most of the time
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _check_keys(cls, given: Any) -> Any:
        keys(given, (), tuple(cls.model_fields))
        for name, info in cls.model_fields.items():
            if info.is_required() and name not in given:
                choices = [c for m in info.metadata if isinstance(m, Check) for c in m.choices]
                listed = f": {' or '.join(choices)}" if choices else ""
                raise InvalidAction((name,), f"is required{listed}")
        return given


def exactly_one(*keys: str) -> pydantic.ConfigDict:
    """What a model's JSON schema says where one of these keys must be given. The model checks."""
    choices: list[Any] = [{"required": [key]} for key in keys]
    return pydantic.ConfigDict(json_schema_extra={"oneOf": choices})


def not_together(*keys: str) -> pydantic.ConfigDict:
    """The same where not all of these keys may be given."""
    return pydantic.ConfigDict(json_schema_extra={"not": {"required": list(keys)}})


@dataclass(frozen=True, eq=False)
class Check:
    """The type of one value, as metadata of Annotated: how it is read and what its JSON schema is.

    `read` raises InvalidAction, its path relative to the value, or ValueError.
    """

    read: Callable[[Any], Any]
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def choices(self) -> list[str]:
        """The words that it may be, where these are few and known."""
        return [str(choice) for choice in self.schema.get("enum", ())]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return dict(self.schema)


@dataclass(frozen=True, eq=False)
class Tagged:
    """The type of a mapping whose `type` says which model reads it."""

    name: str
    """Of the definition in the JSON schema."""
    models: Mapping[str, type[ActionModel]]
    """By type; may grow after this was made."""

    def read(self, given: Any) -> ActionModel:
        """Raises InvalidAction for an unknown type, ValidationError for the rest."""
        if not isinstance(given, Mapping):
            raise InvalidAction((), f"expected keys and values, found {shown(given)}")
        if "type" not in given:
            raise InvalidAction(("type",), f"is required: one of {', '.join(self.models)}")
        return self.models[one_of(given["type"], ("type",), self.models)].model_validate(given)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {REFERENCE: self.name}


def read(model: type[M], given: Any, path: KeyPath) -> M:
    """`given`, which stands at `path`, as a model. Raises InvalidAction with all that is wrong."""
    try:
        return model.model_validate(given)
    except pydantic.ValidationError as error:
        first, *others = (_refused(e).below(path) for e in error.errors(include_url=False))
        raise InvalidAction(
            first.path,
            first.text,
            others,
            unknown_field=first.unknown_field,
            unknown_key=first.unknown_key,
        ) from None


def _refused(error: Any) -> InvalidAction:
    """One of pydantic's errors. Every value has a Check, so that it carries what a Check raised."""
    cause = error.get("ctx", {}).get("error")
    path: KeyPath = tuple(error["loc"])
    if isinstance(cause, InvalidAction):
        return cause.below(path)
    text = str(cause) if cause is not None else str(error["msg"])
    return InvalidAction(path, text, unknown_field=isinstance(cause, UnknownField))


def keyed(check: Callable[[Any, str], Any]) -> Callable[[Any], Any]:
    """Turn a check that takes the place as its second argument into one that raises InvalidAction
    with a path."""

    def read(value: Any) -> Any:
        with inside(()):
            return check(value, "")

    return read
