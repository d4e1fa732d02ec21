"""What fits and codes sparse grids: compiled, or in NumPy where the extension is not built.

In: samples, coefficients, whole numbers of steps. Out: coefficients, bytes, and back. Blocks are
(nz, ny, nx); `splits` has the axes of each level (`insitu.models.sparse_grid.bands`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models.sparse_grid.coder import LATEST

Numbers = NDArray[np.int32]
Singles = NDArray[np.float32]
Few = tuple[Numbers, Singles]
"""Coefficients that are not zero: their places in the flat array, increasing, and these."""


class SparseKernels(Protocol):
    """The operations; nothing here is collective."""

    def scale(self, raw: Floats, origin: float, unit: float) -> tuple[Singles, bool]:
        """(raw - origin) / unit, and whether all of it is finite."""

    def errors(
        self,
        few: Few,
        splits: Sequence[int],
        ends: int,
        raw: Floats,
        origin: float,
        extent: float,
    ) -> tuple[float, float, int]:
        """Of origin + extent * samples, rounded to raw's dtype, at finite samples: the sum of
        squared errors, the largest error, the number of samples.

        few: the coefficients. raw (nz, ny, nx): what the block owns, without samples on faces that
        `ends` adds."""

    def differences(self, decoded: Singles, raw: Singles) -> tuple[float, float, int]:
        """The same of values that are decoded already; both of one shape."""

    def analyse(self, samples: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        """Coefficients of samples. ends: which are kept (`insitu.models.sparse_grid.lines`)."""

    def analyse_scaled(
        self, raw: Floats, origin: float, unit: float, splits: Sequence[int], ends: int = 0
    ) -> tuple[Floats, bool]:
        """Coefficients of `scale(raw, origin, unit)`, and whether all of that is finite."""

    def synthesise(self, coefficients: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        """Samples of coefficients."""

    def samples(
        self, few: Few, shape: tuple[int, int, int], splits: Sequence[int], ends: int = 0
    ) -> Singles:
        """Samples (nz, ny, nx) of the coefficients that are not zero."""

    def support(self, coefficients: Singles) -> Few:
        """The coefficients that are not zero."""

    def sizes(
        self, coefficients: Floats, splits: Sequence[int], least: float = 0.0
    ) -> tuple[NDArray[np.int64], float]:
        """(2^12,): how many coefficients have which size, times the norm of their function: the
        upper 12 bits below the sign of a float32 count up with it (`size_of`). Without zeros. Of
        those below `least`, some or all are not counted; and the sum of squares of these."""

    def quantise(
        self,
        coefficients: Floats,
        splits: Sequence[int],
        delta: float,
        rounding: tuple[float, float, float],
    ) -> tuple[Numbers, float, float, float]:
        """Coefficients in whole steps, rounded with regard to their bytes; how far, in steps
        towards zero, the coefficients of ones and of larger numbers lie from them on average;
        the sum of squares of what is lost, in steps, if these are where they are decoded.

        delta: step of a coefficient whose function has the L2 norm 1. rounding: the smallest
        coefficients, in steps, of a one that stands alone and of one among others; the fraction
        from which a larger number is rounded up."""

    def dequantise(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> Singles:
        """The coefficients that numbers stand for; one, more: as returned by `quantise`."""

    def decoded(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> Few:
        """As `dequantise`: those that are not zero."""

    def encode(
        self,
        components: Sequence[Numbers],
        splits: Sequence[int],
        before: Sequence[Numbers],
        coding: int = LATEST,
    ) -> bytes:
        """The coded numbers of all components. before: those of an earlier step, as context; or
        none. coding: with which contexts. Raises ValueError for magnitudes of 2^25 and more."""

    def decode(
        self,
        data: bytes,
        shape: tuple[int, int, int],
        splits: Sequence[int],
        n_components: int,
        before: Sequence[Numbers],
        coding: int = LATEST,
    ) -> list[Numbers]:
        """Inverse of `encode`. Raises ValueError where the bytes are not of this shape."""


def size_of(row: NDArray[np.int64]) -> NDArray[np.float64]:
    """The middle of sizes that `SparseKernels.sizes` counts together, by the row."""
    bits = (row << 19 | 1 << 18).astype(np.uint32)
    return bits.view(np.float32).astype(np.float64)


@cache
def sparse_kernels() -> SparseKernels:
    """The fastest implementation that can be loaded; all of them code the same bytes."""
    try:
        from insitu.engines.cpu.sparse_kernels import NativeKernels
    except ImportError:
        from insitu.models.sparse_grid.kernels import ReferenceKernels

        return ReferenceKernels()
    return NativeKernels()
