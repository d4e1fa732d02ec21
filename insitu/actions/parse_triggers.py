"""Queries and triggers.

In: an entry of add_queries or add_triggers. Out: a Query, a Trigger, or InvalidAction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from insitu.actions.base import REFERENCE, ActionModel, Check, read
from insitu.actions.errors import InvalidAction, inside, shown
from insitu.actions.model import Action
from insitu.actions.parse_actions import read_pipelines, read_scenes_and_extracts
from insitu.actions.pipelines import pipeline_named
from insitu.actions.reader import OF_TRIGGERS, ActionParser, Entry, Named, params
from insitu.actions.values import count, ignored, one_of, text
from insitu.core.yaml_tree import KeyPath
from insitu.filters.queried import Queried
from insitu.queries.expressions import Expression, ExpressionError
from insitu.queries.expressions import parse as parse_expression
from insitu.queries.triggers import MODES, Query, Trigger


def _text_of_expression(given: Any) -> str:
    """A number, as YAML reads `expression: 5`, is an expression as well."""
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        raise ValueError(f"expected an expression, found {shown(given)}")
    return str(given)


ExpressionText = Annotated[
    str, Check(_text_of_expression, {"type": ["string", "number"], "title": "an expression"})
]


class QueryParams(ActionModel):
    """A query: an expression that is evaluated at every step."""

    expression: ExpressionText = Field(description="Expression to evaluate.")
    name: Annotated[str, text("a name")] = Field(
        description="Name of the results, for later queries, conditions and `history()`."
    )


class TriggerParams(ActionModel):
    """A trigger: actions that run at the steps at which a condition is true."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["condition"]}, {"required": ["callback"]}]}
    )

    condition: ExpressionText | None = Field(
        None, description="Comparison of expressions. Required, unless there is a `callback`."
    )
    callback: Annotated[str | None, text("module:function, or a name for session.on")] = Field(
        None,
        description="Python function, as `module:function`, or a name that the simulation passes "
        "to `session.on`. With a condition it is called when the trigger fires; without one, it "
        "decides whether the trigger fires.",
    )
    mode: Annotated[Literal["level", "edge", "latch"], one_of(MODES)] = Field(
        "level",
        description="`level`: fires at every step at which the condition is true; `edge`: when it "
        "becomes true; `latch`: from then on, at every step (insitu extension).",
    )
    cooldown: Annotated[int, count(10**9, 0, "cycles")] = Field(
        0, description="Minimum distance between two firings (insitu extension)."
    )
    max_firings: Annotated[int | None, count(10**9)] = Field(
        None,
        description="Maximum number of firings; default: unlimited (insitu extension).",
    )
    actions: Annotated[
        Any, ignored({REFERENCE: "TriggerActions", "title": "a list of actions"})
    ] = Field(
        None,
        description="List of `add_pipelines`, `add_scenes` and `add_extracts`. Optional if there "
        "are both a condition and a callback.",
    )
    actions_file: Annotated[Any, ignored({"type": "string"})] = Field(
        None, description="File with such a list instead; its path is relative to the run file."
    )

    @pydantic.model_validator(mode="after")
    def _something_to_do(self) -> TriggerParams:
        if self.condition is None and self.callback is None:
            raise InvalidAction(("condition",), "is required, or a callback")
        alone = self.condition is None or self.callback is None
        if self.actions_file is not None:  # what reads files puts their content in its place
            text = f"no file {self.actions_file!r} with a list of actions"
            raise InvalidAction(("actions_file",), text)
        if alone and "actions" not in self.model_fields_set:
            raise InvalidAction(("actions",), "is required or actions_file")
        return self


def read_query(reader: ActionParser, entry: Entry) -> Query:
    """A query; one of a pipeline is to be completed by `of_pipelines`, when there are any."""
    given, path = params(entry, ("params", "pipeline"))
    query = read(QueryParams, given, path)
    if query.name in reader.kinds:
        raise InvalidAction((*path, "name"), f"another query is called {query.name!r} already")
    of = entry.value.get("pipeline")
    if of is not None and not isinstance(of, str):
        raise InvalidAction((*entry.path, "pipeline"), f"expected a name, found {shown(of)}")
    expression = _expression(reader, query.expression, (*path, "expression"), of or "")
    reader.kinds[query.name] = expression.kind
    return Query(name=query.name, expression=expression)


def of_pipelines(
    reader: ActionParser, entries: Sequence[Entry], queries: Sequence[Query], pipelines: Named
) -> tuple[Query, ...]:
    """The queries, those that name pipelines with them."""
    places = {
        str(entry.value["params"].get("name")): entry.path
        for entry in entries
        if entry.word == "add_queries"
        and isinstance(entry.value, Mapping)
        and isinstance(entry.value.get("params"), Mapping)
    }
    found = []
    for query in queries:
        if query.expression.of:
            with reader.collecting():
                path = places[query.name]
                queried = Queried(pipeline_named(query.expression.of, path, pipelines))
                with inside(path):
                    queried.check(reader.outline, frozenset(query.expression.reads))
                found.append(dataclasses.replace(query, pipeline=queried))
        else:
            found.append(query)
    return tuple(found)


def read_trigger(reader: ActionParser, entry: Entry, pipelines: Named) -> Trigger[Action]:
    """pipelines: those at the top level, which its scenes and extracts may name as well."""
    given, path = params(entry)
    trigger = read(TriggerParams, given, path)
    condition = None
    if trigger.condition is not None:
        condition = _expression(reader, trigger.condition, (*path, "condition"))
    listed = trigger.actions if "actions" in trigger.model_fields_set else []
    entries = reader.entries(listed, (*path, "actions"), OF_TRIGGERS)
    actions = read_scenes_and_extracts(reader, entries, read_pipelines(reader, entries, pipelines))
    try:
        return Trigger(
            name=entry.name,
            condition=condition,
            callback=trigger.callback,
            actions=actions,
            mode=trigger.mode,
            cooldown=trigger.cooldown,
            max_firings=trigger.max_firings,
        )
    except ExpressionError as error:
        raise InvalidAction((*path, "condition"), str(error)) from None


def _expression(reader: ActionParser, given: str, path: KeyPath, of: str = "") -> Expression:
    try:
        expression = parse_expression(given, reader.kinds, of)
        if not reader.of_record:
            expression.check_past(dict.fromkeys(reader.outline.fields, reader.steps))
        return expression
    except ExpressionError as error:
        raise InvalidAction(path, str(error)) from None
