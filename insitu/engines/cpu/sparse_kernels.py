"""Sparse grids by the extension; see `insitu.engines.sparse_kernels`.

In: arrays. Out: arrays and bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.cpu.native import lib
from insitu.engines.sparse_kernels import Few, Numbers, Singles
from insitu.models.sparse_grid import lifting
from insitu.models.sparse_grid.coder import FIRST, LATEST
from insitu.models.sparse_grid.kernels import ReferenceKernels
from insitu.models.sparse_grid.start import start

# Raw values that the extension reads as they are.
_KINDS = (np.dtype(np.float32), np.dtype(np.float64))


class NativeKernels:
    """`insitu.engines.sparse_kernels.SparseKernels`."""

    def __init__(self) -> None:
        low, high = lifting.norms()
        self._norms = [1.0, *low], [1.0, *high]
        at = start(LATEST)
        latest = lib.SparseStart(at.weights, at.contexts, at.seen, at.decided, at.patience)
        self._starts = {FIRST: None, LATEST: latest}

    def scale(self, raw: Floats, origin: float, unit: float) -> tuple[Singles, bool]:
        if raw.dtype not in _KINDS:
            return ReferenceKernels().scale(raw, origin, unit)
        return lib.sparse_scale(np.ascontiguousarray(raw), origin, unit)

    def errors(
        self,
        few: Few,
        splits: Sequence[int],
        ends: int,
        raw: Floats,
        origin: float,
        extent: float,
    ) -> tuple[float, float, int]:
        if raw.dtype not in _KINDS:
            return ReferenceKernels().errors(few, splits, ends, raw, origin, extent)
        return lib.sparse_errors(*few, splits, ends, np.ascontiguousarray(raw), origin, extent)

    def differences(self, decoded: Singles, raw: Singles) -> tuple[float, float, int]:
        return lib.sparse_differences(decoded, raw)

    def analyse(self, samples: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        return lib.sparse_analyse(samples, splits, ends)

    def analyse_scaled(
        self, raw: Floats, origin: float, unit: float, splits: Sequence[int], ends: int = 0
    ) -> tuple[Floats, bool]:
        if raw.dtype not in _KINDS:
            return ReferenceKernels().analyse_scaled(raw, origin, unit, splits, ends)
        return lib.sparse_analyse_scaled(np.ascontiguousarray(raw), origin, unit, splits, ends)

    def synthesise(self, coefficients: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        return lib.sparse_synthesise(coefficients, splits, ends)

    def samples(
        self, few: Few, shape: tuple[int, int, int], splits: Sequence[int], ends: int = 0
    ) -> Singles:
        return lib.sparse_samples(*few, shape, splits, ends)

    def support(self, coefficients: Singles) -> Few:
        return lib.sparse_support(coefficients)

    def sizes(
        self, coefficients: Floats, splits: Sequence[int], least: float = 0.0
    ) -> tuple[NDArray[np.int64], float]:
        return lib.sparse_sizes(coefficients, splits, self._norms, least)

    def quantise(
        self,
        coefficients: Floats,
        splits: Sequence[int],
        delta: float,
        rounding: tuple[float, float, float],
    ) -> tuple[Numbers, float, float, float]:
        return lib.sparse_quantise(coefficients, splits, self._norms, delta, rounding)

    def dequantise(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> Singles:
        return lib.sparse_dequantise(numbers, splits, self._norms, delta, one, more)

    def decoded(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> Few:
        return lib.sparse_decoded(numbers, splits, self._norms, delta, one, more)

    def encode(
        self,
        components: Sequence[Numbers],
        splits: Sequence[int],
        before: Sequence[Numbers],
        coding: int = LATEST,
    ) -> bytes:
        return lib.sparse_encode(components, splits, before, self._starts[coding])

    def decode(
        self,
        data: bytes,
        shape: tuple[int, int, int],
        splits: Sequence[int],
        n_components: int,
        before: Sequence[Numbers],
        coding: int = LATEST,
    ) -> list[Numbers]:
        start = self._starts[coding]
        return lib.sparse_decode(data, shape, splits, n_components, before, start)
