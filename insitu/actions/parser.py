"""A run file's list of actions, read from its first to its last entry.

In: the actions as plain data. Out: Actions, or ConfigError with all that is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from insitu.actions.acts import read_acts, read_pipelines
from insitu.actions.model import Actions
from insitu.actions.reacting import read_query, read_trigger
from insitu.actions.reader import WORDS, Reader
from insitu.config import RunConfig
from insitu.errors import ConfigError
from insitu.pipelines.outline import Outline
from insitu.yaml_tree import Places


def read_actions(run: RunConfig, places: Places) -> Actions:
    """As `insitu.actions.parse`."""
    fields = {name: len(field.components) or None for name, field in run.fields.items()}
    return _read(Reader(places, Outline(fields), run.window.steps), run)


def read_for_record(
    run: RunConfig, places: Places, fields: Mapping[str, int]
) -> tuple[Actions, list[str]]:
    """As `insitu.actions.parse_for_record`."""
    reader = Reader(places, Outline(fields), sys.maxsize, of_record=True)
    return _read(reader, run), reader.left_out


def _read(reader: Reader, run: RunConfig) -> Actions:
    entries = reader.entries(list(run.actions), ("actions",), tuple(WORDS))
    # Queries first, because triggers may name any of them: they run first as well.
    queries = reader.each(entries, "add_queries", read_query)
    pipelines = read_pipelines(reader, entries, {})
    triggers = reader.each(
        entries, "add_triggers", lambda _, entry: read_trigger(reader, entry, pipelines)
    )
    actions = Actions(queries, triggers, read_acts(reader, entries, pipelines))
    if reader.problems:
        raise ConfigError(reader.problems)
    return actions
