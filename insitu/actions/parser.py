"""A run file's list of actions, read from its first to its last entry.

In: the actions as plain data. Out: Actions, or ConfigError with all that is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from insitu.actions.model import Actions
from insitu.actions.parse_actions import read_pipelines, read_scenes_and_extracts
from insitu.actions.parse_triggers import read_query, read_trigger
from insitu.actions.reader import ACTION_KEYS, ActionParser
from insitu.config import RunConfig
from insitu.core.errors import ConfigError
from insitu.core.yaml_tree import Places
from insitu.filters.schema import DataSchema


def read_actions(run: RunConfig, places: Places) -> Actions:
    """As `insitu.actions.parse`."""
    fields = {name: len(field.components) or None for name, field in run.fields.items()}
    return _read(ActionParser(places, DataSchema(fields), run.window.steps), run)


def read_for_record(
    run: RunConfig, places: Places, fields: Mapping[str, int]
) -> tuple[Actions, list[str]]:
    """As `insitu.actions.parse_for_record`."""
    reader = ActionParser(places, DataSchema(fields), sys.maxsize, of_record=True)
    return _read(reader, run), reader.left_out


def _read(reader: ActionParser, run: RunConfig) -> Actions:
    entries = reader.entries(list(run.actions), ("actions",), tuple(ACTION_KEYS))
    # Queries first, because triggers may name any of them: they run first as well.
    queries = reader.each(entries, "add_queries", read_query)
    pipelines = read_pipelines(reader, entries, {})
    triggers = reader.each(
        entries, "add_triggers", lambda _, entry: read_trigger(reader, entry, pipelines)
    )
    actions = Actions(queries, triggers, read_scenes_and_extracts(reader, entries, pipelines))
    if reader.problems:
        raise ConfigError(reader.problems)
    return actions
