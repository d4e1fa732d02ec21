"""JSON schemas of pydantic models and dataclasses, without what pydantic adds for its own sake.

In: schemas as pydantic makes them. Out: the same without titles made of names and defaults of null,
and with references to definitions that were not there yet.
"""

from __future__ import annotations

import inspect
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from insitu.actions.base import REFERENCE

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Generate(GenerateJsonSchema):
    """Titles are what a type says of itself, not the key once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A default of None has no form in JSON by a Check; `tidied` would leave it out anyway.
        self.ignored_warning_kinds = {*self.ignored_warning_kinds, "non-serializable-default"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def tidied(schema: Any) -> Any:
    """A schema with `$ref` for placeholders, descriptions on one line, and less noise."""
    if isinstance(schema, list):
        return [tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for key, value in schema.items():
        if key == REFERENCE:
            found["$ref"] = f"#/$defs/{value}"
        elif key == "description" and isinstance(value, str):
            found[key] = " ".join(inspect.cleandoc(value).split())
        elif key in ("properties", "$defs"):
            found[key] = {name: tidied(entry) for name, entry in value.items()}
        elif key == "default":
            # Of what has keys of its own, the defaults stand there.
            if value is not None and not isinstance(value, dict):
                found[key] = value
        else:
            found[key] = tidied(value)
    if found.get("type") == "object" and "properties" in found:
        found.pop("title", None)  # the name of a class
    return found


def reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def when(key: str, value: str, then: Schema) -> Schema:
    """A rule: where `key` is `value`, `then` holds too."""
    condition = {"properties": {key: {"const": value}}, "required": [key]}
    return {"if": condition, "then": then}
