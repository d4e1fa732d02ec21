"""Reads variables from NetCDF files, through netCDF4 (extra `netcdf`).

In: a file and the name of a variable. Out: an ArraySource, with the file's coordinates if any.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.errors import ConfigError
from insitu.io.array_source import StoredVolume, increasing, sample_grid
from insitu.io.libraries import library
from insitu.io.mapped import chosen


def names(path: Path) -> dict[str, str]:
    """Numeric variables with at least two axes, in all groups: name -> description."""
    with _open(path) as file:
        return _names(file)


class NetcdfVolume(StoredVolume):
    """A variable; the file stays open. Masked values (_FillValue) are NaN.

    The file's coordinates are used if every axis has a coordinate variable whose values increase or
    decrease; otherwise the grid lines are the cell indices. Samples are in cells if the coordinate
    variables have bounds (CF conventions, section 7.1), otherwise at the nodes. An axis along which
    the coordinates decrease, as latitudes often do, is reversed.
    """

    def __init__(self, path: Path, dataset: str | None, step: int | None) -> None:
        """Raises ConfigError if the variable is missing or has an unsupported shape or type."""
        self._file = _open(path)
        wanted = dataset.strip("/") if dataset else None
        name = chosen(path, wanted, list(_names(self._file)))
        self._variable = self._file[name]
        short = name.rpartition("/")[2]
        super().__init__(short, self._variable.shape, _decoded_type(self._variable), step=step)
        found = {
            i: _coordinate(dimension)
            for i, dimension in enumerate(self._variable.get_dims())
            if i not in self.fixed
        }
        known = {i: variable for i, variable in enumerate(found.values()) if variable is not None}
        axes = {i: axis for i, v in known.items() if (axis := _values(v)) is not None}
        if len(axes) != len(self.shape):
            return
        axes, turned = increasing(axes)
        self.reverse({i: known[i].name for i in turned})
        lines = [line for i in axes if (line := _lines(known[i], i in turned)) is not None]
        if len(lines) == len(axes):
            z, y, x = [np.array([0.0, 1.0])] * (3 - len(lines)) + lines
            self.association, self.nodes = "element", (x, y, z)
        else:
            z, y, x = [np.zeros(1)] * (3 - len(axes)) + list(axes.values())
            self.association, self.nodes = sample_grid(x, y, z)

    @property
    def sample_nbytes(self) -> int:
        return int(self._variable.dtype.itemsize)

    def load(self, index: tuple[int | slice, ...]) -> Array:
        part: Array = self._variable[index].astype(self.dtype, copy=False)
        return part


def _names(file: Any, group: str = "") -> dict[str, str]:
    found = {
        f"{group}{name}": f"{variable.dtype} {tuple(variable.shape)}"
        for name, variable in file.variables.items()
        if len(variable.shape) > 1 and getattr(variable.dtype, "kind", "") in "fiu"
    }
    bounds = {getattr(variable, "bounds", "") for variable in file.variables.values()}
    found = {name: text for name, text in found.items() if name[len(group) :] not in bounds}
    for name, inner in file.groups.items():
        found |= _names(inner, f"{group}{name}/")
    return found


def _decoded_type(variable: Any) -> np.dtype[Any]:
    """The dtype of the values after unpacking with scale_factor and add_offset."""
    packed = [getattr(variable, key, None) for key in ("scale_factor", "add_offset")]
    given = [np.asarray(value).dtype for value in packed if value is not None]
    kind = np.result_type(variable.dtype, *given)
    return kind.newbyteorder("=")


def _coordinate(dimension: Any) -> Any:
    """The variable of a dimension's name, beside it; None where there is none of numbers."""
    variable = dimension.group().variables.get(dimension.name)
    if variable is None or variable.shape != (len(dimension),):
        return None
    return variable if getattr(variable.dtype, "kind", "") in "fiu" else None


def _values(variable: Any) -> Array | None:
    """Coordinates, if they are finite, and increase or decrease; else None."""
    values: Array = np.ma.filled(variable[:].astype(np.float64), np.nan)
    steps = np.diff(values)
    monotonic = (steps > 0).all() or (steps < 0).all()
    return values if np.isfinite(values).all() and monotonic else None


def _lines(variable: Any, turned: bool) -> Array | None:
    """Grid lines of cells that follow one another, from the bounds of a coordinate; else None."""
    bounds = variable.group().variables.get(getattr(variable, "bounds", ""))
    if bounds is None or bounds.shape != (*variable.shape, 2):
        return None
    values = np.ma.filled(bounds[:].astype(np.float64), np.nan)
    values = np.sort(values[::-1] if turned else values, axis=1)
    lines: Array = np.append(values[:, 0], values[-1, 1])
    whole = np.array_equal(values[1:, 0], values[:-1, 1]) and np.isfinite(lines).all()
    return lines if whole and (np.diff(lines) > 0).all() else None


def _open(path: Path) -> Any:
    try:
        return library("netCDF4", "netcdf").Dataset(str(path))
    except OSError as error:
        raise ConfigError([f"{path}: not a NetCDF file: {error}"]) from None
