"""Reading a record: its fields, steps and times.

In: the folder that a run wrote. Out: distributed fields. Reading needs no MPI, and works on any
number of processes, independent of how many ranks wrote the record.
"""

from __future__ import annotations

import logging
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
from insitu.store import record_files
from insitu.store.manifest import MANIFEST, Manifest, UnsupportedRecord
from insitu.store.recorded_field import RecordedField
from insitu.store.stored_block import StoredBlock


class Record:
    """A record on disk: a `TimeSeries` read by one process, with all blocks.

    No method is collective: each process reads what it needs. To distribute a record over the
    ranks of a communicator, use `insitu.store.shared_series.SharedSeries`.

    Attributes:
        path: folder of the record.
        n_ranks: number of ranks of the run that wrote to it last.
        steps: field name -> the manifest's entry of each step, oldest first: cycle, time, bounds,
            range, n_blocks, nbytes, psnr_db (null: exact), ratio, write (number of the write),
            max_error_of_range, and of a run gradient_db and normals_deg.
        units: units of length, of time and of the fields' values.
        problems: what is damaged or missing of the manifest and of the steps, one line each.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the record in folder `path`.

        Raises FileNotFoundError if there is none, and FrameError if its format version is not
        supported. Damage costs no more than what is damaged: a step without all its blocks raises
        FrameError when it is opened; a manifest that is damaged or missing is made anew from the
        frames, in memory. Both are logged as a warning. An incomplete last frame is ignored.
        Checksums of blocks are verified when they are opened.
        """
        self.path = Path(path)
        if not record_files.is_record(self.path):
            raise FileNotFoundError(f"{self.path}: no {MANIFEST}; is this the folder of a record?")
        manifest, self.problems = read_manifest(self.path)
        self._contents = record_files.read(self.path, manifest)
        if manifest is None:
            manifest = self._contents.manifest()
        self.n_ranks: int = manifest.runs[-1] if manifest.runs else 0
        self.steps: dict[str, list[dict[str, Any]]] = manifest.steps
        self.units = manifest.units
        self._entries: dict[str, list[RecordedStep]] = {}
        if lacking := self._contents.lacking(manifest):
            self.problems += [*lacking, *self._contents.damage, *self._contents.missing_files()]
        if self.problems:
            more = f" and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
            logging.getLogger("insitu").warning(
                "%s: %s%s; insitu check lists them", self.path, self.problems[0], more
            )

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
        blocks = self._contents.of(field, at)
        if len(blocks) != at["n_blocks"]:
            reasons = [*self._contents.damage, *self._contents.missing_files()][:1]
            raise FrameError(
                f"{self.path}: {field} at cycle {at['cycle']} has {len(blocks)} of its "
                f"{at['n_blocks']} blocks" + "".join(f"; {reason}" for reason in reasons)
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


def read_manifest(folder: Path) -> tuple[Manifest | None, list[str]]:
    """The manifest, or None and what is wrong with it. Raises UnsupportedRecord."""
    try:
        return Manifest.read(folder), []
    except FileNotFoundError:
        return None, [f"{MANIFEST} is missing; the steps are read from the frames"]
    except UnsupportedRecord:
        raise
    except FrameError as error:
        return None, [f"{error}; the steps are read from the frames"]


def open_record(path: Path | str) -> Record:
    """Open a record for reading; see `Record`. Not collective."""
    return Record(path)
