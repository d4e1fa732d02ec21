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


class SparseKernels(Protocol):
    """The operations; nothing here is collective."""

    def scale(self, raw: Floats, origin: float, unit: float) -> tuple[Singles, bool]:
        """(raw - origin) / unit, and whether all of it is finite."""

    def errors(
        self, outputs: Singles, raw: Floats, origin: float, extent: float
    ) -> tuple[float, float, int]:
        """Of origin + extent * outputs, rounded to raw's dtype, at finite samples: the sum of
        squared errors, the largest error, the number of samples."""

    def analyse(self, samples: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        """Coefficients of samples. ends: which are kept (`insitu.models.sparse_grid.lines`)."""

    def synthesise(self, coefficients: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        """Samples of coefficients."""

    def support(self, coefficients: Singles) -> tuple[Numbers, Singles]:
        """Places of the coefficients that are not zero, in the flat array, and these."""

    def sizes(self, coefficients: Floats, splits: Sequence[int]) -> NDArray[np.int64]:
        """(2^12,): how many coefficients have which size, times the norm of their function: the
        upper 12 bits below the sign of a float32 count up with it (`size_of`). Without zeros."""

    def quantise(
        self,
        coefficients: Floats,
        splits: Sequence[int],
        delta: float,
        rounding: tuple[float, float, float],
    ) -> tuple[Numbers, float, float]:
        """Coefficients in whole steps, rounded with regard to their bytes; and how far, in steps
        towards zero, the coefficients of ones and of larger numbers lie from them on average.

        delta: step of a coefficient whose function has the L2 norm 1. rounding: the smallest
        coefficients, in steps, of a one that stands alone and of one among others; the fraction
        from which a larger number is rounded up."""

    def dequantise(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> Singles:
        """The coefficients that numbers stand for; one, more: as returned by `quantise`."""

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
