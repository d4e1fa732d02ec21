"""Ascent's actions: which queries, triggers, scenes and extracts a run file asks for.

In: the `actions` of a run file as plain data, in Ascent's words.
Out: Actions, plain frozen dataclasses, every name and parameter checked before any work.

What we add to Ascent's words: `mode`, `cooldown` and `max_firings` of a trigger (see
`queries.triggers`), `window` of a scene or an extract, which does it for past steps as well, the
filter `pathlines`, and the extract `movie`. docs/actions.md has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from insitu import config
from insitu.actions.absent import without_fields
from insitu.actions.checks import check_fields, check_kinds, check_past
from insitu.actions.model import Action, Actions
from insitu.config import RunConfig
from insitu.core.yaml_tree import Places
from insitu.store.manifest import Units

__all__ = [
    "Action",
    "Actions",
    "check_fields",
    "check_kinds",
    "check_past",
    "load",
    "parse",
    "parse_for_record",
    "parse_understood",
    "without_fields",
]


def parse(run: RunConfig, places: Places | None = None) -> Actions:
    """Check the actions of a run file. Not collective; reads the files that they name: scripts and
    colour maps.

    Args:
        run: whose `actions` these are, and whose `fields` scenes can show.
        places: where they stand, as returned by `config.read`, for the messages.

    Raises: ConfigError, with all the problems found.
    """
    # The models need pydantic, which only the rank that parses imports.
    from insitu.actions.parser import read_actions

    return read_actions(run, places or Places("run file", Path.cwd()))


def parse_for_record(
    run: RunConfig, places: Places, fields: Mapping[str, int], units: Units | None = None
) -> tuple[Actions, list[str]]:
    """Check actions that are to be done with a record -> those that can be, and what is left out
    because a scene or an extract names a field that the record lacks, each with its place.

    Queries and triggers may still read such fields: see `without_fields`. Not collective.

    Args:
        run: whose `actions` these are.
        places: where they stand, as returned by `config.read_actions`.
        fields: of the record, with the number of their components.
        units: of the record, for the labels of pictures.

    Raises: ConfigError, with all other problems found.
    """
    from insitu.actions.parser import read_for_record

    return read_for_record(run, places, fields, Units() if units is None else units)


def parse_understood(run: RunConfig, wanted: Sequence[Any]) -> tuple[Actions, list[str]]:
    """Check the actions of a run file and those of a simulation, of which what is not understood is
    left out -> the rest, and what was left out and why. Not collective.

    A word that is not understood costs that word where the rest means the same without it, else the
    plot, pipeline, extract, query or trigger; what depends on that is left out as well.

    Args:
        run: with its own actions, which must be right.
        wanted: the simulation's actions, as plain data.

    Raises: ConfigError for actions of the run file that are wrong.
    """
    from insitu.actions.parser import read_understood

    return read_understood(run, wanted)


def load(
    source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()
) -> tuple[RunConfig, Actions]:
    """Read and check a run file with its actions; as `config.load`. Not collective."""
    run, places = config.read(source, overrides)
    return run, parse(run, places)
