"""Which part of a list of actions is given up for a word that is not understood.

In: the actions as plain data, the path of what is wrong. Out: the smallest part without which the
rest means what it meant: an unknown key alone; else the plot, the render's option, the pipeline,
the extract, the query, the trigger.
"""

from __future__ import annotations

from typing import Any

from insitu.core.yaml_tree import KeyPath

_REMOVED = object()


def part_at(listed: list[Any], path: KeyPath, *, unknown_key: bool) -> KeyPath:
    """The path of the part to give up for what is wrong at `path`, which may be missing.

    unknown_key: whether the key at its end means nothing.
    """
    part = path if unknown_key else _part(path)
    while len(part) > 1 and not _is_there(listed, part):
        part = part[:-1]
    return part


def remove(listed: list[Any], path: KeyPath) -> None:
    """Take out what is at `path`, if it is there still; items of lists keep their numbers until
    `without_removed`."""
    holder: Any = listed
    last: Any = path[-1]
    for key in path[:-1]:
        if not _holds(holder, key):
            return
        holder = holder[key]
    if not _holds(holder, last):
        return
    if isinstance(holder, list):
        holder[last] = _REMOVED
    else:
        del holder[last]


def without_removed(tree: Any) -> Any:
    """The tree without the items of lists that were taken out."""
    if isinstance(tree, dict):
        return {key: without_removed(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [without_removed(value) for value in tree if value is not _REMOVED]
    return tree


def _part(path: KeyPath) -> KeyPath:
    """What stands for itself around `path`: (index, key, name, ...)."""
    if len(path) < 3:
        return path[:1]
    key, rest = path[1], path[3:]
    if key == "triggers" and rest[:2] == ("params", "actions") and len(rest) > 2:
        return (*path[:5], *_part(path[5:]))
    if key != "scenes" or not rest:
        return path[:3]
    if rest[0] == "renders":
        # What is wrong in the camera costs that word, as what is wrong in the render itself.
        return path[:7] if rest[2:3] == ("camera",) else path[:6]
    if rest[0] == "plots" and len(rest) > 1:
        return path[:6] if rest[2:3] == ("color_table",) else path[:5]
    return path[:3] if rest[0] == "plots" else path[:4]


def _is_there(tree: Any, path: KeyPath) -> bool:
    for key in path:
        if not _holds(tree, key):
            return False
        tree = tree[key]
    return True


def _holds(holder: Any, key: str | int) -> bool:
    if isinstance(holder, list):
        return isinstance(key, int) and key < len(holder) and holder[key] is not _REMOVED
    return isinstance(holder, dict) and key in holder
