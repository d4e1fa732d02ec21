"""Reads arrays from HDF5 files, through h5py (extra `hdf5`).

In: a file and the name of a dataset. Out: an ArraySource.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.errors import ConfigError
from insitu.io.array_source import StoredVolume, increasing, sample_grid
from insitu.io.libraries import library
from insitu.io.mapped import chosen


def names(path: Path) -> dict[str, str]:
    """Numeric datasets with at least two axes, in all groups and behind links: name ->
    description."""
    with _open(path) as file:
        return _names(file)


def _names(group: Any, prefix: str = "", above: frozenset[Any] = frozenset()) -> dict[str, str]:
    """above: the groups that lead here, among which a link may lead back."""
    found: dict[str, str] = {}
    for name in group:
        try:
            item = group[name]
        except (KeyError, OSError):  # a link to what is not there
            continue
        if hasattr(item, "keys"):
            if item.id not in above:
                found |= _names(item, f"{prefix}{name}/", above | {group.id})
        elif len(getattr(item, "shape", None) or ()) > 1 and item.dtype.kind in "fiu":
            found[f"{prefix}{name}"] = f"{item.dtype} {tuple(item.shape)}"
    return found


class Hdf5Volume(StoredVolume):
    """A dataset; the file stays open.

    Its grid is that of the group `nodes` (grid lines x, y, z) where the file has one, or of its
    dimension scales. What equals `_FillValue` or `missing_value`, attributes that NetCDF writes, is
    NaN.
    """

    def __init__(self, path: Path, dataset: str | None, step: int | None) -> None:
        """Raises ConfigError if the dataset is missing or has an unsupported shape or type."""
        file = _open(path)
        name = chosen(path, dataset.strip("/") if dataset else None, list(_names(file)))
        self._dataset = file[name]
        marks = (self._dataset.attrs.get(key, ()) for key in ("_FillValue", "missing_value"))
        self._missing = np.concatenate([np.ravel(mark) for mark in marks])
        super().__init__(
            name.rpartition("/")[2], self._dataset.shape, self._dataset.dtype, step=step
        )

        self._set_grid(file)

    def _set_grid(self, file: Any) -> None:
        lines = [file.get(f"nodes/{letter}") for letter in "xyz"]
        if all(line is not None for line in lines):
            x, y, z = (np.array(line, np.float64) for line in lines)
            sizes = (z.size, y.size, x.size)
            if sizes == tuple(n + 1 for n in self.grid_shape):
                self.association, self.nodes = "element", (x, y, z)
                return
            if sizes == self.grid_shape:
                self.association, self.nodes = "vertex", (x, y, z)
                return
        dims = [d for i, d in enumerate(self._dataset.dims) if i not in self.fixed]
        scales = {i: np.array(d[0], np.float64) for i, d in enumerate(dims) if len(d)}
        axes, turned = increasing(scales)
        usable = all(
            a.shape == (n,) and (np.diff(a) > 0).all()
            for a, n in zip(axes.values(), self.shape, strict=False)
        )
        if len(axes) == len(self.shape) and usable:
            self.reverse({i: dims[i].label or dims[i].keys()[0] for i in turned})
            z, y, x = [np.zeros(1)] * (3 - len(axes)) + list(axes.values())
            self.association, self.nodes = sample_grid(x, y, z)

    def load(self, index: tuple[int | slice, ...]) -> Array:
        part: Array = self._dataset[index]
        if self._missing.size:
            part = np.ma.masked_array(part, np.isin(part, self._missing))
        return part


def _open(path: Path) -> Any:
    with suppress(ModuleNotFoundError):
        import hdf5plugin  # noqa: F401  # registers the filters that it has
    try:
        return library("h5py", "hdf5").File(path, "r")
    except OSError as error:
        raise ConfigError([f"{path}: not an HDF5 file: {error}"]) from None
