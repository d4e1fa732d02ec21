"""The JSON schema of a list of actions.

In: the models and registries of `insitu.actions`. Out: a schema as plain data. What only a run can
tell (whether a field is recorded, a pipeline is there, a filter suits what comes before it) is not
in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic.json_schema import models_json_schema

from insitu.actions.base import ActionModel
from insitu.actions.extract_models import EXTRACTS, ExtractEntry
from insitu.actions.filter_types import FILTERS
from insitu.actions.parse_particles import SEEDS
from insitu.actions.parse_triggers import QueryParams, TriggerParams
from insitu.actions.pipelines import FilterEntry
from insitu.actions.reader import ACTION_KEYS, OF_TRIGGERS
from insitu.actions.renders import CinemaParams, PictureParams
from insitu.actions.scenes import ColorTableParams, SceneParams
from insitu.render.picture.plots import PLOTS
from insitu.schema.generate import DIALECT, Generate, Schema, reference, tidied, when

_ENTRIES = {
    "queries": "Query",
    "triggers": "Trigger",
    "pipelines": "Pipeline",
    "scenes": "SceneParams",
    "extracts": "ExtractEntry",
}
_TITLES = {
    "add_queries": "Expressions that are evaluated at every step, by names of your own.",
    "add_triggers": "Actions that are run at the steps at which conditions hold.",
    "add_pipelines": "Chains of filters that plots and extracts name.",
    "add_scenes": "Pictures.",
    "add_extracts": "Files, scripts, movies and Cinema databases.",
}


def actions_schema() -> Schema:
    """Of an actions file."""
    return {
        "$schema": DIALECT,
        "title": "Actions of insitu, with Ascent's actions syntax",
        **reference("Actions"),
        "$defs": definitions(),
    }


def definitions() -> Schema:
    """All definitions by name; `Actions` is the whole list."""
    models: list[type[ActionModel]] = [
        QueryParams,
        TriggerParams,
        FilterEntry,
        SceneParams,
        ColorTableParams,
        PictureParams,
        CinemaParams,
        ExtractEntry,
        *(known.params for known in FILTERS.values()),
        *SEEDS.values(),
        *EXTRACTS.values(),
    ]
    unique = list(dict.fromkeys(models))
    _, schema = models_json_schema(
        [(model, "validation") for model in unique], schema_generator=Generate
    )
    found: Schema = tidied(schema["$defs"])
    filters = {name: known.params for name, known in FILTERS.items()}
    _choose_params(found["FilterEntry"], filters)
    for rule, known in zip(found["FilterEntry"]["allOf"], FILTERS.values(), strict=True):
        rule["then"]["description"] = known.summary
    _choose_params(found["ExtractEntry"], EXTRACTS)
    found["PlotParams"]["properties"]["type"]["enum"] = list(PLOTS)
    found["Seeds"] = {
        "type": "object",
        "properties": {"type": {"enum": list(SEEDS)}},
        "required": ["type"],
        "allOf": [when("type", name, reference(m.__name__)) for name, m in SEEDS.items()],
    }
    found["Render"] = when("type", "cinema", reference("CinemaParams"))
    found["Render"]["else"] = reference("PictureParams")
    found["Query"] = _with_params("QueryParams")
    found["Trigger"] = _with_params("TriggerParams")
    found["Pipeline"] = {
        "type": "object",
        "description": "Filters by names of your own, in the order in which they work.",
        "properties": {
            "pipeline": {
                "type": ["string", "null"],
                "description": "Name of the pipeline whose result is the input.",
            },
            "type": {"not": {}, "description": "A filter has a name of its own."},
        },
        "additionalProperties": reference("FilterEntry"),
        "minProperties": 1,
    }
    found["Actions"] = _list_of(tuple(ACTION_KEYS))
    found["TriggerActions"] = _list_of(OF_TRIGGERS)
    return found


def _choose_params(entry: Schema, models: Mapping[str, type[ActionModel]]) -> None:
    """Have the `type` of an entry decide on its `params`."""
    entry["properties"]["type"]["enum"] = list(models)
    entry["allOf"] = []
    for name, model in models.items():
        then: Schema = {"properties": {"params": reference(model.__name__)}}
        if any(info.is_required() for info in model.model_fields.values()):
            then["required"] = ["params"]
        entry["allOf"].append(when("type", name, then))


def _with_params(name: str) -> Schema:
    return {
        "type": "object",
        "properties": {"params": reference(name)},
        "required": ["params"],
        "additionalProperties": False,
    }


def _list_of(words: tuple[str, ...]) -> Schema:
    """A list of these actions."""
    rules = []
    for word in words:
        key = ACTION_KEYS[word]
        entries = {"type": "object", "additionalProperties": reference(_ENTRIES[key])}
        keys = {"action": True, key: {**entries, "description": _TITLES[word]}}
        then = {"properties": keys, "required": [key], "additionalProperties": False}
        rules.append(when("action", word, then))
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"action": {"enum": list(words), "description": "What is added."}},
            "required": ["action"],
            "allOf": rules,
        },
    }
