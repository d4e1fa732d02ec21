"""The bytes of a group: steps of one rank, written together under one header.

In: what a write says, and the headers of blocks. Out: one frame of version 5; its header, read.

    length u32 | JSON: write, rank, n_ranks; of rank 0 units | steps u32 | CRC-32 of each step
    table of the blocks' headers (`insitu.codecs.header_table`), step by step

A block's header is that of its frame, with two entries more: the number of blocks of the field's
step on all ranks, and instead of the lengths of the payloads what is stored of each: a `Stored`
and a number. A group may continue the one before it in the file: its table goes on from there, and
its blocks may be differences from the last ones of the same domain.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any

from insitu.codecs import group_frame, header_table
from insitu.codecs.errors import FrameError
from insitu.codecs.header_table import Table
from insitu.fields import header as head
from insitu.store.manifest import Units

_U32 = struct.Struct("<I")
_FREE_NUMBERS, _NUMBERS_PER_BYTE = 1 << 20, 256
"""A compressed header of b bytes has at most so many numbers."""


class Stored(IntEnum):
    """What is stored of a payload."""

    WHOLE = 0
    """All of it; the number is its length."""
    BEFORE = 1
    """Nothing: it is that of the block's step before."""
    DIFFERENCE = 2
    """The weights, as a difference from the step before; the number is its length."""
    PACKED_DIFFERENCE = 3
    """The same, through ZSTD."""
    EARLIER = 4
    """Nothing: it is the same one of the block that many places before in the group."""

    @property
    def has_bytes(self) -> bool:
        """Whether the number counts bytes."""
        return self not in (Stored.BEFORE, Stored.EARLIER)

    @property
    def is_difference(self) -> bool:
        return self in (Stored.DIFFERENCE, Stored.PACKED_DIFFERENCE)


def stored_nbytes(stored: Sequence[Sequence[int]]) -> int:
    """Bytes of a block: of all its `Stored` and numbers."""
    return sum(number for kind, number in stored if Stored(kind).has_bytes)


def shares(nbytes: int, n_blocks: int) -> list[int]:
    """Bytes of a group's header, dealt out evenly to its blocks."""
    return [nbytes * (i + 1) // n_blocks - nbytes * i // n_blocks for i in range(n_blocks)]


@dataclass(frozen=True)
class Meta:
    """What a group says of its write."""

    write: int
    rank: int
    n_ranks: int
    units: Units | None
    """On rank 0."""


@dataclass(frozen=True)
class Link:
    """What a group leaves to the one that continues it."""

    number: int
    header: bytes
    table: Table


@dataclass(frozen=True)
class Group:
    """A group as read, without its payload."""

    meta: Meta
    checksums: list[int]
    headers: list[dict[str, Any]]
    link: Link


def pack(
    meta: Meta,
    headers: Sequence[Mapping[str, Any]],
    checksums: Sequence[int],
    payload: bytes,
    before: Link | None,
) -> tuple[bytes, Link]:
    """The frame, and what it leaves to the next. Not collective.

    checksums: of each step: consecutive headers of one cycle.
    """
    said: dict[str, Any] = {"write": meta.write, "rank": meta.rank, "n_ranks": meta.n_ranks}
    if meta.units is not None:
        said["units"] = meta.units.to_dict()
    text = json.dumps(said, separators=(",", ":")).encode()
    header = b"".join(
        [
            _U32.pack(len(text)),
            text,
            _U32.pack(len(checksums)),
            *map(_U32.pack, checksums),
            header_table.encode(headers, None if before is None else before.table),
        ]
    )
    least = -(-(header_table.n_numbers(headers) - _FREE_NUMBERS) // _NUMBERS_PER_BYTE)
    continued = None if before is None else (before.number, before.header)
    data = group_frame.pack(header, payload, continued, least)
    own = group_frame.header_nbytes(data)
    number = group_frame.number_of(data[: group_frame.PREFIX_NBYTES + own])
    return data, Link(number, header, header_table.table_of(headers))


def unpack(data: bytes, before: Link | None) -> Group:
    """The group of the verified bytes of a header; before: the link of the group before it in the
    file, if that is sound. Raises FrameError, also where the group continues another one."""
    continued = group_frame.continues(data)
    if continued and (before is None or before.number != continued):
        raise FrameError("continues steps that are damaged or missing")
    link = before if continued else None
    header = group_frame.header(data, b"" if link is None else link.header)
    try:
        said, at = _text(header)
        (n_steps,) = _U32.unpack_from(header, at)
        checksums = [n for (n,) in _U32.iter_unpack(header[at + 4 : at + 4 + 4 * n_steps])]
    except (struct.error, ValueError, RecursionError) as error:
        raise FrameError(f"header of a group: {error}") from None
    most = _FREE_NUMBERS + _NUMBERS_PER_BYTE * len(data)
    table = header[at + 4 + 4 * n_steps :]
    headers = header_table.decode(table, most, None if link is None else link.table)
    if len(checksums) != n_steps or len(list(groupby(h.get("cycle") for h in headers))) != n_steps:
        raise FrameError(f"header of a group: {len(checksums)} checksums")
    left = Link(group_frame.number_of(data), header, header_table.table_of(headers))
    return Group(_meta(said), checksums, headers, left)


def _text(header: bytes) -> tuple[Any, int]:
    (n_text,) = _U32.unpack_from(header)
    return json.loads(header[_U32.size : _U32.size + n_text]), _U32.size + n_text


def _meta(said: Any) -> Meta:
    if not isinstance(said, dict):
        raise FrameError("header of a group: not an object")
    write, n_ranks = head.whole("write", said.get("write"), 0), said.get("n_ranks")
    rank = head.whole("rank", said.get("rank"), 0)
    units = Units.from_dict(said["units"]) if "units" in said else None
    return Meta(write, rank, head.whole("n_ranks", n_ranks, 1), units)
