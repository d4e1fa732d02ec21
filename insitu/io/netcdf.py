"""Reads variables from NetCDF files, through netCDF4 (extra `netcdf`).

In: a file and the name of a variable. Out: an ArraySource, with the file's coordinates if any.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.errors import ConfigError
from insitu.io.array_source import StoredVolume, sample_grid
from insitu.io.libraries import library
from insitu.io.mapped import chosen


def names(path: Path) -> dict[str, str]:
    """Numeric variables with at least two axes: name -> description."""
    with _open(path) as file:
        return _names(file)


class NetcdfVolume(StoredVolume):
    """A variable; the file stays open. Masked values (_FillValue) are NaN.

    The file's coordinates are used if every axis has a coordinate variable with increasing values;
    otherwise the grid lines are the cell indices.
    """

    def __init__(self, path: Path, dataset: str | None, step: int | None) -> None:
        """Raises ConfigError if the variable is missing or has an unsupported shape or type."""
        self._file = _open(path)
        name = chosen(path, dataset, list(_names(self._file)))
        self._variable = self._file.variables[name]
        super().__init__(name, self._variable.shape, _decoded_type(self._variable), step=step)
        named = [_coordinates(self._file, d) for d in self._variable.dimensions]
        axes = [a for i, a in enumerate(named) if a is not None and i not in self.fixed]
        if len(axes) == len(self.shape):
            z, y, x = [np.zeros(1)] * (3 - len(axes)) + axes
            self.association, self.nodes = sample_grid(x, y, z)

    @property
    def sample_nbytes(self) -> int:
        return int(self._variable.dtype.itemsize)

    def load(self, index: tuple[int | slice, ...]) -> Array:
        part: Array = self._variable[index].astype(self.dtype, copy=False)
        return part


def _names(file: Any) -> dict[str, str]:
    return {
        name: f"{variable.dtype} {tuple(variable.shape)}"
        for name, variable in file.variables.items()
        if len(variable.shape) > 1 and getattr(variable.dtype, "kind", "") in "fiu"
    }


def _decoded_type(variable: Any) -> np.dtype[Any]:
    """The dtype of the values after unpacking with scale_factor and add_offset."""
    packed = [getattr(variable, key, None) for key in ("scale_factor", "add_offset")]
    given = [np.asarray(value).dtype for value in packed if value is not None]
    kind = np.result_type(variable.dtype, *given)
    return kind.newbyteorder("=")


def _coordinates(file: Any, dimension: str) -> Array | None:
    variable = file.variables.get(dimension)
    if variable is None or variable.shape != (len(file.dimensions[dimension]),):
        return None
    if getattr(variable.dtype, "kind", "") not in "fiu":
        return None
    values = np.ma.filled(variable[:].astype(np.float64), np.nan)
    return values if np.isfinite(values).all() and (np.diff(values) > 0).all() else None


def _open(path: Path) -> Any:
    try:
        return library("netCDF4", "netcdf").Dataset(str(path))
    except OSError as error:
        raise ConfigError([f"{path}: not a NetCDF file: {error}"]) from None
