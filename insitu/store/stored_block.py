"""A block in a file of frames: metadata without decoding, and the field on demand.

In: position of its frame in the file. Out: geometry and metrics from the header; the field.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.core.arrays import Floats
from insitu.fields import header as head
from insitu.fields.block_field import BlockField, owned_samples
from insitu.fields.metrics import FieldMetrics
from insitu.fields.read import read_field

_KEYS = {
    "name", "association", "cycle", "time", "cells", "range", "nodes", "metrics", "dtype",
    "domain_id",
}  # fmt: skip
LINES = slice(1, 4)
"""Payloads of grid lines x, y, z, in the frames of all kinds of blocks."""


class StoredBlock:
    """One frame of a file. The checksum is verified when the frame is read, by `open`.

    Attributes are those of the field. An invalid header raises FrameError.
    """

    def __init__(self, path: Path, at: int, nbytes: int, header: dict[str, Any]) -> None:
        self.path, self.at, self.nbytes, self._header = path, at, nbytes, header
        if missing := _KEYS - header.keys():
            raise FrameError(f"{path}, byte {at}: header without {sorted(missing)}")
        self.name = head.word("name", header["name"])
        self.cycle = head.whole("cycle", header["cycle"])
        self.time = head.real("time", header["time"])
        self.cells = head.cells(header["cells"])
        self.range = head.value_range(header["range"])
        self.association = head.word("association", header["association"], ("element", "vertex"))
        self.dtype = np.dtype(head.word("dtype", header["dtype"], ("float32", "float64")))
        self.domain_id = head.whole("domain_id", header["domain_id"])
        self.dimension = head.dimension(header, self.cells)

    @property
    def n_components(self) -> int:
        return len(self.range)

    @property
    def payload_nbytes(self) -> int:
        """Bytes of what it stores itself, without headers and checksums."""
        return sum(head.sequence("payloads", self._header.get("payloads")))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Owned samples, (nz, ny, nx)."""
        return owned_samples(self.cells, self.association)

    @property
    def metrics(self) -> FieldMetrics:
        return head.metrics(self._header["metrics"], self.n_components)

    @cached_property
    def nodes(self) -> tuple[Floats, Floats, Floats]:
        """Grid lines x, y, z."""
        return self._read_lines(self._line_payloads())

    def _line_payloads(self) -> list[bytes]:
        lengths = [
            head.whole("payloads", length, 0, self.nbytes)
            for length in head.sequence("payloads", self._header.get("payloads"))
        ]
        if len(lengths) < LINES.stop or sum(lengths) > self.nbytes:
            raise FrameError(f"{self.path}, byte {self.at}: payloads of lengths {lengths}")
        after = self.at + self.nbytes - frame.CHECKSUM_NBYTES
        first = after - sum(lengths) + sum(lengths[: LINES.start])
        with open(self.path, "rb") as file:
            file.seek(first)
            return [file.read(length) for length in lengths[LINES]]

    def _read_lines(self, parts: list[bytes]) -> tuple[Floats, Floats, Floats]:
        entries = head.sequence("nodes", self._header["nodes"], 3)
        x, y, z = (
            head.read_lines(*each) for each in zip(entries, parts, self.cells[::-1], strict=True)
        )
        return x, y, z

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner, each (3,) x, y, z."""
        return (
            np.array([lines[0] for lines in self.nodes]),
            np.array([lines[-1] for lines in self.nodes]),
        )

    def read(self) -> bytes:
        """The bytes of its frame."""
        with open(self.path, "rb") as file:
            file.seek(self.at)
            return file.read(self.nbytes)

    @cached_property
    def field(self) -> BlockField:
        """The field, decoded once and cached. Raises FrameError if its bytes are corrupt."""
        return self.open()

    def open(self) -> BlockField:
        """The field, decoded anew. Raises FrameError if its bytes are corrupt."""
        try:
            return read_field(self.read())
        except FrameError as error:
            raise FrameError(f"{self.path}, byte {self.at}: {error}") from None
