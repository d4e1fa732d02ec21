"""The bytes of a group: steps of one rank, written together under one header.

In: what a write says, and the headers of blocks. Out: one frame of version 7; its header, read.

    number of headers that follow, in seven bits a byte
    headers (`insitu.codecs.headers`): of the write: its number, rank, n_ranks; on rank 0 units;
        number of steps and CRC-32 of each. Then of the blocks, step by step

A block's header is that of its frame, with two entries more: the number of blocks of the field's
step on all ranks, and instead of the lengths of the payloads what is stored of each: a `Stored`
and a number. Of a sparse grid's numbers, whole or a difference, the first bytes (levels, steps,
what neighbors share) are in the header ("head"), since they are like those of other blocks. A group
may continue the one before it in the file: its headers count from those, and its blocks may be
differences from the last ones of the same domain.

Version 5 has JSON of the write, checksums as u32 and a table of headers
(`insitu.codecs.header_table`). It stays readable.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from typing import Any

from insitu.codecs import group_frame, header_table, headers, prefix
from insitu.codecs.errors import FrameError
from insitu.codecs.group_frame import Header
from insitu.codecs.header_table import Table
from insitu.fields import header as head
from insitu.store.manifest import Units

_U32 = struct.Struct("<I")
_FREE_NUMBERS, _NUMBERS_PER_BYTE = 1 << 20, 256
"""A header of version 5 with b compressed bytes has at most so many numbers."""


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
    memory: headers.Memory = field(default_factory=headers.new_memory)
    entries_of_5: bytes = b""
    table_of_5: Table = field(default_factory=Table)


@dataclass(frozen=True)
class Group:
    """A group as read, without its payload."""

    meta: Meta
    checksums: list[int]
    headers: list[dict[str, Any]]
    link: Link


def pack(
    meta: Meta,
    blocks: Sequence[Mapping[str, Any]],
    checksums: Sequence[int],
    payload: bytes,
    before: Link | None,
) -> tuple[bytes, Link]:
    """The frame, and what it leaves to the next. Not collective.

    Args:
        blocks: their headers.
        checksums: of each step: consecutive headers of one cycle.
        before: stays as it is.
    """
    said: dict[str, Any] = {"write": meta.write, "rank": meta.rank, "n_ranks": meta.n_ranks}
    if meta.units is not None:
        said["units"] = meta.units.to_dict()
    said["checksums"] = list(checksums)
    memory = headers.new_memory() if before is None else before.memory.copy()
    count = prefix.pack(b"", [1 + len(blocks)])
    entries = count + headers.encode([said, *blocks], memory)
    data = group_frame.pack(entries, payload, 0 if before is None else before.number)
    return data, Link(group_frame.verified(data).number, memory)


def unpack(found: Header, before: Link | None) -> Group:
    """The group of a header; before: the link of the group before it in the file, if that is sound;
    it is used up. Raises FrameError, also where the group continues another one."""
    if found.continues and (before is None or before.number != found.continues):
        raise FrameError("continues steps that are damaged or missing")
    link = before if found.continues else None
    read = _read if found.version == 7 else _read_5
    said, checksums, blocks, left = read(found, link or Link(0))
    cycles = list(groupby(block.get("cycle") for block in blocks))
    if not isinstance(checksums, list) or len(checksums) != len(cycles):
        raise FrameError(f"header of a group: no checksums of {len(cycles)} steps")
    return Group(_meta(said), checksums, blocks, left)


_Read = tuple[Any, Any, list[dict[str, Any]], Link]
"""What is said of the write, the checksums, the blocks' headers, and what the group leaves."""


def _read(found: Header, before: Link) -> _Read:
    (n,), at = prefix.unpack(found.entries, 1, 0)
    if not n:
        raise FrameError("header of a group: nothing in it")
    said, *blocks = headers.decode(found.entries[at:], n, before.memory)
    checksums = said.get("checksums")
    return said, checksums, blocks, Link(found.number, before.memory)


def _read_5(found: Header, before: Link) -> _Read:
    header = group_frame.entries_of_5(found, before.entries_of_5)
    try:
        said, at = _text(header)
        (n_steps,) = _U32.unpack_from(header, at)
        checksums = [n for (n,) in _U32.iter_unpack(header[at + 4 : at + 4 + 4 * n_steps])]
    except (struct.error, ValueError, RecursionError) as error:
        raise FrameError(f"header of a group: {error}") from None
    most = _FREE_NUMBERS + _NUMBERS_PER_BYTE * len(found.entries)
    blocks = header_table.decode(header[at + 4 + 4 * n_steps :], most, before.table_of_5)
    left = Link(found.number, entries_of_5=header, table_of_5=header_table.table_of(blocks))
    return said, checksums, blocks, left


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
