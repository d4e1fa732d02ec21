"""A running simulation as a series: the steps in its crash copy, or else in its record.

In: where the run keeps them. Out: the steps so far. The simulation is not touched, nor slowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from insitu.codecs.frame import FrameError
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.fields.read import read_field
from insitu.store import crash_file, recovery
from insitu.store.manifest import Units
from insitu.store.record import Record
from insitu.viewer.source import BlockSeries

_MOST_BYTES = 512 << 20  # of frames kept of steps that left the run's own window

Key = tuple[str, int]
"""Name of a field, and cycle."""


@dataclass(frozen=True)
class _Frame:
    """A block that was copied from a running simulation."""

    data: bytes

    def open(self) -> BlockField:
        return read_field(self.data)


@dataclass(frozen=True)
class RunningStep:
    """One field at one step."""

    frames: tuple[bytes, ...]

    @property
    def blocks(self) -> Sequence[_Frame]:
        return [_Frame(data) for data in self.frames]

    @cached_property
    def summary(self) -> Summary:
        return DistributedField.join([read_field(data) for data in self.frames]).summary


class Running:
    """The steps of a run, as a `BlockSeries` that grows with `look`."""

    def __init__(self, record: Path, scratch: Path) -> None:
        """record: the folder that the run file names; scratch: where crash copies are."""
        self.record, self.scratch = record, scratch
        self.units = Units()
        self.in_use = False
        self._steps: dict[Key, RunningStep] = {}
        self._recorded: Record | None = None
        self._written: tuple[int, int] | None = None

    def look(self) -> bool:
        """Look for new steps; whether there are any."""
        known = set(self._steps), self._written
        self._look_at_crash_copy()
        if not self._steps:
            self._look_at_record()
        return (set(self._steps), self._written) != known

    @property
    def series(self) -> BlockSeries:
        """What was found last."""
        return self._recorded if self._recorded is not None and not self._steps else self

    @property
    def names(self) -> list[str]:
        return sorted({name for name, _ in self._steps})

    def entries(self, name: str) -> Sequence[RunningStep]:
        """Oldest first."""
        return [step for (of, _), step in sorted(self._steps.items()) if of == name]

    def _look_at_crash_copy(self) -> None:
        runs = recovery.find([self.scratch])[0] if self.scratch.is_dir() else []
        mine = str(self.record.absolute())
        runs = [run for run in runs if run.owner.record == mine]
        self.in_use = any(run.in_use() for run in runs)
        found: dict[tuple[str, int, int], list[crash_file.Saved]] = {}
        for run in runs:
            self.units = run.owner.units
            for path, _ in run.files:
                try:
                    entries = crash_file.read(path).entries
                except (FrameError, OSError):  # the run ends, or is about to begin
                    continue
                for entry in entries:
                    found.setdefault((entry.name, entry.cycle, entry.sequence), []).append(entry)
        for (name, cycle, _), parts in sorted(found.items(), key=lambda item: item[0][2]):
            frames = tuple(data for part in parts for data in part.frames)
            if len(frames) == parts[0].n_blocks:
                self._steps[name, cycle] = RunningStep(frames)
        total = sum(len(f) for step in self._steps.values() for f in step.frames)
        while total > _MOST_BYTES and len(self._steps) > 1:
            oldest = min(self._steps, key=lambda key: key[1])
            total -= sum(map(len, self._steps.pop(oldest).frames))

    def _look_at_record(self) -> None:
        try:
            at = (self.record / "manifest.json").stat()
            if (at.st_mtime_ns, at.st_size) != self._written:
                self._recorded = Record(self.record)
                self._written = at.st_mtime_ns, at.st_size
                self.units = self._recorded.units
        except (OSError, FrameError, ValueError):  # not written yet, or just being written
            return
