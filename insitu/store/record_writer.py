"""Writing a record: a folder with a manifest and one frame file per rank.

In: entries of the window. Out: `manifest.json`, `rank_00000.frames`, ...

The frame files are append-only, so a run that crashes loses at most the frame being written. The
manifest is written to a temporary file, which is then renamed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insitu.core.atomic_file import atomic_file
from insitu.core.parallel import RemoteError, together
from insitu.fields.distributed_field import Summary
from insitu.store.window import Entry

if TYPE_CHECKING:
    from mpi4py import MPI

MANIFEST = "manifest.json"
FORMAT = "insitu record"
VERSION = 1


def frame_file(rank: int) -> str:
    return f"rank_{rank:05d}.frames"


@dataclass(frozen=True)
class Units:
    """Units of the numbers in a record; empty if unknown."""

    length: str = ""
    time: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class RecordWriter:
    """Appends steps to a record. Construction and `append` are collective."""

    def __init__(self, comm: MPI.Comm, path: Path, units: Units | None = None) -> None:
        """Start a new record in folder `path`; an existing record is replaced.

        Raises RemoteError on every rank if the folder cannot be created or written.
        """
        self.comm, self.path, self.units = comm, path, units or Units()
        self._written: set[tuple[str, int]] = set()
        self._steps: dict[str, list[dict[str, Any]]] = {}
        with together(comm, f"record {path}"):
            if comm.rank == 0:
                path.mkdir(parents=True, exist_ok=True)
                for old in (path / MANIFEST, *path.glob("rank_*.frames")):
                    old.unlink(missing_ok=True)
        with together(comm, f"record {path}"):
            (path / frame_file(comm.rank)).touch()

    def append(self, entries: Sequence[Entry]) -> None:
        """Write the entries (the same on all ranks) that are not in the record yet. Collective.

        Raises RemoteError on every rank if one cannot write; complete steps stay readable.
        """
        new = [e for e in entries if (e.summary.name, e.summary.cycle) not in self._written]
        if not new:
            return
        path = self.path / frame_file(self.comm.rank)
        before = None
        try:
            with together(self.comm, f"record {self.path}"):
                before = path.stat().st_size
                with open(path, "ab") as file:
                    file.writelines(data for entry in new for data in entry.frames)
        except RemoteError:
            # All or nothing, on every rank: nothing after a partial frame could be read, and a step
            # that only some ranks have would be written twice.
            if before is not None:
                with suppress(OSError):
                    os.truncate(path, before)
            raise
        for entry in new:
            self._written.add((entry.summary.name, entry.summary.cycle))
            self._steps.setdefault(entry.summary.name, []).append(step(entry.summary))
        with together(self.comm, f"record {self.path}"):
            if self.comm.rank == 0:
                self._write_manifest()

    def _write_manifest(self) -> None:
        write_manifest(self.path, self.comm.size, self._steps, self.units)


def write_manifest(
    path: Path, n_ranks: int, steps: Mapping[str, Sequence[Mapping[str, Any]]], units: Units
) -> None:
    """Write the manifest into the folder `path` atomically.

    steps: field name -> results of `step`.
    """
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "n_ranks": n_ranks,
        "units": {"length": units.length, "time": units.time, "fields": dict(units.fields)},
        "fields": steps,
    }
    with atomic_file(path / MANIFEST) as tmp:
        tmp.write_text(json.dumps(manifest, indent=1, allow_nan=False))


def step(s: Summary) -> dict[str, Any]:
    """The manifest's entry for a field at one step."""
    return {
        "cycle": s.cycle,
        "time": _json_number(s.time),
        "bounds": [s.bounds[0].tolist(), s.bounds[1].tolist()],
        "range": [[_json_number(value) for value in pair] for pair in s.range.tolist()],
        "n_blocks": s.n_blocks,
        "nbytes": s.nbytes,
        "psnr_db": _json_number(s.psnr_db),
        "ratio": s.ratio,
    }


def _json_number(value: float) -> float | None:
    """JSON has neither infinity (PSNR of an exact field) nor NaN (range of no values): null."""
    return value if math.isfinite(value) else None
