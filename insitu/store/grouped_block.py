"""A block in a group: its header, and the field on demand, from the differences that lead to it.

In: what the group's header says of it, and the block of the step before. Out: as `StoredBlock`.
"""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insitu.codecs import frame, zstd
from insitu.codecs.frame import FrameError
from insitu.codecs.weights import Weights
from insitu.fields import header as head
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from insitu.store import step_delta
from insitu.store.step_group import Stored
from insitu.store.stored_block import LINES, StoredBlock

_MOST = 1 << 40  # of a difference through ZSTD; the checksum was right


@dataclass
class StepBytes:
    """The bytes of a step in a file, under one checksum, which is verified at the first read."""

    path: Path
    at: int
    nbytes: int
    checksum: int
    _verified: bool = field(default=False, repr=False)

    def read(self, at: int, nbytes: int) -> bytes:
        """Bytes at a position in the file. Raises FrameError where the step was altered."""
        with open(self.path, "rb") as file:
            if self._verified:
                file.seek(at)
                return file.read(nbytes)
            file.seek(self.at)
            data = file.read(self.nbytes)
        if len(data) != self.nbytes or zlib.crc32(data) != self.checksum:
            raise FrameError("checksum does not match: the bytes were altered")
        self._verified = True
        return data[at - self.at :][:nbytes]


class GroupedBlock(StoredBlock):
    """One block of a group."""

    def __init__(
        self,
        step: StepBytes,
        at: int,
        header: dict[str, Any],
        stored: Sequence[tuple[Stored, int]],
        start: bytes,
        earlier: Sequence[GroupedBlock],
        before: GroupedBlock | None,
        share: int,
    ) -> None:
        """Raises FrameError where the entries do not belong together.

        Args:
            step: the bytes of its step; at: where its own begin.
            header: of its frame, without the lengths of the payloads.
            stored: of each payload, as in the group's header.
            start: the first bytes of the weights, which the group's header has.
            earlier: the blocks before it in the group.
            before: the block of the same domain one step before, if there is one.
            share: bytes of the group's header that count as the block's.
        """
        n_own = sum(n for kind, n in stored if kind.has_bytes)
        super().__init__(step.path, at, n_own + share, header)
        self._n_own, self._start = n_own + len(start), start
        self._step, self._stored, self._before = step, list(stored), before
        self._sources: list[GroupedBlock | None] = []
        self._places: list[int] = []
        for slot, (kind, number) in enumerate(stored):
            self._places.append(at)
            at += number if kind.has_bytes else 0
            self._sources.append(self._source(slot, kind, number, earlier))
        self._recent: weakref.ref[BlockField] | None = None

    def _source(
        self, slot: int, kind: Stored, number: int, earlier: Sequence[GroupedBlock]
    ) -> GroupedBlock | None:
        """The block that a payload is taken from, or counts from."""
        if kind is Stored.WHOLE:
            return None
        if kind is Stored.EARLIER:
            found = earlier[-number] if 1 <= number <= len(earlier) else None
        else:
            found = self._before
        if found is None or slot >= len(found._stored):
            raise FrameError(f"a payload {kind.name} of a block that is not there")
        if kind.is_difference and slot:
            raise FrameError("a difference of other than weights")
        return found

    @property
    def payload_nbytes(self) -> int:
        return self._n_own

    def _line_payloads(self) -> list[bytes]:
        if len(self._stored) < LINES.stop:
            raise FrameError(f"{self.path}, byte {self.at}: {len(self._stored)} payloads")
        return [self._plain(slot) for slot in range(LINES.start, LINES.stop)]

    def read(self) -> bytes:
        """The bytes of its frame, made anew."""
        return self.open().to_bytes()

    def open(self) -> BlockField:
        """The field, decoded anew. Raises FrameError if its bytes are corrupt, or those of an
        earlier step that it is a difference from."""
        chain = [self]
        while chain[-1]._counts and chain[-1]._before is not None:
            before = chain[-1]._before
            chain.append(before)
            if before._known is not None:
                break
        found: BlockField | None = None if len(chain) == 1 else chain[-1]._known
        if found is not None:
            chain.pop()
        for block in reversed(chain):
            try:
                found = block._decoded(found)
            except FrameError as error:
                needed = "" if block is self else f"; cycle {self.cycle} is a difference from it"
                raise FrameError(f"{self.path}, byte {block.at}: {error}{needed}") from None
            block._recent = weakref.ref(found)
        assert found is not None
        return found

    @property
    def _known(self) -> BlockField | None:
        """The field, if somebody holds it."""
        held = self.__dict__.get("field")
        if held is None and self._recent is not None:
            held = self._recent()
        return held

    @property
    def _counts(self) -> bool:
        """Whether its weights are a difference, or the same as weights that are."""
        if not self._stored:
            return False
        kind = self._stored[0][0]
        if kind is Stored.BEFORE and self._before is not None:
            return self._before._counts
        return kind.is_difference

    def _decoded(self, before: BlockField | None) -> BlockField:
        payloads = [b"" if slot == 0 and self._counts else self._plain(slot)
                    for slot in range(len(self._stored))]  # fmt: skip
        weights: Weights | None = None
        if self._counts:
            model = None if before is None else before.as_model
            if model is None:
                raise FrameError("a difference from a block without weights")
            kind, number = self._stored[0]
            if kind is Stored.BEFORE:
                payloads[0] = frame.unpack(model.to_bytes())[1][0]
                return read_field(frame.pack(self._header, payloads))
            data = self._start + self._step.read(self._places[0], number)
            if kind is Stored.PACKED_DIFFERENCE:
                data = zstd.decompress(data, _MOST)
            codec = head.word("weights", self._header.get("weights"))
            payloads[0], weights = step_delta.add_weights(data, codec, model)
        made = frame.pack(self._header, payloads)
        if weights is not None:
            return ModelField.from_bytes(made, None, weights)
        return read_field(made)

    def _plain(self, slot: int) -> bytes:
        """A payload that is no difference."""
        block = self
        while (source := block._sources[slot]) is not None:
            if block._stored[slot][0].is_difference:
                raise FrameError("a payload that is to be that of a difference")
            block = source
        number = block._stored[slot][1]
        data = block._step.read(block._places[slot], number) if number else b""
        return data if slot else block._start + data
