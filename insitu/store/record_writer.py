"""Writing a record: a folder with a manifest and one frame file per rank.

In: entries of the window. Out: `manifest.json`, `rank_00000.frames`, ...; see
`insitu.store.record_files`. Steps are differences from the ones before, as in the window.

Nothing is removed: a record that is there is continued, or stays and a numbered one is written
beside it. Frames are only appended, so that a run that crashes loses at most what is being written.
Frames are on the disk before the manifest that lists them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.config import broadcast
from insitu.core.atomic_file import sync
from insitu.core.errors import ConfigError
from insitu.core.parallel import together
from insitu.fields.distributed_field import Summary
from insitu.store import frame_file, record_files
from insitu.store.frame_encoder import FrameEncoder
from insitu.store.group_encoder import KEY_EVERY, GroupEncoder
from insitu.store.manifest import (
    FRAMES,
    MANIFEST,
    VERSION,
    Manifest,
    Units,
    UnsupportedRecord,
    step,
)
from insitu.store.record import read_manifest
from insitu.store.record_lock import RecordLock
from insitu.store.step_table import Steps
from insitu.store.window import Entry

if TYPE_CHECKING:
    from mpi4py import MPI

_Encoder = GroupEncoder | FrameEncoder


@dataclass(frozen=True)
class _Place:
    """Where a run writes, decided on rank 0 when there is something to write."""

    folder: Path
    run: int
    """Its number among the runs that wrote there, from 1 on."""
    write: int
    """Number of the last write of the runs before."""
    told: str
    """What to tell about an earlier record; empty if all of it stays where it was."""
    version: int = VERSION
    """Of the manifest: a record that was begun in `FRAMES` is continued in it."""


class RecordWriter:
    """Appends steps to a record. Construction, `append` and `close` are collective."""

    def __init__(
        self,
        comm: MPI.Comm,
        path: Path,
        units: Units | None = None,
        *,
        overwrite: bool = False,
        key_every: int = KEY_EVERY,
    ) -> None:
        """Take the folder `path` for this run. Nothing in it changes before the first `append`.

        Args:
            overwrite: remove the record that is there, when there is something to write.
            key_every: every how many steps one is written whole, at least 1; the others are
                differences from the one before. To open any takes fewer than so many differences.

        Raises ConfigError on every rank if the folder cannot be created or written, or if another
        run writes to it.
        """
        self.comm, self.path, self.units, self.overwrite = comm, path, units or Units(), overwrite
        self._locks: dict[Path, RecordLock] = {}  # on rank 0
        self._place: _Place | None = None
        self._key_every = key_every
        self._encoder: _Encoder | None = None
        self._told = ""
        """What is still to be told about an earlier record."""
        self._manifest = Manifest(self.units, [comm.size])  # on rank 0
        self._written: dict[tuple[str, int], Summary] = {}
        self._end = 0
        """Bytes of this rank's file that are complete frames."""
        self._write = 0
        """Number of the last write."""
        self._listed = True
        """Whether the manifest has all that was written."""
        broadcast(comm, lambda: self._lock(path))

    def append(self, entries: Sequence[Entry]) -> str:
        """Write the entries (the same on all ranks) that are not in the record yet. Collective.

        Returns what is to be told about an earlier record, once, when the steps are written;
        else "".

        Raises RemoteError on every rank if one cannot write; complete steps stay readable. Frames
        that were written stay, even if the manifest could not be: the next call, or `close`, writes
        it again.
        """
        new = [e for e in entries if self._written.get(_key(e.summary)) is not e.summary]
        if new:
            if self._place is None:
                self._place = self._find_place(new)
                self.path, self._told = self._place.folder, self._place.told
                self._write = self._place.write
                self._encoder = self._new_encoder(self._place.version)
            assert self._encoder is not None
            self._encoder = self._append(new, self._place.run, self._encoder.copy())
        self._write_manifest()
        told, self._told = self._told, ""
        return told

    def close(self) -> None:
        """Complete the manifest, and release the record. Collective.

        Raises RemoteError on every rank if the manifest cannot be written, or the record not
        released.
        """
        try:
            self._write_manifest()
        finally:
            with together(self.comm, f"release {self.path}"), ExitStack() as locks:
                for lock in self._locks.values():
                    locks.callback(lock.release)

    @property
    def empty(self) -> bool:
        """Whether this run has written nothing."""
        return self._place is None

    def _new_encoder(self, version: int) -> _Encoder:
        rank, n_ranks = self.comm.rank, self.comm.size
        if version == FRAMES:
            return FrameEncoder(rank, n_ranks, self.units)
        return GroupEncoder(rank, n_ranks, self.units, self._key_every)

    def _append(self, new: Sequence[Entry], run: int, encoder: _Encoder) -> _Encoder:
        """Write the entries with an encoder, which is returned."""
        comm, number = self.comm, self._write + 1
        path = self.path / record_files.file_name(comm.rank, run)
        before = self._end
        try:
            with together(comm, f"record {self.path}"):
                self._end = frame_file.append(path, before, encoder.groups(number, new))
                if before == 0:
                    sync(self.path)
        except BaseException:
            # All or nothing, on every rank: a step that only some ranks have would be written
            # twice.
            self._end = before
            with suppress(OSError):
                os.truncate(path, before) if before else path.unlink(missing_ok=True)
            raise
        self._write, self._listed = number, False
        self._written.update({_key(entry.summary): entry.summary for entry in new})
        own = [encoder.nbytes.get(_key(entry.summary), 0) for entry in new]
        nbytes = np.empty(len(own), np.int64)
        comm.Allreduce(np.array(own, np.int64), nbytes)
        steps: Steps = {}
        for entry, total in zip(new, nbytes.tolist(), strict=True):
            made = step(entry.summary, number, total)
            steps.setdefault(entry.summary.name, []).append(made)
        self._manifest.add(steps)
        return encoder

    def _write_manifest(self) -> None:
        if self._place is None or self._listed:
            return
        with together(self.comm, f"record {self.path}"):
            if self.comm.rank == 0:
                self._manifest.write(self.path)
        self._listed = True

    def _lock(self, folder: Path) -> None:
        """Hold the lock of a record, as long as the run does. On rank 0."""
        if folder in self._locks:
            return
        try:
            self._locks[folder] = RecordLock(folder)
        except OSError as error:
            problem = f"record.path: cannot write to {folder}: {error.strerror or error}"
            raise ConfigError([problem]) from None

    def _find_place(self, new: Sequence[Entry]) -> _Place:
        """Where to write. Collective."""
        place: _Place | None = None
        with together(self.comm, f"record {self.path}"):
            if self.comm.rank == 0:
                place = self._choose([entry.summary for entry in new])
        place = self.comm.bcast(place)
        assert place is not None
        return place

    def _choose(self, new: Sequence[Summary]) -> _Place:
        """On rank 0: the record that is continued, or a new folder."""
        base = self.path
        if self.overwrite:
            _remove(base)
        if not record_files.is_record(base):
            return _Place(base, 1, 0, "")
        numbered = _numbered(base)
        last = max(numbered, default=1)
        newest = numbered.get(last, base)
        if newest != base:
            self._lock(newest)
        beside = base.with_name(f"{base.name}.{last + 1}")
        try:
            there, write = _there(newest)
        except UnsupportedRecord as error:  # of a newer insitu
            return self._write_beside(beside, newest, str(error))
        if reason := _unlike(there, new, self.units):
            return self._write_beside(beside, newest, reason)
        self._manifest = there
        there.runs.append(self.comm.size)
        told = _continued(newest, there, new, known=newest == base)
        return _Place(newest, len(there.runs), write, told, there.version)

    def _write_beside(self, beside: Path, newest: Path, reason: str) -> _Place:
        self._lock(beside)
        text = f"{newest} is of an earlier run and stays ({reason}); this run writes to {beside}"
        return _Place(beside, 1, 0, text)


