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

    @staticmethod
    def of(decoded: Floats, truth: Floats) -> GradientError:
        """Of gradients (..., 3)."""
        given, true = (np.asarray(g, np.float64).reshape(-1, 3) for g in (decoded, truth))
        finite = np.isfinite(given).all(axis=1) & np.isfinite(true).all(axis=1)
        given, true = given[finite], true[finite]
        lengths = np.linalg.norm(true, axis=1)
        # From the sine and the cosine: exact for small angles.
        across = np.linalg.norm(np.cross(given, true), axis=1)
        angles = np.arctan2(across, (given * true).sum(axis=1))
        return GradientError(
            n=len(true),
            sum_of_squares=float(np.square(given - true).sum()),
            longest=float(lengths.max(initial=0.0)),
            weight=float(lengths.sum()),
            angles=float((angles * lengths).sum()),
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
            with np.errstate(invalid="ignore"):
                for axis in axes:
                    slopes[..., axis] = np.gradient(values.astype(np.float64), at[axis], axis=axis)
            gradients.append(slopes)
        return GradientError.of(*gradients)

    def __add__(self, other: GradientError) -> GradientError:
        return GradientError(
            self.n + other.n,
            self.sum_of_squares + other.sum_of_squares,
            max(self.longest, other.longest),
            self.weight + other.weight,
            self.angles + other.angles,
        )

    @property
    def psnr_db(self) -> float:
        """PSNR relative to the longest true gradient, in dB; infinite for no error."""
        return psnr_db(self.sum_of_squares / self.n, self.longest) if self.n else math.inf

    @property
    def normals_deg(self) -> float:
        """Mean angle between the normals of the isosurfaces, in degrees; 0 without surfaces."""
        return math.degrees(self.angles / self.weight) if self.weight > 0 else 0.0
