"""Writes arrays as plain values: .npy, raw files, HDF5 (extra `hdf5`) and NetCDF (extra `netcdf`).

In: a part of an array, at one step or several. Out: a file, written block by block; several steps
make the first axis.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.atomic_file import atomic_file
from insitu.io import comparison
from insitu.io.libraries import library
from insitu.io.part import Part, Steps

RAW = (".raw", ".bin", ".dat")
HDF5 = (".h5", ".hdf5")
NETCDF = (".nc", ".nc4")

Progress = Callable[[int, int], None] | None


def write_npy(path: Path, what: Part | Steps, progress: Progress = None) -> None:
    """Write an array ([n_steps,] nz, ny, nx) or ([n_steps,] ny, nx); for vectors the components are
    the last axis."""
    part = _first(what)
    with atomic_file(path) as tmp:
        shape = (*_steps(what), *part.shape)
        out = np.lib.format.open_memmap(tmp, "w+", part.volume.dtype, shape)
        _allocate(tmp)
        _fill(out.reshape((*_steps(what), *_full(part))), what, progress)
        out.flush()


def write_raw(path: Path, what: Part | Steps, progress: Progress = None) -> None:
    """Write the bare values, in the same order as `write_npy`."""
    part = _first(what)
    with atomic_file(path) as tmp:
        out = np.memmap(tmp, part.volume.dtype, "w+", shape=(*_steps(what), *part.shape))
        _allocate(tmp)
        _fill(out.reshape((*_steps(what), *_full(part))), what, progress)
        out.flush()


def write_hdf5(path: Path, what: Part | Steps, progress: Progress = None) -> None:
    """Write a dataset named like the field, with the shape that `write_npy` uses.

    Its dimension scales are the coordinates of the samples and, for several steps, the time. The
    group `nodes` contains the grid lines. Attributes: the association, and units and time if they
    are known.
    """
    part = _first(what)
    with atomic_file(path) as tmp, library("h5py", "hdf5").File(tmp, "w") as file:
        shape = (*_steps(what), *_full(part))
        data = file.create_dataset(part.volume.name, shape, part.volume.dtype)
        data.attrs["association"] = part.volume.association
        if part.unit:
            data.attrs["units"] = part.unit
        offset = len(shape) - len(_full(part))
        for axis, letter, at in zip((2, 1, 0), "xyz", part.coordinates, strict=True):
            scale = file.create_dataset(f"coordinates/{letter}", data=at)
            scale.make_scale(letter)
            if part.length_unit:
                scale.attrs["units"] = part.length_unit
            data.dims[axis + offset].attach_scale(scale)
        for letter, lines in zip("xyz", part.nodes, strict=True):
            file[f"nodes/{letter}"] = lines
        times = _fill(data, what, progress)
        if offset and None not in times:
            scale = file.create_dataset("coordinates/time", data=np.array(times, np.float64))
            scale.make_scale("time")
            data.dims[0].attach_scale(scale)
        elif times[0] is not None and not offset:
            file.attrs["time"] = times[0]


def write_netcdf(path: Path, what: Part | Steps, progress: Progress = None) -> None:
    """Write a variable named like the field with dimensions ([time,] z, y, x[, component]).

    Its coordinate variables have bounds if the samples are in cells (CF conventions 1.8, section
    7.1).
    """
    part = _first(what)
    with atomic_file(path) as tmp, library("netCDF4", "netcdf").Dataset(str(tmp), "w") as file:
        file.Conventions = "CF-1.8"
        dims = [*(["time"] if isinstance(what, Steps) else []), *"zyx"]
        sizes = dict(zip("zyx", part.grid, strict=True))
        for name, size in sizes.items():
            file.createDimension(name, size)
        in_cells = part.volume.association == "element"
        if in_cells:
            file.createDimension("bounds", 2)
        for name, at, lines in zip("xyz", part.coordinates, part.nodes, strict=True):
            axis = file.createVariable(name, "f8", (name,))
            axis[:] = at
            axis.axis = name.upper()
            if part.length_unit:
                axis.units = part.length_unit
            if in_cells:
                axis.bounds = f"{name}_bounds"
                ends = file.createVariable(axis.bounds, "f8", (name, "bounds"))
                ends[:] = np.stack([lines[:-1], lines[1:]], axis=1)
        if isinstance(what, Steps):
            file.createDimension("time", what.count)
        if part.n_components > 1:
            file.createDimension("component", part.n_components)
            dims.append("component")
        data = file.createVariable(part.volume.name, part.volume.dtype, dims)
        if part.unit:
            data.units = part.unit
        times = _fill(data, what, progress)
        if None not in times:
            of = ("time",) if isinstance(what, Steps) else ()
            file.createVariable("time", "f8", of)[...] = times if of else times[0]


def _allocate(path: Path) -> None:
    """Take the room of a mapped file on the disk. A full one is an OSError now, and would end the
    process (SIGBUS) when the map is written."""
    with open(path, "r+b") as file:
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)


def _first(what: Part | Steps) -> Part:
    return what.first if isinstance(what, Steps) else what


def _steps(what: Part | Steps) -> tuple[int, ...]:
    """The shape before the grid's."""
    return (what.count,) if isinstance(what, Steps) else ()


def _full(part: Part) -> tuple[int, ...]:
    """The shape with all three axes, also for 2-D data."""
    return part.grid + ((part.n_components,) if part.n_components > 1 else ())


def _fill(values: Any, what: Part | Steps, progress: Progress) -> list[float | None]:
    """Write all samples, and return the time of every step."""
    several = isinstance(what, Steps)
    parts = what.on_one_grid() if isinstance(what, Steps) else iter([what])
    first = _first(what)
    done, total = 0, math.prod((*_steps(what), *first.grid))
    times = []
    for number, part in enumerate(parts):
        times.append(part.time)
        for box in comparison.parts(part.grid):
            values[(number, *box) if several else box] = part.read(box)
            done += math.prod(axis.stop - axis.start for axis in box)
            if progress:
                progress(done, total)
    return times