def _there(folder: Path) -> tuple[Manifest, int]:
    """The manifest of a record, with complete steps of a run that died before it could list them;
    and the number of the last write."""
    manifest = read_manifest(folder)[0]
    contents = record_files.read(folder, manifest)
    if manifest is None:
        manifest = contents.manifest()
    else:
        manifest.add(contents.unlisted(manifest))
        manifest.runs = contents.all_runs(manifest.runs)
    return manifest, max(contents.newest_write, manifest.newest_write)


def _numbered(base: Path) -> dict[int, Path]:
    """The records "record.2", "record.3", ... beside one, by number."""
    found = {}
    for path in base.parent.iterdir():
        name, _, digits = path.name.rpartition(".")
        if name == base.name and digits.isdecimal() and record_files.is_record(path):
            found[int(digits)] = path
    return found


def _unlike(there: Manifest, new: Sequence[Summary], units: Units) -> str:
    """Why steps do not continue a record, or ""."""
    steps = {name: at for name, at in there.steps.items() if at}
    first = min(summary.cycle for summary in new)
    common = [summary for summary in new if summary.name in steps]
    if not common:
        return f"it has the fields {', '.join(sorted(steps)) or 'none'}"
    if there.units != units:
        return "its units differ"
    for summary in common:
        at = steps[summary.name][-1]
        if len(at["range"]) != len(summary.range):
            return f"its {summary.name} has {len(at['range'])} components"
        bounds = np.array(summary.bounds)
        if not np.allclose(at["bounds"], bounds, rtol=1e-6, atol=1e-6 * np.ptp(bounds)):
            return f"the domain of its {summary.name} differs"
    if all(at[0]["cycle"] >= first for at in steps.values()):
        return f"it begins at cycle {_first(steps)}, this run at {first}"
    return ""


def _first(steps: Steps) -> int:
    return min(int(at[0]["cycle"]) for at in steps.values())


def _continued(folder: Path, there: Manifest, new: Sequence[Summary], *, known: bool) -> str:
    """What to tell of a record that is continued: nothing where it is the `known` one, and goes on
    where the run before ended."""
    first = min(summary.cycle for summary in new)
    cycles = {one["cycle"] for at in there.steps.values() for one in at if one["cycle"] >= first}
    if known and not cycles:
        return ""
    replaced = f"; replaces its cycles {min(cycles)} to {max(cycles)}" if cycles else ""
    return f"{folder}: continued at cycle {first}{replaced}"


def _remove(folder: Path) -> None:
    if record_files.is_record(folder):
        (folder / MANIFEST).unlink(missing_ok=True)
        for path in record_files.paths(folder):
            path.unlink()


def _key(summary: Summary) -> tuple[str, int]:
    return summary.name, summary.cycle
