"""Writes arrays as plain values: .npy, raw files and HDF5 (extra `hdf5`).

In: a part of an array. Out: a file, written block by block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.atomic_file import atomic_file
from insitu.io import comparison
from insitu.io.libraries import library
from insitu.io.part import Part

RAW = (".raw", ".bin", ".dat")
HDF5 = (".h5", ".hdf5")

Progress = Callable[[int, int], None] | None


def write_npy(path: Path, part: Part, progress: Progress = None) -> None:
    """Write an array (nz, ny, nx) or (ny, nx); for vectors the components are the last axis."""
    with atomic_file(path) as tmp:
        out = np.lib.format.open_memmap(tmp, "w+", part.volume.dtype, part.shape)
        _fill(out.reshape(_full(part)), part, progress)
        out.flush()


def write_raw(path: Path, part: Part, progress: Progress = None) -> None:
    """Write the bare values, in the same order as `write_npy`."""
    with atomic_file(path) as tmp:
        out = np.memmap(tmp, part.volume.dtype, "w+", shape=part.shape)
        _fill(out.reshape(_full(part)), part, progress)
        out.flush()


def write_hdf5(path: Path, part: Part, progress: Progress = None) -> None:
    """Write a dataset named like the field, with the shape that `write_npy` uses.

    Its dimension scales are the coordinates of the samples. Attributes: the association, and units
    and time if they are known.
    """
    with atomic_file(path) as tmp, library("h5py", "hdf5").File(tmp, "w") as file:
        data = file.create_dataset(part.volume.name, _full(part), part.volume.dtype)
        data.attrs["association"] = part.volume.association
        if part.unit:
            data.attrs["units"] = part.unit
        if part.time is not None:
            file.attrs["time"] = part.time
        for axis, letter, at in zip((2, 1, 0), "xyz", part.coordinates, strict=True):
            scale = file.create_dataset(f"coordinates/{letter}", data=at)
            scale.make_scale(letter)
            if part.length_unit:
                scale.attrs["units"] = part.length_unit
            data.dims[axis].attach_scale(scale)
        _fill(data, part, progress)


def _full(part: Part) -> tuple[int, ...]:
    """The shape with all three axes, also for 2-D data."""
    return part.grid + ((part.n_components,) if part.n_components > 1 else ())


def _fill(values: Any, part: Part, progress: Progress) -> None:
    done, total = 0, math.prod(part.grid)
    for box in comparison.parts(part.grid):
        values[box] = part.read(box)
        done += math.prod(axis.stop - axis.start for axis in box)
        if progress:
            progress(done, total)
