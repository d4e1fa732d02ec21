"""Compressed steps on disk: a folder with a manifest and one frame file per rank.

In: entries of the window. Out: `manifest.json`, `rank_00000.frames`, ...; and the fields again.

The frame files only ever grow, so a run that dies loses at most the frame being written; the
manifest is written aside and renamed. Reading needs no MPI and any number of processes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insitu.codec import frame
from insitu.codec.frame import FrameError
from insitu.fields.distributed_field import DistributedField
from insitu.fields.read import read_field
from insitu.history.window import Entry
from insitu.parallel import RemoteError, together

if TYPE_CHECKING:
    from mpi4py import MPI

MANIFEST = "manifest.json"
FORMAT = "insitu record"
VERSION = 1


def frame_file(rank: int) -> str:
    return f"rank_{rank:05d}.frames"


class RecordWriter:
    """Appends steps to a record. Construction and `append` are collective."""

    def __init__(self, comm: MPI.Comm, path: Path) -> None:
        """Start a new record in folder `path`; one that is there already is replaced.

        Raises RemoteError on every rank where the folder cannot be made or written.
        """
        self.comm, self.path = comm, path
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

        Raises RemoteError on every rank where one cannot write; what was complete stays readable.
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
            # Whole or not at all, on every rank: what follows half a frame could not be read, and
            # what one rank has and another lacks would be written twice.
            if before is not None:
                with suppress(OSError):
                    os.truncate(path, before)
            raise
        for entry in new:
            self._written.add((entry.summary.name, entry.summary.cycle))
            self._steps.setdefault(entry.summary.name, []).append(_step(entry))
        with together(self.comm, f"record {self.path}"):
            if self.comm.rank == 0:
                self._write_manifest()

    def _write_manifest(self) -> None:
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "n_ranks": self.comm.size,
            "fields": self._steps,
        }
        aside = self.path / (MANIFEST + ".part")
        aside.write_text(json.dumps(manifest, indent=1, allow_nan=False))
        os.replace(aside, self.path / MANIFEST)


def _step(entry: Entry) -> dict[str, Any]:
    s = entry.summary
    return {
        "cycle": s.cycle,
        "time": s.time,
        "bounds": [s.bounds[0].tolist(), s.bounds[1].tolist()],
        "range": [[_json_number(value) for value in pair] for pair in s.range.tolist()],
        "n_blocks": s.n_blocks,
        "nbytes": s.nbytes,
        "psnr_db": _json_number(s.psnr_db),
        "ratio": s.ratio,
    }


def _json_number(value: float) -> float | None:
    """JSON knows neither infinity (an exact field's PSNR) nor NaN (the range of nothing): null."""
    return value if math.isfinite(value) else None


class Record:
    """A record on disk, for reading. Not collective: each process reads what it asks for."""

    def __init__(self, path: Path | str) -> None:
        """Open the record in folder `path`.

        Raises FileNotFoundError where there is none, FrameError where it is of another version or
        a frame file holds an altered frame. A torn last frame is left out.
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
        # (field, cycle) -> the frames of its blocks: file, first byte, length
        self._places: dict[tuple[str, int], list[tuple[Path, int, int]]] = {}
        for rank in range(self.n_ranks):
            self._index(self.path / frame_file(rank))

    @property
    def fields(self) -> list[str]:
        return sorted(self.steps)

    def load(self, field: str, step: int = -1) -> DistributedField:
        """All blocks of a field at one step: an index into `steps[field]`, negative from the end.

        KeyError or IndexError name what there is.
        """
        if field not in self.steps:
            raise KeyError(f"{self.path}: no field {field!r}; recorded: {', '.join(self.fields)}")
        steps = self.steps[field]
        if not -len(steps) <= step < len(steps):
            raise IndexError(f"{self.path}: {field} has {len(steps)} steps, none numbered {step}")
        at = steps[step]
        places = self._places.get((field, at["cycle"]), [])
        if len(places) != at["n_blocks"]:
            raise FrameError(
                f"{self.path}: {field} at cycle {at['cycle']} has {len(places)} of its "
                f"{at['n_blocks']} blocks"
            )
        blocks = [read_field(_read(place)) for place in places]
        return DistributedField.join(blocks)

    def _index(self, path: Path) -> None:
        size = path.stat().st_size
        with open(path, "rb") as file:
            at = 0
            while at < size:
                file.seek(at)
                try:
                    nbytes = frame.frame_nbytes(file.read(24))
                    if at + nbytes > size:
                        return  # torn: the run died while writing it
                    file.seek(at)
                    header, _ = frame.unpack(file.read(nbytes))
                except FrameError as error:
                    if size - at < 24:
                        return
                    raise FrameError(f"{path}, byte {at}: {error}") from None
                key = (str(header["name"]), int(header["cycle"]))
                self._places.setdefault(key, []).append((path, at, nbytes))
                at += nbytes


def _read(place: tuple[Path, int, int]) -> bytes:
    path, at, nbytes = place
    with open(path, "rb") as file:
        file.seek(at)
        return file.read(nbytes)


def open_record(path: Path | str) -> Record:
    """Open a record for reading; see `Record`. Not collective."""
    return Record(path)
