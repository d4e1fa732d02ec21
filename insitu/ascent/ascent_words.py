"""What Ascent's actions mean where a run file's words mean something else, or say nothing.

In: actions as a simulation gives them to Ascent. Out: the same in the words of a run file: Ascent's
image names and sizes written out, actions files of triggers read, words of old versions left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from insitu.core import yaml_tree
from insitu.core.errors import ConfigError

SIZE = 1024
"""Pixels of a picture's side where the actions do not say."""
_DEPTH = 8
"""Actions files that name each other end there."""
_PICTURES = ("volume", "xray", "dray_volume", "dray_pseudocolor", "dray_3slice")
"""Extracts that are pictures."""
_TUBES = ("enable_tubes", "tube_capping", "tube_size", "tube_sides", "tube_value")
"""Old keys of streamlines."""
_OLD = ("execute", "reset")
"""Actions of old versions, which Ascent accepts and ignores."""
_OURS = {"action": "save_session"}
"""What is done in any case: the session file, of all queries, is written at every step. A file name
or a choice of queries (`file_name`, `expressions`) is not, and is told."""


def in_our_words(listed: Sequence[Mapping[str, Any]], depth: int = 0) -> list[Any]:
    """Actions of a simulation, in their order. Not collective; reads files that triggers name.

    depth: how many actions files these are in.
    """
    found = []
    for action in listed:
        if _empty(action) or action.get("action") in _OLD or dict(action) == _OURS:
            continue
        action = dict(action)
        for key, change in (
            ("scenes", _scene),
            ("extracts", _extract),
            ("triggers", _trigger),
            ("pipelines", _pipeline),
        ):
            entries = action.get(key)
            if isinstance(entries, Mapping):
                action[key] = {
                    name: change(entry, depth) if isinstance(entry, Mapping) else entry
                    for name, entry in entries.items()
                }
        found.append(action)
    return found


def _empty(action: Mapping[str, Any]) -> bool:
    """Whether an action asks for nothing, as add_pipelines without pipelines."""
    rest = [value for key, value in action.items() if key != "action"]
    return bool(rest) and all(value is None or value == {} for value in rest)


def _scene(scene: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """With its pictures as renders of Ascent's size."""
    found = dict(scene)
    renders = found.get("renders")
    if isinstance(renders, Mapping) and renders:
        found["renders"] = {
            name: _render(render) if isinstance(render, Mapping) else render
            for name, render in renders.items()
        }
        return {
            key: _prefix(value) if key == "image_prefix" else value for key, value in found.items()
        }
    names: dict[str, Any] = {
        key: found.pop(key) for key in ("image_name", "image_prefix") if key in found
    }
    if "image_name" in names:  # which Ascent prefers
        names = {"image_name": names["image_name"]}
    if names:
        found["renders"] = {"picture": _render(names)}
    return found


def _render(render: Mapping[str, Any]) -> dict[str, Any]:
    found = {"image_width": SIZE, "image_height": SIZE, **render}
    if "image_name" in found:
        found.pop("image_prefix", None)
    if "image_prefix" in found:
        found["image_prefix"] = _prefix(found["image_prefix"])
    return found


def _extract(extract: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """With Ascent's names of its files."""
    params = extract.get("params")
    if not isinstance(params, Mapping):
        return dict(extract)
    changed = {
        key: _prefix(value) if key in ("image_prefix", "filename") else value
        for key, value in params.items()
    }
    if extract.get("type") in _PICTURES:
        changed = {"image_width": SIZE, "image_height": SIZE, **changed}
    return {**extract, "params": changed}


def _pipeline(pipeline: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """With the seeds and tubes of streamlines as today's Ascent has them."""
    found = dict(pipeline)
    for name, entry in found.items():
        params = entry.get("params") if isinstance(entry, Mapping) else None
        if isinstance(params, Mapping) and "num_seeds" in params and "seeds" not in params:
            found[name] = {**entry, "params": _streamline(params)}
    return found


def _streamline(params: Mapping[str, Any]) -> dict[str, Any]:
    """Seeds as a random box, tubes as `rendering`: before Ascent 0.9.3 all were keys beside the
    field."""
    found = dict(params)
    seeds: dict[str, Any] = {"type": "box", "sampling_type": "random", "sampling_space": "interior"}
    seeds["num_seeds"] = found.pop("num_seeds")
    for axis in "xyz":
        ends = []
        for end in ("min", "max"):
            names = [f"seed_bounding_box_{axis}{between}{end}" for between in ("_", "")]
            ends += [found.pop(key) for key in names if key in found]
        if len(ends) == 2:
            seeds[f"extents_{axis}"] = ends
    rendering = {key: found.pop(key) for key in _TUBES if key in found}
    if "output_name" in found:
        rendering["output_field"] = found.pop("output_name")
    return {**found, "seeds": seeds, **({"rendering": rendering} if rendering else {})}


def _prefix(given: Any) -> Any:
    """Ascent appends the cycle as it is to a prefix without a pattern."""
    return f"{given}%d" if isinstance(given, str) and "%" not in given else given


def _trigger(trigger: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """With the actions that its file holds. A file that cannot be read is told where it is."""
    params = trigger.get("params")
    if not isinstance(params, Mapping):
        return dict(trigger)
    found = dict(params)
    listed = found.get("actions")
    if isinstance(found.get("actions_file"), str) and listed is None and depth < _DEPTH:
        try:
            listed = yaml_tree.read(Path(found["actions_file"]))[0]
        except ConfigError:
            return dict(trigger)
        del found["actions_file"]
        found["actions"] = listed
    if isinstance(listed, list) and all(isinstance(action, Mapping) for action in listed):
        found["actions"] = in_our_words(listed, depth + 1)
    return {**trigger, "params": found}
