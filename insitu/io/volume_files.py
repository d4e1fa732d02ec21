"""Writes volumes as a folder with one file per block, which contains all fields.

In: each rank's blocks. Out: a folder, renamed to its final name when it is complete.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from insitu.core.atomic_file import atomic_file, discard, replace_folder, temporary
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.decomposition import samples
from insitu.filters.pipeline import VolumeData
from insitu.io import vtk_write
from insitu.io.libraries import library
from insitu.io.vtk_time import time_element
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Partition: TypeAlias = Mapping[str, SampledBlock]
Write: TypeAlias = "Callable[[MPI.Comm, Path, VolumeData, TimeStep], Path]"


def write_vtk(comm: MPI.Comm, path: Path, volume: VolumeData, step: TimeStep) -> Path:
    """Write `path`/00000.vtr and so on, and the index `path`.vtm, which is returned. Collective.

    Values are cell or point data, like the fields' samples. Raises RemoteError on every rank.
    """
    n_blocks = _write(comm, path, volume, ".vtr", lambda file, part: _vtr(file, part, step))
    index = path.with_name(f"{path.name}.vtm")
    with together(comm, f"write {index}"):
        if comm.rank == 0:
            files = [f"{path.name}/{number:05d}.vtr" for number in range(n_blocks)]
            _list(index, files, step.time)
    return index


def write_hdf5(comm: MPI.Comm, path: Path, volume: VolumeData, step: TimeStep) -> Path:
    """Write `path`/00000.h5 and so on; returns `path`. Collective.

    Each file has a dataset (nz, ny, nx[, n_components]) per field with its association as an
    attribute, the grid lines nodes/x, nodes/y and nodes/z, and the attributes cycle and time.
    Raises RemoteError on every rank.
    """

    def write(file: Path, part: Partition) -> None:
        with library("h5py", "hdf5").File(file, "w") as out:
            out.attrs["cycle"], out.attrs["time"] = step.cycle, step.time
            for letter, lines in zip("xyz", _first(part).nodes, strict=True):
                out[f"nodes/{letter}"] = lines
            for name, block in part.items():
                out[name] = samples(block)
                out[name].attrs["association"] = block.association

    _write(comm, path, volume, ".h5", write)
    return path


def write_numpy(comm: MPI.Comm, path: Path, volume: VolumeData, step: TimeStep) -> Path:
    """Write `path`/00000.npz and so on; returns `path`. Collective.

    Each file has an array (nz, ny, nx[, n_components]) per field, the grid lines x, y and z, cycle
    and time. Raises RemoteError on every rank.
    """

    def write(file: Path, part: Partition) -> None:
        arrays: dict[str, Any] = {name: samples(block) for name, block in part.items()}
        arrays |= dict(zip("xyz", _first(part).nodes, strict=True))
        np.savez(file, cycle=step.cycle, time=step.time, **arrays)

    _write(comm, path, volume, ".npz", write)
    return path


def _write(
    comm: MPI.Comm,
    path: Path,
    volume: VolumeData,
    suffix: str,
    write: Callable[[Path, Partition], None],
) -> int:
    """Have every rank write its blocks; returns the total number of blocks. Collective."""
    tmp = temporary(path, comm.bcast(os.getpid()))
    count = len(next(iter(volume.fields.values())))
    counts = comm.allgather(count)
    with together(comm, f"write {path}"):
        if comm.rank == 0:
            tmp.mkdir(parents=True)
    try:
        with together(comm, f"write {path}"):
            for i in range(count):
                number = sum(counts[: comm.rank]) + i
                part = {name: blocks[i] for name, blocks in volume.fields.items()}
                write(tmp / f"{number:05d}{suffix}", part)
        with together(comm, f"write {path}"):
            if comm.rank == 0:
                _replace(path, tmp, suffix)
    finally:
        if comm.rank == 0:
            discard(tmp)
    return sum(counts)


def _replace(path: Path, tmp: Path, suffix: str) -> None:
    """Rename `tmp` to `path`; an existing folder is replaced if it has only files of `suffix`."""
    pieces = path.is_dir() and all(file.suffix == suffix for file in path.iterdir())
    if path.exists() and not pieces:
        raise FileExistsError(f"{path}: already exists and is not a folder of {suffix} files")
    replace_folder(tmp, path)


def _first(part: Partition) -> SampledBlock:
    return next(iter(part.values()))


def _vtr(file: Path, part: Partition, step: TimeStep) -> None:
    grid = vtk_write.make_grid(_first(part).nodes, uniform=False)
    for name, block in part.items():
        vertex = block.association == "vertex"
        vtk_write.add_values(grid, "vertex" if vertex else "element", name, samples(block))
    vtk_write.add_time(grid, step.time)
    vtk_write.save(file, grid)


def _list(index: Path, files: list[str], time: float) -> None:
    """Write a .vtm index of these files, with their time."""
    root = ET.Element("VTKFile", type="vtkMultiBlockDataSet", version="1.0")
    blocks = ET.SubElement(root, "vtkMultiBlockDataSet")
    for number, file in enumerate(files):
        ET.SubElement(blocks, "DataSet", index=str(number), file=file)
    root.append(time_element(time))
    ET.indent(root)
    with atomic_file(index) as tmp:
        ET.ElementTree(root).write(tmp, xml_declaration=True, encoding="UTF-8")
