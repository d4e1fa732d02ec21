"""Reading a record: fields, steps, time, boxes, and the fields themselves.

In: the folder that a run wrote. Out: distributed fields. Reading needs no MPI and any number of
processes, whatever the number that wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.frame import FrameError
from insitu.fields.distributed_field import Summary
from insitu.fields.metrics import FieldMetrics
from insitu.store import stored_block
from insitu.store.record_writer import FORMAT, MANIFEST, VERSION, Units, frame_file
from insitu.store.recorded_field import RecordedField
from insitu.store.stored_block import StoredBlock


class Record:
    """A record on disk: a `TimeSeries` of one process, which holds all blocks.

    No method is collective: each process reads what it asks for. For the processes of a
    communicator together, `insitu.store.shared_series.SharedSeries` cuts it over them.

    Attributes:
        path: its folder.
        n_ranks: of the run that wrote it.
        steps: what the manifest says of every step, oldest first, by field: cycle, time, bounds,
            range, n_blocks, nbytes, psnr_db (null: exact), ratio.
        units: of length, time and the fields' values.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the record in folder `path`.

        Raises FileNotFoundError where there is none, FrameError where it is of another version or
        a frame file holds something else. A torn last frame is left out; a checksum is compared
        when its block is opened.
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
        """The steps of a field; KeyError naming the fields there are."""
        if field not in self.steps:
            raise KeyError(f"{self.path}: no field {field!r}; recorded: {', '.join(self.fields)}")
        return Series(self, field)

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.steps)

    def load(self, field: str, step: int = -1) -> RecordedField:
        """A field at one step: an index into `steps[field]`, negative from the end.

        KeyError or IndexError name what there is; FrameError where blocks are missing.
        """
        return RecordedField(self.blocks(field, step))

    def blocks(self, field: str, step: int = -1) -> list[StoredBlock]:
        """The blocks of a field at one step, unopened, in the order of the writer's ranks; raises
        as `load`."""
        steps = self[field].steps
        if not -len(steps) <= step < len(steps):
            raise IndexError(f"{self.path}: {field} has {len(steps)} steps, none numbered {step}")
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
        """From the manifest and the headers of the blocks: no block is opened."""
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
        """Unopened; FrameError where some are missing."""
        return self.record.blocks(self.name, self.step)

    def open(self) -> RecordedField:
        """The field with all its blocks, which are opened when they are read."""
        return RecordedField(self.blocks)


class Series:
    """A field over time; made by `record[name]`."""

    def __init__(self, record: Record, name: str) -> None:
        self.record, self.name = record, name

    @property
    def steps(self) -> list[dict[str, Any]]:
        """As `Record.steps`, of this field."""
        return self.record.steps[self.name]

    @property
    def cycles(self) -> NDArray[np.int64]:
        return np.array([step["cycle"] for step in self.steps], np.int64)

    @property
    def times(self) -> NDArray[np.float64]:
        """In the simulation's unit, `record.units.time` where it was told."""
        return np.array([step["time"] for step in self.steps], np.float64)

    @property
    def unit(self) -> str:
        """Of the values; empty where nobody told."""
        return self.record.units.fields.get(self.name, "")

    def __len__(self) -> int:
        return len(self.steps)

    def sel(
        self, *, step: int | None = None, cycle: int | None = None, time: float | None = None
    ) -> RecordedField:
        """The field at one step, by one of three.

        Args:
            step: index, negative from the end.
            cycle: of the simulation, exactly; KeyError naming those there are.
            time: of the simulation; the step nearest to it.
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
