"""Opened sparse grids, one for each parameter vector in use.

In: a model, its parameters. Out: the extension's reader of them, made once.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from insitu.engines.base import Doubles, Singles
from insitu.engines.cpu.native import lib
from insitu.engines.options import Errors
from insitu.models.sparse_grid.model import SparseGrid

if TYPE_CHECKING:
    from insitu.engines.cpu import _native

_CHUNK = 128  # samples, as in `Engine.measure`
_AT_ONCE = 2**18  # samples measured at once


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
            model.shape, model.levels, model.vertex, 0, model.n_outputs, model.places, params
        )
        if not params.flags.writeable:
            self._kept[key] = weakref.ref(params, lambda gone: self._forget(key, gone)), model, made
        return made

    def _forget(self, key: int, gone: weakref.ref[Singles]) -> None:
        if key in self._kept and self._kept[key][0] is gone:  # ids are reused
            del self._kept[key]

    def measure(
        self,
        model: SparseGrid,
        params: Singles,
        sampler: _native.GridSampler,
        origin: Doubles,
        extent: Doubles,
        samples: range,
        every: int,
    ) -> list[Errors]:
        """As `Engine.measure`."""
        reader, n = self.reader(model, params), np.array(model.shape)
        squares, largest = np.zeros(model.n_outputs), np.zeros(model.n_outputs)
        finite = np.zeros(model.n_outputs, np.int64)
        for begin in range(samples.start, samples.stop, _AT_ONCE):
            at = np.arange(begin, min(begin + _AT_ONCE, samples.stop))
            at = at[(at - samples.start) // _CHUNK % every == 0]
            place = np.stack([at % n[0], at // n[0] % n[1], at // (n[0] * n[1])], axis=1)
            unit = place / np.maximum(n - 1, 1) if model.vertex else (place + 0.5) / n
            points = unit.astype(np.float32)
            truth = sampler.sample(points).astype(np.float64)
            there = np.isfinite(truth)
            error = np.where(there, origin + extent * reader.at(points) - truth, 0)
            squares += np.square(error).sum(axis=0)
            largest = np.maximum(largest, np.abs(error).max(axis=0, initial=0))
            finite += there.sum(axis=0)
        return [
            Errors(sum_of_squares=float(s), max=float(m), finite=int(f))
            for s, m, f in zip(squares, largest, finite, strict=True)
        ]
