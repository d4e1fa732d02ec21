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
        self.alive = False
        """Whether a process of the run was alive at the last `look`, as its crash copy tells."""
        self.run = ""
        """Identifier of the run whose crash copy was found; empty: there is a record alone."""
        self._names: dict[str, None] = {}
        self._steps: dict[Key, RunningStep] = {}
        self._recorded: Record | None = None
        self._written: tuple[int, int] | None = None

    def look(self) -> bool:
        """Look for new steps; whether there are any, or the run has ended."""
        known = set(self._steps), self._written, self.run, self.alive
        try:
            self._look_at_crash_copy()
        except FileNotFoundError:  # the run ends, and takes its crash copy away: look again later
            return False
        if not self._steps:
            self._look_at_record()
        return (set(self._steps), self._written, self.run, self.alive) != known

    @property
    def series(self) -> BlockSeries:
        """What was found last."""
        return self._recorded if self._recorded is not None and not self._steps else self

    @property
    def names(self) -> list[str]:
        """In the order of their first steps: new ones come last, since browsers count fields."""
        return list(self._names)

    def entries(self, name: str) -> Sequence[RunningStep]:
        """Oldest first."""
        return [step for (of, _), step in sorted(self._steps.items()) if of == name]

    def _look_at_crash_copy(self) -> None:
        run = self._newest_run()
        self.alive = run is not None and run.in_use()
        if run is None:
            return
        if run.owner.run != self.run:  # steps of different runs are never mixed
            self.run, self.units = run.owner.run, run.owner.units
            self._steps.clear()
            self._names.clear()
        found: dict[tuple[str, int, int], list[crash_file.Saved]] = {}
        for path, _ in run.files:
            try:
                entries = crash_file.read(path).entries
            except FrameError:  # it is about to begin
                continue
            for entry in entries:
                found.setdefault((entry.name, entry.cycle, entry.sequence), []).append(entry)
        for (name, cycle, _), parts in sorted(found.items(), key=lambda item: item[0][2]):
            frames = tuple(data for part in parts for data in part.frames)
            if len(frames) == parts[0].n_blocks:
                self._steps[name, cycle] = RunningStep(frames)
                self._names[name] = None
        total = sum(len(f) for step in self._steps.values() for f in step.frames)
        while total > _MOST_BYTES and len(self._steps) > 1:
            oldest = min(self._steps, key=lambda key: key[1])
            total -= sum(map(len, self._steps.pop(oldest).frames))

    def _newest_run(self) -> recovery.Run | None:
        """One that is alive, if there is one: a crash leaves its copy behind."""
        found = recovery.find([self.scratch])[0] if self.scratch.is_dir() else []
        mine = str(self.record.absolute())
        newest: tuple[tuple[bool, int], recovery.Run] | None = None
        for run in found:
            alive = run.in_use()
            if run.owner.record != mine or not (alive or self.run in ("", run.owner.run)):
                continue
            age = alive, max(path.stat().st_mtime_ns for path, _ in run.files)
            if newest is None or age > newest[0]:
                newest = age, run
        return newest[1] if newest else None

    def _look_at_record(self) -> None:
        try:
            at = (self.record / "manifest.json").stat()
            if (at.st_mtime_ns, at.st_size) != self._written:
                self._recorded = Record(self.record)
                self._written = at.st_mtime_ns, at.st_size
                self.units = self._recorded.units
        except (OSError, FrameError, ValueError):  # not written yet, or just being written
            return
