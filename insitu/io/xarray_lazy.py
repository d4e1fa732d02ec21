"""Arrays for xarray that are decoded where they are indexed.

In: a compressed array, or a field of a record over time. Out: xarray's backend arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from insitu.core.arrays import Array
from insitu.store.block_grid import BlockGrid
from insitu.store.record import Series


class LazyArray(BackendArray):
    """An array that is decoded where it is indexed."""

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        decode: Callable[[tuple[int | slice, ...]], Array],
    ) -> None:
        """decode: returns what integers and slices select."""
        self.shape, self.dtype, self._decode = shape, dtype, decode

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._decode
        )


class FieldOverTime(LazyArray):
    """A field of a record, (time, z, y, x[, component]); NaN at cycles without it."""

    def __init__(self, series: Series, grid: BlockGrid, cycles: list[int]) -> None:
        """grid: that of the first step; the others have as many samples. In a plane, there is no
        axis z."""
        self.series, self.cycles = series, cycles
        vector = (grid.n_components,) if grid.n_components > 1 else ()
        shape = (len(cycles), *grid.shape[3 - grid.dimension :], *vector)
        super().__init__(shape, np.dtype(grid.dtype), self._at)

    def _at(self, key: tuple[int | slice, ...]) -> Array:
        """The values for integers and slices along time, z, y, x[, component].

        At each step, the smallest box that contains the selected samples is decoded.
        """
        at, *rest = key
        inner = tuple(rest)
        if not isinstance(at, slice):
            return self._step(self.cycles[at], inner)
        steps = [self._step(cycle, inner) for cycle in self.cycles[at]]
        return np.stack(steps) if steps else np.empty((0, *self._nothing(inner).shape), self.dtype)

    def _step(self, cycle: int, inner: tuple[int | slice, ...]) -> Array:
        if cycle not in self.series.cycles:
            return self._nothing(inner)
        return np.asarray(self.series.sel(cycle=cycle)[inner])

    def _nothing(self, inner: tuple[int | slice, ...]) -> Array:
        empty = np.broadcast_to(np.array(np.nan, self.dtype), self.shape[1:])
        return np.array(empty[inner])
