"""Steps of one rank as groups: a whole step, then differences, under one header.

In: entries of the window. Out: frames of version 7 for the end of the rank's file.
"""

from __future__ import annotations

import copy
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from insitu.codecs import frame, zstd
from insitu.fields import sparse_grid
from insitu.fields.block_field import BlockField
from insitu.store import step_delta, step_group
from insitu.store.manifest import Units
from insitu.store.step_group import Link, Meta, Stored
from insitu.store.window import Entry

KEY_EVERY = 8
"""Default: of so many steps one is written whole."""

_Domain = tuple[str, int]
"""Name of a field, and number of a domain."""


@dataclass
class _Made:
    """A group that is being made."""

    headers: list[dict[str, Any]] = field(default_factory=list)
    fields: list[tuple[str, int]] = field(default_factory=list)
    """Name and cycle of each block."""
    steps: list[bytes] = field(default_factory=list)
    places: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """Payloads other than weights that are in the group: the block that has each."""


class GroupEncoder:
    """Encodes all writes of one rank to one file. Not collective.

    Every `key_every` steps a group begins, with whole blocks. A write may end within a group; the
    next one continues it.
    """

    def __init__(self, rank: int, n_ranks: int, units: Units, key_every: int) -> None:
        self._rank, self._n_ranks, self._key_every = rank, n_ranks, key_every
        self._units = units if rank == 0 else None
        self._link: Link | None = None
        self._n_steps = 0  # of the group so far
        self._last: dict[_Domain, BlockField | None] = {}
        self.nbytes: dict[tuple[str, int], int] = {}
        """Bytes of the last write, by field and cycle; together the length of its frames, if there
        are blocks."""

    def copy(self) -> GroupEncoder:
        """An encoder to try a write with: this one stays as it is."""
        made = copy.copy(self)
        made._last, made.nbytes = dict(self._last), {}
        return made

    def groups(self, write: int, entries: Sequence[Entry]) -> Iterator[bytes]:
        """The frames of a write, made one after the other.

        entries: of all fields, each at most once at a cycle; written in the order of the cycles.
        """
        steps: dict[int, list[Entry]] = {}
        for entry in entries:
            steps.setdefault(entry.summary.cycle, []).append(entry)
        left = [steps[cycle] for cycle in sorted(steps)]
        while left:
            if self._n_steps == self._key_every or self._link is None or not self._link.number:
                self._link, self._n_steps, self._last = None, 0, {}
            room = self._key_every - self._n_steps
            yield self._group(write, left[:room])
            left = left[room:]

    def _group(self, write: int, steps: Sequence[Sequence[Entry]]) -> bytes:
        made = _Made()
        for entries in steps:
            self._add(made, entries)
        payload = b"".join(made.steps)
        checksums = [zlib.crc32(step) for step in made.steps]
        meta = Meta(write, self._rank, self._n_ranks, self._units)
        data, self._link = step_group.pack(meta, made.headers, checksums, payload, self._link)
        self._n_steps += len(steps)
        shares = step_group.shares(len(data) - len(payload), len(made.headers))
        for key, header, share in zip(made.fields, made.headers, shares, strict=True):
            own = step_group.stored_nbytes(header["stored"]) + share
            self.nbytes[key] = self.nbytes.get(key, 0) + own
        return data

    def _add(self, made: _Made, entries: Sequence[Entry]) -> None:
        """Add a step of all fields."""
        parts: list[bytes] = []
        last: dict[_Domain, BlockField | None] = {}
        for entry in entries:
            blocks = [(block, *frame.unpack(block.to_bytes())) for block in entry.blocks()]
            # As the frames say: a reader has no others.
            domains = Counter(header["domain_id"] for _, header, _ in blocks)
            for block, header, payloads in blocks:
                key = (block.name, header["domain_id"])
                alone = domains[header["domain_id"]] == 1
                before = self._last.get(key) if alone else None
                stored, own = _encoded(block, payloads, before, made)
                added: dict[str, Any] = {"n_blocks": entry.summary.n_blocks, "stored": stored}
                if n_head := _head_nbytes(block, own[0]):
                    added["head"], own[0] = list(own[0][:n_head]), own[0][n_head:]
                    stored[0][1] -= n_head
                made.headers.append(header | added)
                made.fields.append((entry.summary.name, entry.summary.cycle))
                parts += own
                last[key] = block if alone else None
        self._last |= last
        if parts:
            made.steps.append(b"".join(parts))


def _head_nbytes(block: BlockField, data: bytes) -> int:
    """Of what is stored of the weights, the first bytes, which are like those of other blocks."""
    model = block.as_model
    if model is None or model.weights.codec != sparse_grid.CODEC or not data:
        return 0
    return sparse_grid.head_nbytes(data, model.n_components)


def _encoded(
    block: BlockField, payloads: Sequence[bytes], before: BlockField | None, made: _Made
) -> tuple[list[list[int]], list[bytes]]:
    """What is stored of the payloads of a block's frame, and the bytes of these."""
    earlier = [] if before is None else frame.unpack(before.to_bytes())[1]
    stored: list[list[int]] = []
    parts: list[bytes] = []
    place = len(made.headers)
    for slot, payload in enumerate(payloads):
        kind, number, data = Stored.WHOLE, len(payload), payload
        if payload and slot < len(earlier) and payload == earlier[slot]:
            kind, number, data = Stored.BEFORE, 0, b""
        elif payload and slot and (slot, payload) in made.places:
            kind, number, data = Stored.EARLIER, place - made.places[slot, payload], b""
        elif slot:
            made.places[slot, payload] = place
        elif before is not None:
            kind, data = _smaller(block, before, payload)
            number = len(data)
        stored.append([int(kind), number])
        parts.append(data)
    return stored, parts


def _smaller(block: BlockField, before: BlockField, payload: bytes) -> tuple[Stored, bytes]:
    """The weights' payload, or its difference from the step before if that is smaller."""
    model, earlier = block.as_model, before.as_model
    difference = None
    if model is not None and earlier is not None:
        difference = step_delta.subtract_weights(model, earlier)
    if model is None or difference is None:
        return Stored.WHOLE, payload
    kind = Stored.DIFFERENCE
    if model.weights.codec != sparse_grid.CODEC:  # its numbers are coded as densely as they can be
        kind, difference = Stored.PACKED_DIFFERENCE, zstd.compress(difference)
    return (kind, difference) if len(difference) < len(payload) else (Stored.WHOLE, payload)
