"""Opened sparse grids, one for each parameter vector in use.

In: a model, its parameters. Out: the extension's reader of them, made once.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from insitu.engines.base import Singles
from insitu.engines.cpu.native import lib
from insitu.models.sparse_grid.model import SparseGrid

if TYPE_CHECKING:
    from insitu.engines.cpu import _native


class SparseReaders:
    """Readers of parameter vectors that do not change, kept as long as these live."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Singles], SparseGrid, _native.SparseReader]] = {}

    def reader(self, model: SparseGrid, params: Singles) -> _native.SparseReader:
        """The reader of parameters (n_params,). Raises ValueError for another shape."""
        if params.shape != (model.n_params,):
            raise ValueError(f"params: expected shape ({model.n_params},), found {params.shape}")
        key = id(params)
        found = self._kept.get(key)
        if found is not None and found[0]() is params and found[1] == model:
            return found[2]
        made = lib.SparseReader(
            model.shape, model.levels, model.vertex, model.ends, model.n_outputs, model.places,
            params,
        )  # fmt: skip
        if not params.flags.writeable:
            self._kept[key] = weakref.ref(params, lambda gone: self._forget(key, gone)), model, made
        return made

    def _forget(self, key: int, gone: weakref.ref[Singles]) -> None:
        if key in self._kept and self._kept[key][0] is gone:  # ids are reused
            del self._kept[key]
