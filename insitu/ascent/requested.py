"""What a simulation on these libraries asks for: options, actions, run file.

In: the nodes that it passes in code, and files in the working directory, read on rank 0:
`ascent_options.yaml` or `.json` is merged over the options in code; `ascent_actions.yaml` or
`.json` (or the option `actions_file`) is done instead of the actions in code, as Ascent does it;
insitu's run file is that of INSITU_CONFIG, or `insitu.yaml`, or none.
Out: a checked configuration and actions.

Without a run file, or where it names no fields, the fields that the actions name are kept at 40 dB
(all fields if they name none), every time that the simulation calls execute, in `insitu_record`;
pictures go where Ascent puts them, into the working directory.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from insitu import actions, config
from insitu.actions import Actions
from insitu.ascent.ascent_words import in_our_words
from insitu.config import FieldConfig, RecordConfig, RunConfig, WindowConfig
from insitu.core import yaml_tree
from insitu.core.errors import ConfigError, nearest

VARIABLE = "INSITU_CONFIG"
RUN_FILE = "insitu.yaml"
RECORD = "insitu_record"
PSNR_DB = 40.0

# Ascent's options, with the words of those that have words. What it tunes inside of itself, in the
# first line, changes no result here.
_OPTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("runtime", "cuda", "timings", "field_filtering", "refinement_level"), ()),
    **dict.fromkeys(("mpi_comm", "actions_file", "session_name", "default_dir"), ()),
    **dict.fromkeys(("ghost_field_name", "web", "ascent_info"), ()),
    "exceptions": ("catch", "forward"),
    "messages": ("quiet", "verbose"),
}

Entries = Sequence[Mapping[str, Any]]

_NAMING = ("field", "field1", "field2", "field3", "reduction_field", "absorption", "emission")
"""Keys of names of fields; `fields` is one of lists of them."""
# In expressions: field('density'), field("velocity", "u").
_FIELD = re.compile(r"""field\(\s*['"]([^'"]+)['"]""")


def options(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options in code with those of the file merged in. Not collective; reads files.

    Raises: ConfigError for a file that cannot be read.
    """
    found = dict(given or {})
    file = _first("ascent_options.json", "ascent_options.yaml")
    if file is None:
        return found
    content, _ = yaml_tree.read(file)
    return _merged(found, content) if isinstance(content, dict) else found


def wanted_actions(given: Any, settings: Mapping[str, Any]) -> tuple[list[Any], str]:
    """What is to be done, and where that stands. Not collective; reads files.

    Args:
        given: the actions in code, as plain data.
        settings: as `options` returns them.

    Raises: ConfigError for a file that cannot be read, or an `actions_file` that is not there.
    """
    file: Path | None
    name = settings.get("actions_file")
    if name == "":  # Ascent's word for: no file
        file = None
    elif isinstance(name, str):
        file = Path(name)
        if not file.is_file():
            raise ConfigError([f"actions_file: no file {name!r} in {Path.cwd()}"])
    else:
        file = _first("ascent_actions.json", "ascent_actions.yaml")
    if file is None:
        content, source = given, "actions in code"
    else:
        content, source = yaml_tree.read(file)[0], str(file)
    if content is None:
        return [], source
    if not isinstance(content, list) or not all(isinstance(a, Mapping) for a in content):
        raise ConfigError([f"{source}: expected a list of actions, each with keys and values"])
    return in_our_words(content), source


def configuration(
    settings: Mapping[str, Any],
    wanted: Entries,
    published: Collection[str],
    readable: Collection[str],
) -> RunConfig:
    """The configuration, `actions` being the run file's alone. Not collective; reads files.

    Args:
        settings: as `options` returns them.
        wanted: as `wanted_actions` returns them.
        published: the names of the fields that the simulation publishes, on any rank.
        readable: those that insitu can keep; flags and other integers are not.

    Raises: ConfigError for a run file that is wrong.
    """
    run = _run_file(settings)
    named = [name for name in dict.fromkeys(_fields_named(wanted)) if name in published]
    if not run.fields and not named:
        named = list(readable)
    fields = {name: FieldConfig(psnr=PSNR_DB) for name in named if name not in run.fields}
    return dataclasses.replace(run, fields={**run.fields, **fields})


def understood(run: RunConfig, wanted: Entries) -> tuple[Actions, list[str]]:
    """The actions of the run file and what is understood of `wanted`, and what is not and why. Not
    collective.

    Raises: ConfigError for actions of the run file that are wrong.
    """
    return actions.parse_understood(run, wanted)


def too_late(first: Actions, now: Actions) -> list[str]:
    """The queries and triggers that were others at the first step, or not there: those of the first
    step stay. Not collective."""
    queries = [f"query {q.name}" for q in now.queries if q not in first.queries]
    triggers = [f"trigger {t.name}" for t in now.triggers if t not in first.triggers]
    why = "queries and triggers stay those of the first step; name it there"
    return [f"{name}: {why}" for name in (*queries, *triggers)]


def unknown_options(settings: Mapping[str, Any]) -> list[str]:
    """Why options are left out that Ascent does not have, or that cannot be followed here. Not
    collective.

    settings: as `options` returns them.
    """
    found = []
    for name, value in settings.items():
        words = _OPTIONS.get(name)
        if name not in _OPTIONS:
            found.append(f"options: no option {name!r}{nearest(name, _OPTIONS)}")
        elif name == "web":
            found.append("options: web: pictures are not streamed; they are files")
        elif name == "ascent_info":
            found.append("options: ascent_info: no such file is written; call ascent_info")
        elif name == "ghost_field_name" and not _ghosts(value):
            found.append(f"options: {name}: expected the name of a field, or a list, not {value!r}")
        elif words and value not in words:
            found.append(f"options: {name}: expected {' or '.join(words)}, not {value!r}")
    return found


def _run_file(settings: Mapping[str, Any]) -> RunConfig:
    named = os.environ.get(VARIABLE)
    file = Path(named) if named else _first(RUN_FILE)
    if file is not None:
        run = config.load(file)
    else:
        run = RunConfig(window=WindowConfig(every=1), record=RecordConfig(path=RECORD), output=".")
    ghosts = _ghosts(settings.get("ghost_field_name"))
    if ghosts:
        run = dataclasses.replace(run, ghost_field=ghosts)
    name = settings.get("session_name")
    if isinstance(name, str) and name:
        run = dataclasses.replace(run, session_name=name)
    folder = settings.get("default_dir")
    if isinstance(folder, str) and folder:
        run = dataclasses.replace(run, output=folder)
    if settings.get("exceptions") == "forward":
        run = dataclasses.replace(run, on_error="raise")
    return run


def _ghosts(option: Any) -> str | tuple[str, ...]:
    """The ghost field, or several: Ascent takes one name alone, or a list of names."""
    if isinstance(option, str):
        return option
    if isinstance(option, list) and option and all(isinstance(name, str) for name in option):
        return tuple(option)
    return ""


def _fields_named(tree: Any) -> Iterator[str]:
    """The fields that plots, filters, extracts and expressions name, in order."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if key in _NAMING and isinstance(value, str):
                yield value
            elif key == "fields" and isinstance(value, list):
                yield from (name for name in value if isinstance(name, str))
            elif key in ("expression", "condition") and isinstance(value, str):
                yield from _FIELD.findall(value)
            else:
                yield from _fields_named(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _fields_named(value)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for key, value in over.items():
        before = result.get(key)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        result[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return result


def _first(*names: str) -> Path | None:
    return next((Path(name) for name in names if Path(name).is_file()), None)
