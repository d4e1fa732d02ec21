"""Tables of headers, as frames of version 5 and manifests of version 3 have them. They stay
readable; `insitu.codecs.headers` is what is written.

In: bytes, which ZSTD has decompressed. Out: JSON-able headers, one after the other.

A header without its numbers is its form; every form is stored once, as JSON. The numbers are rows
of columns; a float is taken for the integer with the same 64 bits. A row is predicted by the row
`stride` rows before it, the first rows by those of an earlier table, or by the form before. The
differences are stored by columns and by bytes: what is zero in all rows takes one bit.

    text length u32 | rows u32 | text: JSON list of the forms | form of every row, u16 in two planes
    for each form: stride u32 | the first `stride` rows | the other rows; both as
        bits that are zero in all rows, of each column u8 | a bit for each byte of each column
        the bytes that are not zero in all rows, one after the other

Everything is little-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError

_HEAD = struct.Struct("<II")
_STRIDE = struct.Struct("<I")

Rows = NDArray[np.uint64]
"""(n, columns): the numbers of headers of one form, as their 64 bits."""


@dataclass(frozen=True)
class Table:
    """What is known after a table, for one that continues it."""

    rows: Mapping[str, Rows] = field(default_factory=dict)
    """Form -> its rows, in order."""


def table_of(headers: Sequence[Mapping[str, Any]]) -> Table:
    """What a table of these headers leaves behind for one that continues it."""
    numbers: dict[str, list[list[int | float]]] = {}
    for header in headers:
        row: list[int | float] = []
        form = json.dumps(_emptied(header, row), separators=(",", ":"))
        numbers.setdefault(form, []).append(row)
    return Table({form: _bits(rows, _columns(form)[0]) for form, rows in numbers.items()})


def decode(data: bytes, most_numbers: int, before: Table | None = None) -> list[dict[str, Any]]:
    """The headers. Not collective.

    most_numbers: limit of the numbers in all headers together, before anything is allocated.

    Raises FrameError where the bytes are no table, or need another one than `before`.
    """
    if len(data) < _HEAD.size:
        raise FrameError(f"headers: {len(data)} bytes")
    n_text, n_rows = _HEAD.unpack_from(data)
    at = _HEAD.size + n_text
    if at + 2 * n_rows > len(data):
        raise FrameError(f"headers: {len(data)} bytes for {n_rows} rows and a text of {n_text}")
    shapes, forms = _forms(data[_HEAD.size : at])
    index = _index_of_planes(data[at : at + 2 * n_rows])
    at += 2 * n_rows
    if n_rows and int(index.max()) >= len(forms):
        raise FrameError("headers: a row of a form that is not listed")
    done: dict[str, Rows] = {}
    headers: list[dict[str, Any]] = [{}] * n_rows
    for number, (form, shape) in enumerate(zip(forms, shapes, strict=True)):
        there = np.flatnonzero(index == number)
        floats, paths = _columns(form)
        most_numbers -= len(there) * len(paths)
        if most_numbers < 0:
            raise FrameError("headers: more numbers than such bytes can stand for")
        stride, differences, at = _read_form(data, at, len(there), len(paths))
        known = _first(stride, form, paths, done, before)
        done[form] = _restored(differences, stride, known)
        for row, values in zip(there.tolist(), _numbers(done[form], floats), strict=True):
            headers[row] = _filled(shape, iter(values))
    if at != len(data):
        raise FrameError(f"headers: {len(data) - at} bytes behind the last one")
    return headers


def _emptied(value: Any, numbers: list[int | float]) -> Any:
    """The value with 0 or 0.0 in place of its numbers, which go to `numbers`."""
    if isinstance(value, Mapping):
        return {key: _emptied(item, numbers) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_emptied(item, numbers) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"headers: {value} has more than 64 bits")
    numbers.append(value)
    return 0 if isinstance(value, int) else 0.0


def _filled(form: Any, numbers: Any) -> Any:
    """Inverse of `_emptied`."""
    if isinstance(form, dict):
        return {key: _filled(item, numbers) for key, item in form.items()}
    if isinstance(form, list):
        return [_filled(item, numbers) for item in form]
    if isinstance(form, bool) or not isinstance(form, int | float):
        return form
    return next(numbers)


def _columns(form: str) -> tuple[NDArray[np.bool_], list[str]]:
    """Which columns of a form are floats, and the path of each."""
    paths: list[str] = []
    floats: list[bool] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{path}/{key}")
        elif isinstance(value, list):
            for i, item in enumerate(value):
                walk(item, f"{path}/{i}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            paths.append(f"{path}:{type(value).__name__}")
            floats.append(isinstance(value, float))

    walk(json.loads(form), "")
    return np.array(floats, bool), paths


def _bits(rows: list[list[int | float]], floats: NDArray[np.bool_]) -> Rows:
    bits = np.empty((len(rows), len(floats)), np.uint64)
    for column, is_float in enumerate(floats):
        values = [row[column] for row in rows]
        bits[:, column] = np.array(values, np.float64 if is_float else np.int64).view(np.uint64)
    return bits


def _numbers(rows: Rows, floats: NDArray[np.bool_]) -> list[list[int | float]]:
    columns = [
        rows[:, c].view(np.float64 if is_float else np.int64).tolist()
        for c, is_float in enumerate(np.asarray(floats))
    ]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[]] * len(rows)


def _first(
    stride: int,
    form: str,
    paths: list[str],
    done: Mapping[str, Rows],
    before: Table | None,
) -> Rows:
    """(stride, columns): predictions of the first rows, from the table before, or else from the
    form that came last: its columns of the same paths."""
    if before is not None and len(before.rows.get(form, ())) >= stride:
        return before.rows[form][len(before.rows[form]) - stride :]
    known = np.zeros((stride, len(paths)), np.uint64)
    if done:
        form, rows = list(done.items())[-1]
        there = {path: column for column, path in enumerate(_columns(form)[1])}
        for column, path in enumerate(paths):
            if path in there:
                values = rows[:stride, there[path]]
                known[: len(values), column] = values
    return known


def _read_form(data: bytes, at: int, n: int, n_columns: int) -> tuple[int, list[Rows], int]:
    """Stride, the differences of the first and of the other rows, and where they end."""
    if at + _STRIDE.size > len(data):
        raise FrameError("headers: torn")
    (stride,) = _STRIDE.unpack_from(data, at)
    if not 1 <= stride <= max(n, 1):
        raise FrameError(f"headers: a stride of {stride} in {n} rows")
    at += _STRIDE.size
    parts = []
    for length in (min(stride, n), max(n - stride, 0)):
        part, at = _read_planes(data, at, length, n_columns)
        parts.append(part)
    return stride, parts, at


def _read_planes(data: bytes, at: int, n: int, n_columns: int) -> tuple[Rows, int]:
    """Differences (n, n_columns), and where their bytes end."""
    if at + 2 * n_columns > len(data):
        raise FrameError("headers: torn")
    shifts = np.frombuffer(data, np.uint8, n_columns, at).astype(np.int64)
    there = np.unpackbits(np.frombuffer(data, np.uint8, n_columns, at + n_columns)).astype(bool)
    at += 2 * n_columns
    n_bytes = n * int(there.sum())
    if at + n_bytes > len(data) or (shifts > 63).any():
        raise FrameError("headers: torn")
    planes = np.zeros((8 * n_columns, n), np.uint8)
    planes[there] = np.frombuffer(data, np.uint8, n_bytes, at).reshape(int(there.sum()), n)
    zigzag = np.ascontiguousarray(planes.T).view("<u8").reshape(n, n_columns).astype(np.uint64)
    half = zigzag >> np.uint64(1)
    small = np.where(zigzag & np.uint64(1), ~half, half)
    return small << shifts.astype(np.uint64), at + n_bytes


def _restored(differences: list[Rows], stride: int, first: Rows) -> Rows:
    rows = np.concatenate(differences)
    with np.errstate(over="ignore"):
        rows[:stride] += first[: len(rows)]
        for at in range(stride, len(rows), stride):
            own = rows[at : at + stride]
            own += rows[at - stride :][: len(own)]
    return rows


def _forms(text: bytes) -> tuple[list[Any], list[str]]:
    try:
        shapes = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"headers: not JSON: {error}") from None
    if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
        raise FrameError("headers: expected a list of objects")
    forms = [json.dumps(shape, separators=(",", ":")) for shape in shapes]
    if len(set(forms)) != len(forms):
        raise FrameError("headers: a form that is listed twice")
    return shapes, forms


def _index_of_planes(data: bytes) -> NDArray[np.uint16]:
    planes = np.frombuffer(data, np.uint8).reshape(2, -1)
    return np.ascontiguousarray(planes.T).view("<u2").reshape(-1).astype(np.uint16)
