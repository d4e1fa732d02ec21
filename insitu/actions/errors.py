"""What is wrong at one place of a run file, and the checks that find it.

In: plain data and the path of keys where it stands. Out: checked values, or InvalidAction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeGuard

from insitu.core.errors import nearest
from insitu.core.validation import number
from insitu.core.yaml_tree import KeyPath
from insitu.filters.schema import UnknownField


class InvalidAction(ValueError):
    """What stands at a path is wrong. `also`: what else is wrong in the same entry."""

    def __init__(
        self,
        path: KeyPath,
        text: str,
        also: Sequence[InvalidAction] = (),
        *,
        unknown_field: bool = False,
        unknown_key: bool = False,
    ) -> None:
        """unknown_field: whether all that is wrong is that there is no such field; unknown_key:
        that the key at the end of the path means nothing."""
        super().__init__(text)
        self.path, self.text, self.also = path, text, tuple(also)
        self.unknown_field, self.unknown_key = unknown_field, unknown_key

    def below(self, path: KeyPath) -> InvalidAction:
        """The same, seen from above `path`."""
        also = [other.below(path) for other in self.also]
        return type(self)(
            (*path, *self.path),
            self.text,
            also,
            unknown_field=self.unknown_field,
            unknown_key=self.unknown_key,
        )


class DependentError(InvalidAction):
    """Invalid because it depends on something invalid, which is reported itself."""


def keys(mapping: Any, path: KeyPath, known: Sequence[str], required: Sequence[str] = ()) -> None:
    """Refuse what is not a mapping, has unknown keys, or lacks required ones."""
    if not isinstance(mapping, Mapping):
        raise InvalidAction(path, f"expected keys and values, found {shown(mapping)}")
    for key in mapping:
        if key not in known:
            hint = nearest(str(key), known) or f"; expected one of {', '.join(known)}"
            raise InvalidAction((*path, key), f"unknown key{hint}", unknown_key=True)
    for key in required:
        if key not in mapping:
            raise InvalidAction((*path, key), "is required")


def named(mapping: Any, path: KeyPath, what: str) -> Mapping[str, Any]:
    """Refuse what is not a mapping of at least one thing by name."""
    if not isinstance(mapping, Mapping) or not mapping:
        raise InvalidAction(path, f"expected {what} by name, found {shown(mapping)}")
    return mapping


@contextmanager
def inside(path: KeyPath) -> Iterator[None]:
    """Turn InvalidAction and ValueError("key/key: text") of the block, relative to `path`, into
    InvalidAction."""
    try:
        yield
    except InvalidAction as refused:
        raise refused.below(path) from None
    except ValueError as error:
        where, _, text = str(error).partition(": ")
        unknown = isinstance(error, UnknownField)
        raise InvalidAction((*path, *_steps(where)), text, unknown_field=unknown) from None


def _steps(where: str) -> Iterator[str | int]:
    """The path that "key/[2]/key" says."""
    for step in filter(None, where.split("/")):
        number = re.fullmatch(r"\[(\d+)\]", step)
        yield int(number[1]) if number else step


def among(value: Any, names: Container[str]) -> TypeGuard[str]:
    """Whether a value, which may be anything, is one of these names."""
    return isinstance(value, str) and value in names


def one_of(value: Any, path: KeyPath, choices: Collection[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in choices:
        hint = nearest(str(value), choices)
        raise InvalidAction(path, f"{value!r} is not one of {', '.join(choices)}{hint}")
    return value


def text(value: Any, path: KeyPath, what: str = "a text") -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidAction(path, f"expected {what}, found {shown(value)}")
    return value


def window(value: Any, path: KeyPath) -> int | Literal["all"]:
    """How many steps: a number from 1, or all."""
    if value == "all":
        return "all"
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidAction(path, f"{shown(value)} is neither a number of steps nor all")
    return value


def count(value: Any, where: str, most: int, least: int = 1) -> int:
    """A whole number in least..most. As all that follow, raises ValueError: "where: text"."""
    found = number(value, where, least, most)
    if found != int(found):
        raise ValueError(f"{where}: {value!r} is not a whole number")
    return int(found)


def numbers(value: Any, where: str, most: int = 10_000) -> tuple[float, ...]:
    """One number or a list of them, at least one, all finite."""
    items = value if isinstance(value, list | tuple) else [value]
    if not 1 <= len(items) <= most:
        raise ValueError(f"{where}: expected 1 to {most} numbers, found {len(items)}")
    return tuple(number(item, where) for item in items)


def color(value: Any, where: str) -> tuple[float, float, float]:
    """Red, green and blue in 0..1; of four, the last is Ascent's alpha, which must be 1."""
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        raise ValueError(f"{where}: expected red, green and blue in 0..1, found {shown(value)}")
    red, green, blue, *alpha = (number(v, where, 0, 1) for v in value)
    if alpha not in ([], [1]):
        raise ValueError(
            f"{where}: an opacity of {alpha[0]:g} is not supported; give red, green and blue (for "
            "a transparent background, render_bg: false)"
        )
    return red, green, blue


def flag(value: Any, where: str) -> bool:
    """Ascent writes its flags as the texts "true" and "false"."""
    if str(value).lower() not in ("true", "false"):
        raise ValueError(f"{where}: {value!r} is neither true nor false")
    return str(value).lower() == "true"


def shown(value: Any) -> str:
    """A value as a message shows it."""
    if isinstance(value, Mapping):
        return f"the keys {', '.join(map(str, value))}" if value else "nothing"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "nothing" if value is None else repr(value)
