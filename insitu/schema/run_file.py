"""The JSON schema of a run file.

In: the sections of `insitu.config`, with their types, ranges, units and docstrings. Out: a schema
as plain data, the actions included.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator
from typing import Any

from insitu.config import RunConfig
from insitu.config.run_file import adapter
from insitu.schema import actions
from insitu.schema.generate import DIALECT, Generate, Schema, reference, tidied

_NOTHING = {"type": "null"}  # `density:` with nothing after it: all defaults
_ACTIONS_FILE = {
    "type": "string",
    "description": "File with the list of actions, instead of `actions`; its path is relative to "
    "the run file.",
}


def run_file_schema() -> Schema:
    """Of a run file, actions included."""
    schema = tidied(adapter().json_schema(schema_generator=Generate))
    found: Schema = schema.pop("$defs")
    found["RunConfig"] = schema
    for section in sections(RunConfig):
        if section.__name__ in found:  # not what a check of its own reads
            _describe(found[section.__name__], section)
    for section in found.values():
        _describe_by_reference(section, found)
    _simulation(found["SimulationConfig"])
    _actions_or_file(found["RunConfig"], reference("Actions"))
    # What a nested Ascent is told is in Ascent's own vocabulary.
    _actions_or_file(found["PublishConfig"], {"type": "array", "items": {"type": "object"}})
    run = found.pop("RunConfig")
    keys = run["properties"]
    keys["fields"] = {
        "anyOf": [
            {**keys["fields"], "additionalProperties": _or_nothing(reference("FieldConfig"))},
            {"type": "array", "items": {"type": "string"}},
            _NOTHING,
        ],
        "description": keys["fields"].pop("description"),
    }
    for key in ("window", "budget"):
        keys[key] = _or_nothing(keys[key])
    of_actions = actions.definitions()
    assert not found.keys() & of_actions.keys()
    return {
        "$schema": DIALECT,
        "title": "Run file of insitu",
        **run,
        "$defs": {**found, **of_actions},
    }


def sections(section: type) -> Iterator[type]:
    """This dataclass and those that its fields are of, each once, in their order."""
    pending, seen = [section], set()
    while pending:
        one = pending.pop(0)
        if one in seen:
            continue
        seen.add(one)
        yield one
        pending += [
            kind
            for hint in typing.get_type_hints(one).values()
            for kind in _parts(hint)
            if dataclasses.is_dataclass(kind)
        ]


def _parts(hint: Any) -> Iterator[type]:
    """All types that a type hint is made of."""
    if typing.get_origin(hint) in (None, types.UnionType, typing.Union, dict, tuple):
        inner = typing.get_args(hint)
        if not inner and isinstance(hint, type):
            yield hint
        for one in inner:
            yield from _parts(one)


def docstrings(section: type) -> dict[str, str]:
    """The docstring below each field of a dataclass, those of its parents included."""
    found: dict[str, str] = {}
    for one in reversed(section.__mro__):
        if not dataclasses.is_dataclass(one):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]
        assert isinstance(tree, ast.ClassDef)
        name = None
        for line in tree.body:
            if name and isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
                found[name] = " ".join(str(line.value.value).split())
            is_field = isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
            name = line.target.id if is_field else None  # type: ignore[attr-defined]
    return found


def _describe(schema: Schema, section: type) -> None:
    """Descriptions from docstrings; keys of parents, which several sections share, come first."""
    schema["description"] = " ".join(str(inspect.getdoc(section)).split())
    keys = schema["properties"]
    for name, text in docstrings(section).items():
        keys[name]["description"] = text
    bases = (*section.__mro__[1:], section)
    order = [name for one in bases for name in inspect.get_annotations(one)]
    schema["properties"] = {name: keys[name] for name in order if name in keys}


def _describe_by_reference(schema: Schema, definitions: Schema) -> None:
    """A key without a docstring is described by the first sentence of its section's."""
    for key in schema["properties"].values():
        if "description" not in key and "$ref" in key:
            whole = definitions[key["$ref"].rpartition("/")[2]]["description"]
            key["description"] = whole.split(". ")[0].rstrip(".") + "."


def _simulation(schema: Schema) -> None:
    """`class` in the file, and keyword arguments beside the section's own keys."""
    keys = schema["properties"]
    arguments = keys.pop("arguments")
    keys["class"] = keys.pop("class_name")
    keys["path"] = keys.pop("path")
    schema["additionalProperties"] = {"description": arguments["description"]}


def _actions_or_file(schema: Schema, listed: Schema) -> None:
    text = schema["properties"]["actions"]["description"]
    nothing = {"anyOf": [listed, _NOTHING]} if "$ref" in listed else listed
    titled = {**nothing, "title": "list of actions"}
    schema["properties"]["actions"] = {**titled, "description": text}
    schema["properties"]["actions_file"] = _ACTIONS_FILE
    schema["not"] = {"required": ["actions", "actions_file"]}


def _or_nothing(schema: Schema) -> Schema:
    text = {"description": schema["description"]} if "description" in schema else {}
    return {"anyOf": [schema, _NOTHING], **text}
