"""A copy of the window that survives a crash of the simulation.

In: distributed fields as they are made. Out: one crash file per rank, in a folder of the run.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.core.parallel import RemoteError, together
from insitu.fields.distributed_field import DistributedField
from insitu.store.crash_file import CrashFile, Owner
from insitu.store.liveness import Process
from insitu.store.manifest import Units

if TYPE_CHECKING:
    from mpi4py import MPI

FOLDER = "insitu."
"""Prefix of the folders of runs."""
JOB_VARIABLES = ("PBS_JOBID", "SLURM_JOB_ID", "LSB_JOBID")


class CrashLog:
    """Construction and `store` are collective."""

    def __init__(
        self, comm: MPI.Comm, scratch: Path, record: Path, units: Units, *, remake: bool = False
    ) -> None:
        """Start a log.

        Args:
            comm: a communicator that only insitu uses.
            scratch: a folder on every node that outlives a process, such as /dev/shm.
            record: path of the run's record, stored for whoever finds the files.
            units: units of the fields.
            remake: create `scratch` if it is missing: it was there before.

        Raises: RemoteError on every rank if one of them cannot create its file.
        """
        self.comm = comm
        process = Process.this()
        job = next((os.environ[name] for name in JOB_VARIABLES if os.environ.get(name)), "")
        job = "".join(c if c.isalnum() or c in "-_" else "_" for c in job)
        host = process.host.partition(".")[0]
        mine = ".".join(
            part for part in (job, host, str(process.pid), f"{time.time_ns():x}") if part
        )
        run, job, where = comm.bcast((mine, job, str(record.absolute())))
        self.folder = scratch / (FOLDER + run)
        self._file: CrashFile | None = None
        try:
            with together(comm, f"record.scratch: {scratch}"):
                if remake:
                    scratch.mkdir(parents=True, exist_ok=True)
                if not scratch.is_dir():
                    raise NotADirectoryError(f"{scratch}: no such folder; see record.scratch")
                _make_private(self.folder)
                owner = Owner(run, job, comm.rank, comm.size, where, units, process)
                self._file = CrashFile(self.folder / owner.file_name, owner)
        except RemoteError:
            self.close(remove=True)
            raise
        self._next = 1
        self._kept: dict[str, deque[tuple[int, int | None]]] = {}
        self._stale: list[int] = []

    @property
    def nbytes(self) -> int:
        """Size of this rank's file in bytes."""
        return 0 if self._file is None else self._file.nbytes

    def store(self, fields: Iterable[DistributedField], window: Mapping[str, int]) -> None:
        """Store a step's fields (the same on all ranks), and release what left the window.

        window: number of steps that it holds of each field, with this one.

        A step that left the window is released one call later: by then all ranks have the step
        that replaced it, so that at any moment all ranks hold the same complete window.

        Raises: RemoteError on every rank if one is out of space; earlier steps stay complete.
        """
        numbered = list(enumerate(fields, self._next))
        self._next += len(numbered)
        try:
            with together(self.comm, f"crash file in {self.folder}"):
                if self._is_gone:
                    raise FileNotFoundError("was removed, with the steps in it")
                self._release(self._stale)
                for number, field in numbered:
                    self._append(number, field)
        except RemoteError:
            # A step that some rank failed to store is incomplete.
            self._release([number for number, _ in numbered])
            self._remember([(None, field) for _, field in numbered], window)
            raise
        self._remember(numbered, window)

    def _remember(
        self, new: Iterable[tuple[int | None, DistributedField]], window: Mapping[str, int]
    ) -> None:
        """Follow the window: what is stored of its steps (None: nothing), and what left it."""
        stale: list[int | None] = []
        for number, field in new:
            kept = self._kept.setdefault(field.summary.name, deque())
            while kept and kept[-1][0] >= field.summary.cycle:
                stale.append(kept.pop()[1])  # the simulation repeated a cycle, or went back
            kept.append((field.summary.cycle, number))
        for name, kept in self._kept.items():
            while len(kept) > window.get(name, 0):
                stale.append(kept.popleft()[1])
        self._stale = [number for number in stale if number is not None]

    def gone(self) -> bool:
        """Whether the file of any rank was removed by others. Collective: one reduction."""
        from mpi4py import MPI

        return self.comm.allreduce(self._is_gone, op=MPI.LOR)

    @property
    def _is_gone(self) -> bool:
        return self._file is not None and self._file.gone

    def close(self, *, remove: bool) -> None:
        """Close the log; `remove`: delete its files (the window is saved elsewhere, or unwanted).

        Not collective.
        """
        if self._file is not None:
            self._file.close(remove=remove)
            self._file = None
        if remove:
            with suppress(OSError):  # succeeds on the last rank of the node
                self.folder.rmdir()

    def _append(self, number: int, field: DistributedField) -> None:
        s = field.summary
        what = {"name": s.name, "cycle": s.cycle, "n_blocks": s.n_blocks}
        assert self._file is not None
        self._file.append(number, what, [block.to_bytes() for block in field.fields])

    def _release(self, numbers: Iterable[int]) -> None:
        if self._file is not None:
            for number in numbers:
                self._file.release(number)


def _make_private(folder: Path) -> None:
    """Create a folder for this user alone, or accept one that another rank has created.

    Raises OSError for a link, or a folder of somebody else: in /dev/shm anyone can put one there.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder}: not a folder of this user alone")
