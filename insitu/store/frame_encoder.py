"""Steps of one rank as whole frames of version 4, as records of version 2 have them.

In: entries of the window. Out: frames for the end of the rank's file, so that a record that was
begun in this form is continued in it, and every insitu that reads its beginning reads all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from insitu.codecs import frame, json_frame
from insitu.store.manifest import Units, step
from insitu.store.step_table import Steps
from insitu.store.window import Entry

KIND = "record_write"


class FrameEncoder:
    """Encodes all writes of one rank to one file. Not collective. See `GroupEncoder`."""

    def __init__(self, rank: int, n_ranks: int, units: Units) -> None:
        self._rank, self._n_ranks, self._units = rank, n_ranks, units
        self.nbytes: dict[tuple[str, int], int] = {}

    def copy(self) -> FrameEncoder:
        return FrameEncoder(self._rank, self._n_ranks, self._units)

    def groups(self, write: int, entries: Sequence[Entry]) -> Iterator[bytes]:
        """The frame that says what follows, of rank 0 with the manifest's entries; then the blocks'
        frames."""
        header: dict[str, Any] = {
            "kind": KIND, "write": write, "rank": self._rank, "n_ranks": self._n_ranks
        }  # fmt: skip
        if self._rank == 0:
            steps: Steps = {}
            for entry in entries:
                steps.setdefault(entry.summary.name, []).append(step(entry.summary, write))
            header |= {"steps": steps, "units": self._units.to_dict()}
        yield json_frame.pack(header, [])
        for entry in entries:
            frames = [json_frame.pack(*frame.unpack(data)) for data in entry.frames]
            self.nbytes[entry.summary.name, entry.summary.cycle] = sum(map(len, frames))
            yield from frames
