"""The groups of one file, in order: blocks with the earlier ones that they are differences from.

In: headers of groups, as they come in the file. Out: the blocks, not yet decoded.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from insitu.codecs.frame import FrameError
from insitu.fields import header as head
from insitu.store import step_group
from insitu.store.frame_file import FoundGroup
from insitu.store.grouped_block import GroupedBlock, StepBytes
from insitu.store.step_group import Link, Meta, Stored


class GroupDecoder:
    """Reads the groups of a file. Not collective."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._link: Link | None = None
        self._last: dict[tuple[str, int], GroupedBlock] = {}

    def lose(self) -> None:
        """Something in the file is damaged: what continues it cannot be read."""
        self._link, self._last = None, {}

    def read(self, found: FoundGroup) -> tuple[Meta, list[tuple[int, GroupedBlock]]]:
        """What a group says of its write, and its blocks, each with the number of blocks of its
        step. Raises FrameError for a group that cannot be read; it is lost then."""
        before, last = self._link, self._last
        self.lose()
        group = step_group.unpack(found.header, before)
        if not found.continues:
            last = {}
        blocks: list[tuple[int, GroupedBlock]] = []
        made: list[GroupedBlock] = []
        whole = len(group.headers)
        shares = iter(step_group.shares(found.nbytes - found.payload_nbytes, whole))
        at, end = found.at + found.nbytes - found.payload_nbytes, found.at + found.nbytes
        steps = groupby(group.headers, key=lambda header: header.get("cycle"))
        for checksum, (_, headers) in zip(group.checksums, steps, strict=True):
            listed = [(header, _stored(header), _head(header)) for header in headers]
            nbytes = sum(step_group.stored_nbytes(stored) for _, stored, _ in listed)
            if at + nbytes > end:
                raise FrameError("header of a group: more bytes than there are")
            step = StepBytes(self.path, at, nbytes, checksum)
            new: dict[tuple[str, int], GroupedBlock] = {}
            for header, stored, start in listed:
                n_blocks = head.whole("n_blocks", header.pop("n_blocks", None), 1)
                key = (str(header.get("name")), header.get("domain_id", 0))
                before_it, share = last.get(key), next(shares)
                block = GroupedBlock(step, at, header, stored, start, made, before_it, share)
                at += step_group.stored_nbytes(stored)
                new[key] = block
                made.append(block)
                blocks.append((n_blocks, block))
            last = {**last, **new}
        if at != end:
            raise FrameError(f"header of a group: {end - at} bytes too many")
        self._link, self._last = group.link, last
        return group.meta, blocks


def _stored(header: dict[str, Any]) -> list[tuple[Stored, int]]:
    pairs = head.sequence("stored", header.pop("stored", None))
    found = []
    for pair in pairs:
        kind, number = head.sequence("stored", pair, 2)
        if kind not in list(Stored):
            raise FrameError(f"stored: {kind} is none of {[int(k) for k in Stored]}")
        found.append((Stored(kind), head.whole("stored", number, 0)))
    return found


def _head(header: dict[str, Any]) -> bytes:
    """The first bytes of the weights, which are not among the payloads."""
    found = header.pop("head", [])
    if not isinstance(found, list) or not all(type(n) is int and 0 <= n < 256 for n in found):
        raise FrameError("head: expected bytes")
    return bytes(found)
