"""The error of gradients, and of the normals of surfaces, which shading shows.

In: decoded values and the truth, or gradients of both. Out: GradientError, which adds up over
blocks and ranks.

The normal of an isosurface is its gradient's direction. By the coarea formula, the integral over a
volume weighted with the gradient's length is that over all isosurfaces by area. So the mean angle
weighted like this is the mean over the area of all isosurfaces of the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats
from insitu.metrics.psnr import psnr_db

# Exponent from which fourth powers and their sums could leave the range of numbers.
_EXTREME = 200


@dataclass(frozen=True)
class GradientError:
    """Sums over gradients of any unit; `a + b` are those of both together."""

    n: int = 0
    """Number of gradients; only finite ones are included."""
    sum_of_squares: float = 0.0
    """Sum of the squared lengths of the errors."""
    longest: float = 0.0
    """Length of the longest true gradient."""
    weight: float = 0.0
    """Sum of the lengths of the true gradients."""
    angles: float = 0.0
    """Sum of the angles between both, in radians, weighted with these lengths."""
    exponent: int = 0
    """Lengths are in units of 2**exponent, which is 0 unless gradients are extreme."""

    @staticmethod
    def of(decoded: Floats, truth: Floats) -> GradientError:
        """Of gradients (..., 3)."""
        given, true = (np.asarray(g, np.float64).reshape(-1, 3) for g in (decoded, truth))
        finite = np.isfinite(given).all(axis=1) & np.isfinite(true).all(axis=1)
        given, true = given[finite], true[finite]
        largest = max(np.abs(given).max(initial=0.0), np.abs(true).max(initial=0.0))
        exponent = math.frexp(largest)[1]
        if abs(exponent) < _EXTREME:
            exponent = 0
        if exponent:
            given, true = np.ldexp(given, -exponent), np.ldexp(true, -exponent)
        (a, b, c), (x, y, z) = given.T, true.T
        lengths = np.sqrt(x * x + y * y + z * z)
        # From the sine and the cosine: exact for small angles.
        p, q, r = b * z - c * y, c * x - a * z, a * y - b * x
        angles = np.arctan2(np.sqrt(p * p + q * q + r * r), a * x + b * y + c * z)
        return GradientError(
            n=len(true),
            sum_of_squares=float(np.square(given - true).sum()),
            longest=float(lengths.max(initial=0.0)),
            weight=float(lengths.sum()),
            angles=float((angles * lengths).sum()),
            exponent=exponent,
        )

    @staticmethod
    def of_samples(
        decoded: Floats, truth: Floats, lines: Sequence[Floats] | None = None
    ) -> GradientError:
        """Of arrays (nz, ny, nx), by central differences between samples; an axis of fewer than two
        has none. lines: positions of the samples along z, y, x; default: one unit apart.
        """
        axes = [a for a in range(3) if decoded.shape[a] > 1]
        at = [np.arange(n) for n in decoded.shape] if lines is None else lines
        gradients = []
        for values in (decoded, truth):
            slopes = np.zeros((*values.shape, 3))
            with np.errstate(invalid="ignore", over="ignore"):
                for axis in axes:
                    slopes[..., axis] = np.gradient(values.astype(np.float64), at[axis], axis=axis)
            gradients.append(slopes)
        return GradientError.of(*gradients)

    def __add__(self, other: GradientError) -> GradientError:
        exponent = max((one.exponent for one in (self, other) if one.n), default=0)
        one, two = self._in_units(exponent), other._in_units(exponent)
        return GradientError(
            one.n + two.n,
            one.sum_of_squares + two.sum_of_squares,
            max(one.longest, two.longest),
            one.weight + two.weight,
            one.angles + two.angles,
            exponent,
        )

    def _in_units(self, exponent: int) -> GradientError:
        """The same, in units that are at least as large."""
        shift = min(self.exponent - exponent, 0)
        return GradientError(
            self.n,
            math.ldexp(self.sum_of_squares, 2 * shift),
            math.ldexp(self.longest, shift),
            math.ldexp(self.weight, shift),
            math.ldexp(self.angles, shift),
            exponent,
        )

    @property
    def psnr_db(self) -> float:
        """PSNR relative to the longest true gradient, in dB; infinite for no error."""
        return psnr_db(self.sum_of_squares / self.n, self.longest) if self.n else math.inf

    @property
    def normals_deg(self) -> float:
        """Mean angle between the normals of the isosurfaces, in degrees; 0 without surfaces."""
        return math.degrees(self.angles / self.weight) if self.weight > 0 else 0.0
