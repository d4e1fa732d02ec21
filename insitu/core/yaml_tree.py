"""YAML as plain data, with the line of each value.

In: a YAML file, and options `a.b=value` from the command line.
Out: nested dicts, lists and scalars, and their Places for error messages.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from insitu.core.errors import ConfigError

KeyPath = tuple[str | int, ...]

_MAX_NODES = 200_000
# YAML 1.2's scalars: `on`, `yes`, `1:30` and `2024-01-01` are strings, `1e-3` is a number.
# Kind, pattern, and the characters that such a scalar can start with.
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?[0-9]+", tuple("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", tuple("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", tuple("-+.")),
    ("merge", r"<<", ("<",)),
)


class Places:
    """The origins of the values of a tree, by key path: "run.yaml:12" or "--set".

    `source` names the file, and file names in it are relative to `folder`.
    """

    def __init__(self, source: str, folder: Path) -> None:
        self.source, self.folder = source, folder
        self._places: dict[KeyPath, str] = {}

    def set(self, path: KeyPath, place: str) -> None:
        """Set the place of the value at `path`, and of everything in it."""
        self._places = {k: v for k, v in self._places.items() if k[: len(path)] != path}
        self._places[path] = place

    def add(self, path: KeyPath, line: int) -> None:
        """Record that the value at `path` is on `line` (from 1), unless its place is known."""
        self._places.setdefault(path, f"{self.source}:{line}")

    def graft(self, path: KeyPath, other: Places) -> None:
        """Add the places of another file's tree, which is included at `path`."""
        self.set(path, other.source)
        self._places.update({(*path, *key): place for key, place in other._places.items()})

    def of(self, path: KeyPath) -> str:
        """The place of the value at `path`, or of the innermost enclosing value with a place."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._places:
                return self._places[path[:end]]
        return self.source

    def problem(self, path: KeyPath, text: str) -> str:
        """The message of a problem at `path`: "run.yaml:12: fields.density.psnr: text"."""
        where = self.of(path)
        return f"{where}: {dotted(path)}: {text}" if path else f"{where}: {text}"


def dotted(path: KeyPath) -> str:
    """A key path as shown in messages: `actions[1].triggers.shock`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def read(file: Path) -> tuple[Any, Places]:
    """Read one YAML document. Not collective.

    Returns plain dicts (keys are strings), lists, strings, ints, floats, bools and None, and the
    places of all keys.

    Raises: ConfigError if the file cannot be read, is not YAML, or gives a key twice.
    """
    places = Places(file.name, file.resolve().parent)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{file}: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{file}: not UTF-8 text: {error.reason}"]) from None
    return parse(text, places), places


def parse(text: str, places: Places) -> Any:
    """Parse YAML text and record the places of its keys in `places`; otherwise as `read`."""
    import yaml

    try:
        loader = _loader_type()(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _Builder(loader, places).build(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        reason = error.problem or error.context
        raise ConfigError([f"{places.source}{line}: not valid YAML: {reason}"]) from None
    except RecursionError:
        raise ConfigError([f"{places.source}: not valid YAML: nested too deeply"]) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        reason = str(error).partition("\n")[0]
        raise ConfigError([f"{places.source}: not valid YAML: {reason}"]) from None


def override(tree: dict[str, Any], places: Places, text: str) -> None:
    """Set one value of `tree` from "a.b=value", where value is YAML. Modifies tree and places.

    Missing mappings on the path are created; items of a list are addressed by index, from 0.

    Raises: ConfigError if the text has no `=`, or the path leads through a scalar.
    """
    key, equals, value = text.partition("=")
    names = key.strip().split(".")
    if not equals or not all(names):
        raise ConfigError([f"--set {text}: expected KEY.KEY=VALUE"])
    parsed = parse(value, Places(f"--set {text}", places.folder))
    path: KeyPath = ()
    holder: Any = tree
    for position, name in enumerate(names):
        if holder is None or not isinstance(holder, dict | list):
            raise ConfigError([f"--set {text}: {dotted(path)} has no keys, it is {holder!r}"])
        step: Any = _step(holder, name, f"--set {text}: {dotted((*path, name))}")
        path = (*path, step)
        if position == len(names) - 1:
            holder[step] = parsed
        else:
            if isinstance(holder, dict) and holder.get(name) is None:
                holder[name] = {}
                places.set(path, "--set")
            holder = holder[step]
    places.set(path, "--set")


def _step(holder: dict[str, Any] | list[Any], name: str, where: str) -> str | int:
    """`name` as a key of `holder`, or as an existing index if that is a list."""
    if isinstance(holder, dict):
        return name
    if not name.isdecimal() or int(name) >= len(holder):
        raise ConfigError([f"{where}: expected a number below {len(holder)}"])
    return int(name)


class _Builder:
    """Turns YAML nodes into plain data; records lines and rejects duplicate keys."""

    def __init__(self, loader: Any, places: Places) -> None:
        self.loader, self.places = loader, places
        self.count = 0
        self.flattened: set[int] = set()  # ids of mappings seen; an alias leads to one again

    def build(self, node: Any, path: KeyPath) -> Any:
        import yaml

        self.count += 1
        if self.count > _MAX_NODES:  # aliases of aliases
            raise ConfigError([f"{self.places.source}: holds more than {_MAX_NODES} values"])
        if path:
            self.places.add(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        return self.loader.construct_object(node)

    def _mapping(self, node: Any, path: KeyPath) -> dict[str, Any]:
        if id(node) not in self.flattened:
            self.flattened.add(id(node))
            self._check_keys(node, path)
            self.loader.flatten_mapping(node)  # merges `<<`; the mapping's own keys come after it
        result = {}
        for key, value in node.value:
            self.places.add((*path, key.value), _line(key))
            result[key.value] = self.build(value, (*path, key.value))
        return result

    def _check_keys(self, node: Any, path: KeyPath) -> None:
        """Reject keys that are not plain names, and duplicate keys."""
        source = self.places.source
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = _line(key)
            if not isinstance(key.value, str):
                raise ConfigError([f"{source}:{line}: a key must be a name or a number"])
            if key.value in lines:
                where = dotted((*path, key.value))
                first = lines[key.value]
                raise ConfigError([f"{source}:{line}: {where}: given twice, first on line {first}"])
            lines[key.value] = line


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


@functools.cache
def _loader_type() -> Any:
    """PyYAML's safe loader with the scalars of YAML 1.2."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    for kind, pattern, starts in _SCALARS:
        tag = f"tag:yaml.org,2002:{kind}"
        Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(starts))
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
    return Loader
