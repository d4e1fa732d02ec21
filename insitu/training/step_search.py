"""What a step of a sparse grid costs and reaches, from the sizes of its coefficients.

In: coefficients, how the errors of components count. Out: the expected PSNR and cost of any step,
without rounding or synthesis.

The functions of the levels are nearly orthogonal: the squared error of the samples is about that of
the coefficients times the squares of their norms. A trial's PSNR is known exactly, and says by how
much this is off for the block, which hardly depends on the step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.sparse_kernels import size_of, sparse_kernels
from insitu.fields import sparse_grid

# In steps: what is rounded to zero, to one; where ones are decoded; the squared error beyond.
_ZERO, _ONE, _DECODED, _LARGER = 0.78, 1.44, 1.05, 1 / 12
_MOST_STEP = 65535
_FIRST_STRIDE = 8
# Squared errors, in steps, that a bit is worth; what is rounded to zero; bits of a one, and where.
_LAMBDA, _LEAST_KEPT, _BITS_OF_ONE = 0.1, 0.7, 5.0
# Sizes are counted one by one down to that of the step looked for over _FAR; a step needs them down
# to its own over _NEAR.
_FAR, _NEAR = 32.0, 8.0
_PER_OCTAVE = 24  # sizes that are counted together lie within one part in 16 to 32
# Rows of sizes that are no infinity and no NaN.
_FINITE = 0xFF << 4


class ExpectedError:
    """The expected PSNR by the step of the first component."""

    def __init__(
        self, coefficients: Sequence[Floats], splits: list[int], scales: Floats, near: float
    ) -> None:
        """coefficients: (nz, ny, nx) of each component. scales (n_components,): from their unit to
        shares of the global range. near: about the step that is looked for."""
        self._coefficients, self._splits = coefficients, splits
        self._count = sum(c.size for c in coefficients)
        # In the unit of the first component, whose steps are those of the others there.
        self._ratios, self._scale = scales / scales[0], float(scales[0])
        self._count_from(near / _FAR)

    def _count_from(self, least: float) -> None:
        self._least = least
        found = _sizes(self._coefficients, self._splits, self._ratios, least)
        self._sizes, self._counts, self._below = found

    def psnr(self, step: int) -> float:
        """In dB; infinite where nothing is lost."""
        size = sparse_grid.delta(step)
        if self._least and self._least > size / _NEAR:
            self._count_from(0.0)
        squares = squared_error(self._sizes, self._counts, size) + self._below
        return psnr_of(squares, self._count, self._scale)

    def kept(self, step: int) -> float:
        """The part of the coefficients that are not rounded to 0."""
        kept = self._sizes >= _ZERO * sparse_grid.delta(step)
        return float(self._counts[kept].sum()) / self._count

    def coarsest(self, psnr: float, near: int) -> int:
        """The coarsest step, about, whose expected PSNR is that many dB; found sooner the nearer it
        is to `near`."""
        start = min(max(near, 1), _MOST_STEP - 1)
        coarser = self.psnr(start) >= psnr
        low, high = (start, _MOST_STEP) if coarser else (0, start)
        stride = _FIRST_STRIDE  # doubled until the step lies within; then halves of what is left
        while high - low > 1:
            middle = low + stride if coarser else high - stride
            if not low < middle < high:
                middle = (low + high) // 2
            good = self.psnr(middle) >= psnr
            low, high = (middle, high) if good else (low, middle)
            stride = 2 * stride if good == coarser else _MOST_STEP
        return low


def psnr_of(squares: float, count: int, scale: float) -> float:
    """PSNR in dB of a sum of squares of so many errors times `scale`; infinite where it is 0."""
    if not squares >= 0:  # NaN, where a transform overflowed
        return math.nan
    error = math.sqrt(squares / count) * scale
    return -20 * math.log10(error) if error > 0 else math.inf


def squared_error(sizes: Floats, counts: Floats, step: float) -> float:
    """The expected sum of squared errors at a step. sizes: of coefficients times the norms of their
    functions, as counted by `SparseKernels.sizes`; counts: how many there are of each."""
    size = sizes / step
    kept = np.where(size < _ONE, np.square(size - _DECODED), _LARGER)
    # Of sizes at the threshold, a part is lost: those that are counted together.
    lost = np.clip((_ZERO / size - 1) * _PER_OCTAVE + 0.5, 0, 1)
    squares = lost * np.square(size) + (1 - lost) * kept
    return float((counts * squares).sum()) * step * step


def expected_cost(coefficients: Sequence[Floats], splits: list[int], delta: float) -> float:
    """About what coefficients cost at a step: squared errors in steps, and bits."""
    least = delta / _FAR
    sizes, counts, below = _sizes(coefficients, splits, np.ones(len(coefficients)), least)
    r = sizes / delta
    q = np.where(r < _LEAST_KEPT, 0, np.maximum(np.floor(r + 0.5), 1))
    bits = np.where(q > 0, _BITS_OF_ONE + 2 * np.log2(np.maximum(q, 1)), 0)
    return float((counts * (np.square(r - q) + _LAMBDA * bits)).sum()) + below / delta**2


def _sizes(
    coefficients: Sequence[Floats], splits: list[int], ratios: Floats, least: float
) -> tuple[Floats, Floats, float]:
    """Sizes of the coefficients times the norms of their functions, in a common unit, and how many
    there are of each; the sum of squares of those that are left out: some below `least`."""
    sizes, counts, below = [], [], 0.0
    for c, ratio in zip(coefficients, ratios.tolist(), strict=True):
        found, squares = sparse_kernels().sizes(c, splits, least / ratio)
        rows = np.flatnonzero(found[:_FINITE])
        sizes.append(size_of(rows) * ratio)
        counts.append(found[rows])
        below += squares * ratio**2
    return np.concatenate(sizes), np.concatenate(counts).astype(np.float64), below
