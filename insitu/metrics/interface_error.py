"""The error at interfaces between blocks, compared with the error inside them.

In: decoded values and the truth of each block, and which of its faces are shared.
Out: SeamError, which adds up over blocks and ranks.

Blocks are trained independently. Where they meet, a seam is visible in images if the error there is
larger than elsewhere, or discontinuous.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from insitu.metrics.errors import ErrorSums

Shared = Sequence[tuple[bool, bool]]
"""Whether the (low, high) face is shared with another block, per axis of the array."""


@dataclass(frozen=True)
class SeamError:
    """Errors of the samples next to shared faces, and of all others; `a + b` combines blocks."""

    seam: ErrorSums = field(default_factory=ErrorSums)
    """Errors of the outermost layer of samples at shared faces."""
    inside: ErrorSums = field(default_factory=ErrorSums)

    @staticmethod
    def of(decoded: ArrayLike, truth: ArrayLike, shared: Shared) -> SeamError:
        """The errors of one block (nz, ny, nx). Raises ValueError where shapes differ."""
        decoded, truth = np.asarray(decoded), np.asarray(truth)
        if decoded.shape != truth.shape:
            raise ValueError(f"shapes {decoded.shape} of decoded and {truth.shape} of truth differ")
        inner = np.zeros(truth.shape, bool)
        pairs = zip(truth.shape, shared, strict=True)
        inner[tuple(slice(int(low), n - int(high)) for n, (low, high) in pairs)] = True
        return SeamError(
            ErrorSums.of(decoded[~inner], truth[~inner]), ErrorSums.of(decoded[inner], truth[inner])
        )

    def __add__(self, other: SeamError) -> SeamError:
        return SeamError(self.seam + other.seam, self.inside + other.inside)

    @property
    def ratio(self) -> float:
        """Ratio of the root mean square errors at seams and inside; 1 if there is no visible seam.

        NaN without seams or without samples inside; infinite where only the seams have errors.
        """
        seam, inside = self.seam.root_mean_square, self.inside.root_mean_square
        if inside == 0:
            return 1.0 if seam == 0 else (math.nan if math.isnan(seam) else math.inf)
        return seam / inside


def seam_error(decoded: ArrayLike, truth: ArrayLike, cuts: Sequence[Sequence[int]]) -> SeamError:
    """The errors of a whole array (nz, ny, nx) of blocks, cut at the indices `cuts` of each axis.

    cuts: per axis, the first index of every block except the first, increasing; may be empty.
    Raises ValueError where shapes differ or a cut lies outside.
    """
    decoded, truth = np.asarray(decoded), np.asarray(truth)
    if decoded.shape != truth.shape or len(cuts) != truth.ndim:
        raise ValueError(
            f"shapes {decoded.shape} and {truth.shape}, cuts of {len(cuts)} axes: expected the same"
        )
    seam = np.zeros(truth.shape, bool)
    for axis, (n, indices) in enumerate(zip(truth.shape, cuts, strict=True)):
        for cut in indices:
            if not 0 < cut < n:
                raise ValueError(f"cuts: {cut} is not inside axis {axis} of {n} samples")
            at = [slice(None)] * truth.ndim
            at[axis] = slice(cut - 1, cut + 1)
            seam[tuple(at)] = True
    return SeamError(
        ErrorSums.of(decoded[seam], truth[seam]), ErrorSums.of(decoded[~seam], truth[~seam])
    )
