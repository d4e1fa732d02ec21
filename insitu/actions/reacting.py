"""Reading queries and triggers.

In: an entry of add_queries or add_triggers. Out: a Query, a Trigger, or Refused.
"""

from __future__ import annotations

from typing import Any

from insitu.actions.acts import read_acts, read_pipelines
from insitu.actions.model import Action
from insitu.actions.reader import OF_TRIGGERS, Entry, Named, Reader, params
from insitu.actions.refusal import Refused, count, inside, keys, one_of, shown, text
from insitu.reactive.expressions import Expression, ExpressionError
from insitu.reactive.expressions import parse as parse_expression
from insitu.reactive.triggers import MODES, Query, Trigger
from insitu.yaml_tree import KeyPath


def read_query(reader: Reader, entry: Entry) -> Query:
    given, path = params(entry)
    keys(given, path, ("expression", "name"), required=("expression", "name"))
    name = text(given["name"], (*path, "name"), "a name")
    if name in reader.kinds:
        raise Refused((*path, "name"), f"another query is called {name!r} already")
    expression = _expression(reader, given["expression"], (*path, "expression"))
    reader.kinds[name] = expression.kind
    return Query(name=name, expression=expression)


def read_trigger(reader: Reader, entry: Entry, pipelines: Named) -> Trigger[Action]:
    """pipelines: those around the trigger, which its scenes and extracts may name as well."""
    given, path = params(entry)
    known = ("condition", "callback", "mode", "cooldown", "max_firings", "actions")
    keys(given, path, (*known, "actions_file"))
    callback, condition = given.get("callback"), None
    if callback is not None:
        what = "module:function, or a name for session.on"
        callback = text(callback, (*path, "callback"), what)
    if "condition" in given:
        condition = _expression(reader, given["condition"], (*path, "condition"))
    elif callback is None:
        raise Refused((*path, "condition"), "is required, or a callback")
    if "actions" not in given and (callback is None or condition is None):
        raise Refused((*path, "actions"), "is required or actions_file")
    mode = one_of(given.get("mode", "level"), (*path, "mode"), MODES)
    limits: dict[str, Any] = {}
    with inside(path):
        for key, least in (("cooldown", 0), ("max_firings", 1)):
            if key in given:
                limits[key] = count(given[key], key, 10**9, least)
    entries = reader.entries(given.get("actions", []), (*path, "actions"), OF_TRIGGERS)
    actions = read_acts(reader, entries, read_pipelines(reader, entries, pipelines))
    try:
        return Trigger(
            name=entry.name,
            condition=condition,
            callback=callback,
            actions=actions,
            mode=mode,
            **limits,
        )
    except ExpressionError as error:
        raise Refused((*path, "condition"), str(error)) from None


def _expression(reader: Reader, given: Any, path: KeyPath) -> Expression:
    """An expression; a number, as YAML reads `expression: 5`, is one as well."""
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        raise Refused(path, f"expected an expression, found {shown(given)}")
    try:
        expression = parse_expression(str(given), reader.kinds)
        if not reader.of_record:
            expression.check_past(dict.fromkeys(reader.outline.fields, reader.steps))
        return expression
    except ExpressionError as error:
        raise Refused(path, str(error)) from None
