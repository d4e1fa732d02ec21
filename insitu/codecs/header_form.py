"""The form of a header: its keys and what kinds of values it has, without the values.

In: a JSON-able header. Out: its form, a sequence of marks, and its values in order; and back.

    { } [ ]     where objects and lists begin and end
    .key        the key of an entry
    i f s b n   an integer, a float, a text, true or false, null
    z           an integer of more than 64 bits, as a text of its digits
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from insitu.codecs.errors import FrameError
from insitu.codecs.header_values import Limit, Value, bits_of, float_of

MOST_DEPTH = 100
"""Objects and lists in each other."""


@dataclass(frozen=True)
class Form:
    """A complete and valid sequence of marks of one object."""

    marks: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    """Of each value: its kind, and its place, as "/key/2 f"."""

    @cached_property
    def index(self) -> dict[str, int]:
        """Number of the value at each place."""
        return {place: i for i, (_, place) in enumerate(self.places)}


class FormReader:
    """Takes marks one after the other, and says where it is."""

    def __init__(self) -> None:
        self.marks: list[str] = []
        self._places: list[tuple[str, str]] = []
        self._open: list[tuple[str, str, int]] = []
        """Of all that is open: "{" or "[", its path, number of entries so far."""
        self._path: str | None = ""
        """Of the value that has to come next; None: none has to."""
        self.context = ("", "", 0)
        """What the next mark depends on: the key that it is under, the mark before, how often."""

    @property
    def done(self) -> bool:
        return bool(self.marks) and not self._open

    @property
    def form(self) -> Form:
        return Form(tuple(self.marks), tuple(self._places))

    def take(self, mark: str) -> None:
        """Raises FrameError where the mark cannot come here."""
        kind, path, n = self._open[-1] if self._open else ("", "", 0)
        if not self.marks and mark != "{":
            raise FrameError("headers: expected an object")
        if kind == "{" and self._path is None:
            if mark.startswith("."):
                self._path = f"{path}/{mark[1:]}"
            elif mark != "}":
                raise FrameError(f"headers: {mark!r} in place of a key")
        elif mark != "]" or kind != "[":
            self._value(mark, f"{path}/{n}" if kind == "[" else self._path or "")
        if mark in ("}", "]"):
            self._open.pop()
            self._path = None
        self.marks.append(mark)
        same = self.context[2] + 1 if self.context[1] == mark else 0
        self.context = (self._key, mark, min(same, 3))

    @property
    def _key(self) -> str:
        """The key that the place is under, and the kind of what is open."""
        kind, path, n = self._open[-1] if self._open else ("", "", 0)
        names = [part for part in (self._path or path).split("/") if not part.isdecimal()]
        return f"{names[-1]} {kind}" + (f" {min(n, 3)}" if kind == "[" else "")

    def _value(self, mark: str, path: str) -> None:
        if mark in ("{", "["):
            if len(self._open) == MOST_DEPTH:
                raise FrameError(f"headers: more than {MOST_DEPTH} lists in each other")
        elif mark in tuple("ifsbz"):
            self._places.append((mark, f"{path} {mark}"))
        elif mark != "n":
            raise FrameError(f"headers: {mark!r} in place of a value")
        if self._open:
            kind, inside, n = self._open[-1]
            self._open[-1] = kind, inside, n + 1
        self._path = None
        if mark in ("{", "["):
            self._open.append((mark, path, 0))


def form_of(header: Mapping[str, Any], limit: Limit) -> tuple[Form, list[Value]]:
    """The form and the values. Raises ValueError where there are more marks than the limit has
    left, or lists are too deep in each other, and TypeError for what JSON cannot hold."""
    marks, values = list[str](), list[Value]()
    for mark, value in _marks(header):
        marks.append(mark)
        if value is not None:
            values.append(value)
        if len(marks) > limit.left:
            limit.take(len(marks))
    return (_form if len(marks) < _LONG else _made)(tuple(marks)), values


_LONG = 500


@lru_cache(maxsize=64)  # headers of one kind have the same form
def _form(marks: tuple[str, ...]) -> Form:
    return _made(marks)


def _made(marks: tuple[str, ...]) -> Form:
    reader = FormReader()
    for mark in marks:
        reader.take(mark)
    return reader.form


def header_of(form: Form, values: Iterable[Value]) -> dict[str, Any]:
    """Inverse of `form_of`. Raises FrameError for digits that are no number."""
    given = iter(values)
    stack: list[Any] = []
    keys: list[str] = []
    value: Any = None
    for mark in form.marks:
        if mark in ("{", "["):
            stack.append({} if mark == "{" else [])
            continue
        if mark.startswith("."):
            keys.append(mark[1:])
            continue
        if mark in ("}", "]"):
            value = stack.pop()
        elif mark == "n":
            value = None
        else:
            value = next(given)
            if mark != "s":
                value = _SCALARS[mark](value)
        if stack and isinstance(stack[-1], dict):
            stack[-1][keys.pop()] = value
        elif stack:
            stack[-1].append(value)
    assert isinstance(value, dict)
    return value


def _marks(value: Any) -> Iterator[tuple[str, Value | None]]:
    if value is None:
        yield "n", None
    elif isinstance(value, bool):
        yield "b", int(value)
    elif isinstance(value, int):
        yield ("i", value) if -(2**63) <= value < 2**63 else ("z", hex(value))
    elif isinstance(value, float):
        yield "f", bits_of(value)
    elif isinstance(value, str):
        yield "s", value
    elif isinstance(value, Mapping):
        yield "{", None
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"headers: {key!r} as a key; expected a text")
            yield f".{key}", None
            yield from _marks(item)
        yield "}", None
    elif isinstance(value, list | tuple):
        yield "[", None
        for item in value:
            yield from _marks(item)
        yield "]", None
    else:
        raise TypeError(f"headers: {type(value).__name__} is not JSON")


def _digits(text: Any) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise FrameError("headers: digits that are no number") from None


_SCALARS: dict[str, Callable[[Any], Any]] = {"i": int, "f": float_of, "b": bool, "z": _digits}
