"""Reading a record: its fields, steps and times.

In: the folder that a run wrote. Out: distributed fields. Reading needs no MPI, and works on any
number of processes, independent of how many ranks wrote the record.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.frame import FrameError
from insitu.core.limits import byte_size
from insitu.fields.distributed_field import Summary
from insitu.fields.metrics import FieldMetrics
from insitu.store import stored_block
from insitu.store.record_writer import FORMAT, MANIFEST, VERSION, Units, frame_file
from insitu.store.recorded_field import RecordedField
from insitu.store.stored_block import StoredBlock


class Record:
    """A record on disk: a `TimeSeries` read by one process, with all blocks.

    No method is collective: each process reads what it needs. To distribute a record over the
    ranks of a communicator, use `insitu.store.shared_series.SharedSeries`.

    Attributes:
        path: folder of the record.
        n_ranks: number of ranks that wrote it.
        steps: field name -> the manifest's entry of each step, oldest first: cycle, time, bounds,
            range, n_blocks, nbytes, psnr_db (null: exact), ratio.
        units: units of length, of time and of the fields' values.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the record in folder `path`.

        Raises FileNotFoundError if there is none, and FrameError if its format version is not
        supported or a frame file is invalid. An incomplete last frame is ignored. Checksums are
        verified when blocks are opened.
        """
        self.path = Path(path)
        manifest_path = self.path / MANIFEST
        if not manifest_path.is_file():
            raise FileNotFoundError(f"{self.path}: no {MANIFEST}; is this the folder of a record?")
        manifest = json.loads(manifest_path.read_text())
        if manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
            raise FrameError(
                f"{manifest_path}: {manifest.get('format')!r} version {manifest.get('version')}, "
                f"expected {FORMAT!r} version {VERSION}"
            )
        self.n_ranks: int = manifest["n_ranks"]
        self.steps: dict[str, list[dict[str, Any]]] = manifest["fields"]
        self.units = Units(**manifest.get("units", {}))
        self._entries: dict[str, list[RecordedStep]] = {}
        self._blocks: dict[tuple[str, int], list[StoredBlock]] = {}
        for rank in range(self.n_ranks):
            for block in stored_block.blocks(self.path / frame_file(rank)):
                self._blocks.setdefault((block.name, block.cycle), []).append(block)

    @property
    def fields(self) -> list[str]:
        return sorted(self.steps)

    @property
    def names(self) -> list[str]:
        """Fields with at least one step."""
        return [name for name in self.fields if self.steps[name]]

    def entries(self, name: str) -> Sequence[RecordedStep]:
        """The steps of a field, oldest first; KeyError naming the fields there are."""
        if name not in self._entries:
            n_steps = len(self[name].steps)
            self._entries[name] = [RecordedStep(self, name, step) for step in range(n_steps)]
        return self._entries[name]

    def __getitem__(self, field: str) -> Series:
        """A field over time. An unknown field raises KeyError, which lists the valid names."""
        if field not in self.steps:
            raise KeyError(f"{self.path}: no field {field!r}; recorded: {', '.join(self.fields)}")
        return Series(self, field)

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        lines = [f"<Record {self.path}, ranks: {self.n_ranks}"]
        lines += [f"  {self[name]!r}" for name in self.fields]
        return "\n".join(lines) + ">"

    def load(self, field: str, step: int = -1) -> RecordedField:
        """A field at one step; step: an index into `steps[field]`, negative from the end.

        Raises KeyError for an unknown field, IndexError for a step out of range, and FrameError
        if blocks are missing.
        """
        return RecordedField(self.blocks(field, step))

    def blocks(self, field: str, step: int = -1) -> list[StoredBlock]:
        """The blocks of a field at one step, not yet decoded, in the order of the writer's ranks.

        Raises as `load` does."""
        steps = self[field].steps
        if not -len(steps) <= step < len(steps):
            raise IndexError(f"{self.path}: no step {step}; {field} has {len(steps)} steps")
        at = steps[step]
        blocks = self._blocks.get((field, at["cycle"]), [])
        if len(blocks) != at["n_blocks"]:
            raise FrameError(
                f"{self.path}: {field} at cycle {at['cycle']} has {len(blocks)} of its "
                f"{at['n_blocks']} blocks"
            )
        return blocks


@dataclass(frozen=True)
class RecordedStep:
    """One field of a record at one step, as a `StoredStep`; made by `Record.entries`."""

    record: Record
    name: str
    step: int

    @cached_property
    def summary(self) -> Summary:
        """Read from the manifest and the block headers; no block is decoded."""
        known, blocks = self.record.steps[self.name][self.step], self.blocks
        low, high = (np.array(corner, np.float64) for corner in known["bounds"])
        return Summary(
            name=self.name,
            cycle=known["cycle"],
            time=math.nan if known["time"] is None else known["time"],
            bounds=(low, high),
            range=np.array(known["range"], np.float64),  # null is NaN
            metrics=FieldMetrics.total(block.metrics for block in blocks),
            nbytes=known["nbytes"],
            n_blocks=len(blocks),
        )

    @property
    def blocks(self) -> list[StoredBlock]:
        """All blocks, not yet decoded. Raises FrameError if some are missing."""
        return self.record.blocks(self.name, self.step)

    def open(self) -> RecordedField:
        """The field with all its blocks, which are decoded when they are read."""
        return RecordedField(self.blocks)


class Series:
    """A field over time; made by `record[name]`."""

    def __init__(self, record: Record, name: str) -> None:
        self.record, self.name = record, name

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The manifest's entries for this field; see `Record.steps`."""
        return self.record.steps[self.name]

    @property
    def cycles(self) -> NDArray[np.int64]:
        return np.array([step["cycle"] for step in self.steps], np.int64)

    @property
    def times(self) -> NDArray[np.float64]:
        """Times of the steps, in the simulation's unit (`record.units.time`, if recorded)."""
        return np.array([step["time"] for step in self.steps], np.float64)

    @property
    def unit(self) -> str:
        """Unit of the values; empty if unknown."""
        return self.record.units.fields.get(self.name, "")

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, step: int) -> RecordedField: ...

    @overload
    def __getitem__(self, step: slice) -> list[RecordedField]: ...

    def __getitem__(self, step: int | slice) -> RecordedField | list[RecordedField]:
        """The field at one step, negative from the end, or at several. Raises as `Record.load`."""
        if isinstance(step, slice):
            return [self.record.load(self.name, one) for one in range(len(self))[step]]
        return self.record.load(self.name, step)

    def __iter__(self) -> Iterator[RecordedField]:
        return (self.record.load(self.name, step) for step in range(len(self)))

    def __repr__(self) -> str:
        if not self.steps:
            return f"<Series {self.name}: no steps>"
        of = f" {self.unit}" if self.unit else ""
        first, last = self.steps[0]["cycle"], self.steps[-1]["cycle"]
        cycles = f"cycle {first}" if len(self) == 1 else f"cycles {first} to {last}"
        worst = min(math.inf if s["psnr_db"] is None else s["psnr_db"] for s in self.steps)
        quality = "exact" if worst == math.inf else f"at least {worst:.1f} dB"
        nbytes = byte_size(sum(s["nbytes"] for s in self.steps))
        return f"<Series {self.name}{of}: {len(self)} steps, {cycles}, {quality}, {nbytes}>"

    def sel(
        self, *, step: int | None = None, cycle: int | None = None, time: float | None = None
    ) -> RecordedField:
        """The field at one step, selected by exactly one argument.

        Args:
            step: index, negative from the end.
            cycle: cycle of the simulation, matched exactly; KeyError if it is not recorded.
            time: time of the simulation; selects the nearest step.
        """
        if [step, cycle, time].count(None) != 2:
            raise ValueError("expected one of step, cycle and time")
        if cycle is not None:
            there = self.cycles.tolist()
            if cycle not in there:
                known = ", ".join(map(str, there))
                raise KeyError(f"{self.record.path}: {self.name} has no cycle {cycle}; but {known}")
            step = there.index(cycle)
        elif time is not None:
            step = int(np.nanargmin(np.abs(self.times - time)))
        assert step is not None
        return self.record.load(self.name, step)


def open_record(path: Path | str) -> Record:
    """Open a record for reading; see `Record`. Not collective."""
    return Record(path)
