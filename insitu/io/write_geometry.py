"""Writes geometry to files: VTK for ParaView and VisIt, PLY and OBJ for mesh tools.

In: every rank's surface or lines. Out: one file, or one per rank with an index, written
atomically.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from insitu.core.atomic_file import atomic_file, discard, replace_folder, temporary
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.filters.geometry.join import join, weld
from insitu.io.obj import obj
from insitu.io.ply import ply
from insitu.io.vtp import kinds, pvtp, vtp

if TYPE_CHECKING:
    from mpi4py import MPI

_FORMATS: dict[str, Callable[[Surface, float | None], bytes]] = {
    ".vtp": vtp,
    ".ply": lambda surface, time: ply(surface),
    ".obj": lambda surface, time: obj(surface),
}
SURFACE_SUFFIXES = (".vtp", ".pvtp", ".ply", ".obj")
LINES_SUFFIXES = (".vtp", ".pvtp")

_Geometry = TypeVar("_Geometry", Surface, Lines)


def write_surface(comm: MPI.Comm, path: Path, surface: Surface, time: float | None = None) -> None:
    """Write the pieces of a surface on all ranks. Collective; `path` is the same on every rank.

    The suffix selects the format. `.vtp`, `.ply` and `.obj` are one file, gathered and written by
    rank 0, with points shared by several pieces merged. `.pvtp` is an index beside a folder of the
    same name, with one file per rank that has triangles. OBJ files have no values. VTK's formats
    keep the time of the simulation, if it is given.

    Raises:
        RemoteError: on every rank, if the suffix is unknown, the folder exists and contains
            anything but piece files, or a file cannot be written.
    """
    with together(comm, f"write {path}"):
        _check(path, SURFACE_SUFFIXES)
    if path.suffix.lower() == ".pvtp":
        _write_pieces(comm, path, surface, len(surface.triangles), time)
        return
    pieces = comm.gather(surface)
    with together(comm, f"write {path}"):
        if pieces is not None:
            _write(path, _FORMATS[path.suffix.lower()](weld(join(pieces)), time))


def write_lines(comm: MPI.Comm, path: Path, lines: Lines, time: float | None = None) -> None:
    """Write the lines of all ranks as `.vtp` (one file, in rank order) or `.pvtp`.

    Collective; time, paths, folders and errors as for `write_surface`.
    """
    with together(comm, f"write {path}"):
        _check(path, LINES_SUFFIXES)
    if path.suffix.lower() == ".pvtp":
        _write_pieces(comm, path, lines, lines.n_lines, time)
        return
    pieces = comm.gather(lines)
    with together(comm, f"write {path}"):
        if pieces is not None:
            _write(path, vtp(_join_lines(pieces), time))


def _check(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path}: unknown suffix '{path.suffix}'; expected {', '.join(suffixes)}")


def _write_pieces(
    comm: MPI.Comm, path: Path, geometry: _Geometry, n_cells: int, time: float | None
) -> None:
    """Write one file per rank that has cells to a folder, then the index. Collective."""
    folder = path.with_suffix("")
    tmp = temporary(folder, comm.bcast(os.getpid()))
    with together(comm, f"write {path}"):
        if comm.rank == 0:
            if folder.exists() and not _has_only_pieces(folder):
                raise FileExistsError(f"{folder}: already exists and is not a folder of .vtp files")
            tmp.mkdir()
    try:
        # If no rank has cells, rank 0 writes an empty piece, which declares the arrays.
        writers = [rank for rank, n in enumerate(comm.allgather(n_cells)) if n] or [0]
        names = [f"{rank:05d}.vtp" for rank in writers]
        with together(comm, f"write {path}"):
            if comm.rank in writers:
                _write(tmp / names[writers.index(comm.rank)], vtp(geometry, time))
        one = comm.bcast(kinds(geometry), root=writers[0])
        with together(comm, f"write {path}"):
            if comm.rank in writers and kinds(geometry) != one:
                raise ValueError(
                    f"arrays {kinds(geometry)}; expected those of rank {writers[0]}: {one}"
                )
        sources = [f"{folder.name}/{name}" for name in names]
        index = comm.bcast(pvtp(geometry, sources, time), writers[0])
        with together(comm, f"write {path}"):
            if comm.rank == 0:
                replace_folder(tmp, folder)
                _write(path, index)
    finally:
        if comm.rank == 0:
            discard(tmp)


def _has_only_pieces(folder: Path) -> bool:
    return folder.is_dir() and all(file.suffix == ".vtp" for file in folder.iterdir())


def _write(path: Path, data: bytes) -> None:
    with atomic_file(path) as tmp:
        tmp.write_bytes(data)


def _join_lines(pieces: list[Lines]) -> Lines:
    parts = [part for part in pieces if part.n_lines] or pieces[:1]
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    offsets = [part.offsets[1:] + at for part, at in zip(parts, starts, strict=False)]
    return Lines(
        np.concatenate([part.points for part in parts]),
        np.concatenate([[0], *offsets]).astype(np.int64),
        {name: np.concatenate([p.values[name] for p in parts]) for name in parts[0].values},
    )
