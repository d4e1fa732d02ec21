"""A run file's list of actions, read from its first to its last entry.

In: the actions as plain data. Out: Actions, or ConfigError with all that is wrong.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from insitu.actions.errors import DependentError, InvalidAction
from insitu.actions.left_out import part_at, remove, without_removed
from insitu.actions.model import Actions
from insitu.actions.parse_actions import read_pipelines, read_scenes_and_extracts
from insitu.actions.parse_triggers import of_pipelines, read_query, read_trigger
from insitu.actions.reader import ACTION_KEYS, ActionParser
from insitu.config import RunConfig
from insitu.core.errors import ConfigError
from insitu.core.yaml_tree import Places, dotted
from insitu.filters.schema import DataSchema
from insitu.store.manifest import Units


def read_actions(run: RunConfig, places: Places) -> Actions:
    """As `insitu.actions.parse`."""
    return _checked(_reader(run, places), run)


def read_for_record(
    run: RunConfig, places: Places, fields: Mapping[str, int], units: Units
) -> tuple[Actions, list[str]]:
    """As `insitu.actions.parse_for_record`."""
    periodic = "".join(run.periodic)
    reader = ActionParser(places, DataSchema(fields), sys.maxsize, units, periodic, of_record=True)
    return _checked(reader, run), reader.left_out


def read_understood(run: RunConfig, wanted: Sequence[Any]) -> tuple[Actions, list[str]]:
    """As `insitu.actions.parse_understood`."""
    _checked(_reader(run, Places("run file", Path.cwd())), run)
    listed, told = copy.deepcopy(list(wanted)), list[InvalidAction]()
    refused = set[str]()
    n_own = len(run.actions)
    while True:
        whole = dataclasses.replace(run, actions=(*run.actions, *listed))
        reader = _reader(run, Places("", Path.cwd()))
        reader.refused |= refused
        actions = _read(reader, whole)
        if not reader.refusals:
            return actions, [f"{dotted(one.path)}: {one.text}" for one in told]
        # What depends on something refused may be right once only a word of that is left out.
        own = [one for one in reader.refusals if not isinstance(one, DependentError)]
        for one in own or reader.refusals:
            _, index, *rest = one.path
            place = (int(index) - n_own, *rest)
            one = InvalidAction(tuple(rest), one.text, unknown_key=one.unknown_key)
            if not any(other.path[: len(rest)] == one.path for other in told):
                told.append(one)
            part = part_at(listed, place, unknown_key=one.unknown_key)
            if part[-2:-1] in (("pipelines",), ("scenes",)):
                refused.add(str(part[-1]))
            remove(listed, part)
        listed = without_removed(listed)


def _reader(run: RunConfig, places: Places) -> ActionParser:
    fields = {name: len(field.components) or None for name, field in run.fields.items()}
    of_fields = {name: field.unit for name, field in run.fields.items() if field.unit}
    record = run.record
    length, time = ("", "") if record is None else (record.length_unit, record.time_unit)
    units = Units(length, time, of_fields)
    periodic = "".join(run.periodic)
    return ActionParser(places, DataSchema(fields), run.window.steps, units, periodic)


def _checked(reader: ActionParser, run: RunConfig) -> Actions:
    actions = _read(reader, run)
    if reader.problems:
        raise ConfigError(reader.problems)
    return actions


def _read(reader: ActionParser, run: RunConfig) -> Actions:
    entries = reader.entries(list(run.actions), ("actions",), tuple(ACTION_KEYS))
    # Queries first, because triggers may name any of them: they run first as well.
    queries = reader.each(entries, "add_queries", read_query)
    pipelines = read_pipelines(reader, entries, {})
    queries = of_pipelines(reader, entries, queries, pipelines)
    triggers = reader.each(
        entries, "add_triggers", lambda _, entry: read_trigger(reader, entry, pipelines)
    )
    due = read_scenes_and_extracts(reader, entries, pipelines)
    return Actions((*queries, *reader.parameters), triggers, due)
