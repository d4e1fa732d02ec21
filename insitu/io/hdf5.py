"""Reads arrays from HDF5 files, through h5py (extra `hdf5`).

In: a file and the name of a dataset. Out: an ArraySource.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.errors import ConfigError
from insitu.io.array_source import StoredVolume
from insitu.io.libraries import library
from insitu.io.mapped import chosen


def names(path: Path) -> dict[str, str]:
    """Numeric datasets with at least two axes, in all groups: name -> description."""
    found: dict[str, str] = {}

    def visit(name: str, item: Any) -> None:
        if len(getattr(item, "shape", None) or ()) > 1 and item.dtype.kind in "fiu":
            found[name] = f"{item.dtype} {tuple(item.shape)}"

    with _open(path) as file:
        file.visititems(visit)
    return found


class Hdf5Volume(StoredVolume):
    """A dataset; the file stays open. What equals `_FillValue` or `missing_value`, attributes that
    NetCDF writes, is NaN."""

    def __init__(self, path: Path, dataset: str | None, step: int | None) -> None:
        """Raises ConfigError if the dataset is missing or has an unsupported shape or type."""
        known = names(path)
        name = chosen(path, dataset.strip("/") if dataset else None, list(known))
        self._dataset = _open(path)[name]
        marks = (self._dataset.attrs.get(key, ()) for key in ("_FillValue", "missing_value"))
        self._missing = np.concatenate([np.ravel(mark) for mark in marks])
        super().__init__(
            name.rpartition("/")[2], self._dataset.shape, self._dataset.dtype, step=step
        )

    def load(self, index: tuple[int | slice, ...]) -> Array:
        part: Array = self._dataset[index]
        if self._missing.size:
            part = np.ma.masked_array(part, np.isin(part, self._missing))
        return part


def _open(path: Path) -> Any:
    try:
        return library("h5py", "hdf5").File(path, "r")
    except OSError as error:
        raise ConfigError([f"{path}: not an HDF5 file: {error}"]) from None
