"""Comparison of two arrays, box by box, so that they may be larger than memory.

In: the original and the decoded array. Out: a Comparison with all metrics of `insitu.metrics`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.core.errors import ConfigError
from insitu.io.array_source import ArraySource
from insitu.io.chunk_grid import ChunkGrid
from insitu.metrics import ErrorSums, GradientError, SeamError, dssim
from insitu.metrics.gaussian import SIZE
from insitu.metrics.ssim import ssim_sum

# Windows per axis of a box: small enough for the cache, large enough that overlaps cost little.
_WINDOWS = 54
_LEVEL_SAMPLES = 1 << 22


@dataclass(frozen=True)
class Holes:
    """Samples that are NaN: no data, outside the domain, land; `a + b` are those of both parts."""

    true: int = 0
    """Number of samples that are NaN in the truth."""
    lost: int = 0
    """Number of these that are decoded to something else."""
    new: int = 0
    """Number of samples that are decoded to NaN, and are something else in the truth."""

    @staticmethod
    def of(decoded: Array, truth: Array) -> Holes:
        a, b = np.isnan(decoded), np.isnan(truth)
        return Holes(int(b.sum()), int((b & ~a).sum()), int((a & ~b).sum()))

    def __add__(self, other: Holes) -> Holes:
        return Holes(self.true + other.true, self.lost + other.lost, self.new + other.new)


@dataclass(frozen=True)
class Comparison:
    """Result of `compare`; a metric that is undefined for the data is None."""

    errors: ErrorSums
    seam: SeamError
    gradient: GradientError
    """By central differences between samples, per unit of the reference's lengths."""
    ssim: float | None
    """None for fields smaller than the window, or constant fields."""
    dssim: float | None
    """None for levels smaller than the window."""
    holes: Holes

    def to_dict(self) -> dict[str, Any]:
        """The metrics by name, in table order."""
        extent = self.errors.high - self.errors.low
        ratio = self.seam.ratio
        return {
            "psnr_db": self.errors.psnr_db,
            "max_error": self.errors.max_error,
            "max_error_of_range": self.errors.max_error / extent if extent > 0 else None,
            "gradient_psnr_db": self.gradient.psnr_db,
            "normals_deg": self.gradient.normals_deg,
            "root_mean_square_error": self.errors.root_mean_square,
            "ssim": self.ssim,
            "dssim": self.dssim,
            "seam_ratio": None if math.isnan(ratio) else ratio,
            "nan_count": self.holes.true,
            "nan_lost": self.holes.lost,
            "nan_new": self.holes.new,
        }


def compare(truth: ArraySource, decoded: ArraySource) -> Comparison:
    """All metrics of `decoded` against `truth`. Not collective.

    Seams are the block faces of `decoded` if it is divided into blocks, otherwise those of
    `truth`. Raises ConfigError if the shapes differ or `truth` has no finite value.
    """
    if truth.grid_shape != decoded.grid_shape:
        raise ConfigError([f"shapes differ: {truth.shape} and {decoded.shape}"])
    seam, holes = _errors(truth, decoded)
    errors = seam.seam + seam.inside
    if not errors.n:
        raise ConfigError([f"{truth.name}: no finite values to compare with"])
    extent = errors.high - errors.low
    return Comparison(
        errors, seam, _gradient(truth, decoded), _ssim(truth, decoded, extent),
        _dssim(truth, decoded), holes,
    )  # fmt: skip


def _errors(truth: ArraySource, decoded: ArraySource) -> tuple[SeamError, Holes]:
    """Pointwise errors, separately for samples at seams and the others, box by box; and NaN."""
    cuts = decoded.cuts if any(decoded.cuts) else truth.cuts
    shape = truth.grid_shape
    total, holes = SeamError(), Holes()
    layer = _seam_layers(shape, cuts, truth.association == "vertex")
    for box in parts(shape):
        a, b = decoded.read(box), truth.read(box)
        seam = np.zeros(b.shape, bool)
        for axis, (at, lines) in enumerate(zip(box, layer, strict=True)):
            along = [1, 1, 1]
            along[axis] = -1
            seam |= lines[at].reshape(along)
        total = total + SeamError(ErrorSums.of(a[seam], b[seam]), ErrorSums.of(a[~seam], b[~seam]))
        holes = holes + Holes.of(a, b)
    return total, holes


def _gradient(truth: ArraySource, decoded: ArraySource) -> GradientError:
    """Errors of the gradient, box by box; at the faces of a box by differences to one side."""
    total = GradientError()
    vertex = truth.association == "vertex"
    lines = [n if vertex else (n[1:] + n[:-1]) / 2 for n in reversed(truth.nodes)]
    for box in parts(truth.grid_shape):
        at = [line[part] for line, part in zip(lines, box, strict=True)]
        total += GradientError.of_samples(decoded.read(box), truth.read(box), at)
    return total


def _seam_layers(
    shape: tuple[int, ...], cuts: tuple[tuple[int, ...], ...], vertex: bool
) -> list[np.ndarray]:
    """Per axis, which samples are next to a face between two blocks (vertices: on it)."""
    layers = []
    for n, indices in zip(shape, cuts, strict=True):
        at = np.zeros(n, bool)
        at[list(indices)] = True
        if not vertex:
            at[[cut - 1 for cut in indices]] = True
        layers.append(at)
    return layers


def parts(shape: tuple[int, int, int]) -> Iterator[Box]:
    """Boxes of at most 128^3 samples that together cover a grid (nz, ny, nx)."""
    blocks = ChunkGrid.cut(shape, "element")
    return (blocks.box(number) for number in range(len(blocks)))


def _ssim(truth: ArraySource, decoded: ArraySource, extent: float) -> float | None:
    shape = truth.grid_shape
    if not extent > 0 or max(shape) == 1 or any(1 < n < SIZE for n in shape):
        return None
    total, count = 0.0, 0
    # Boxes overlap such that every window position lies in exactly one of them.
    axes = [
        [
            slice(i, min(i + _WINDOWS + SIZE - 1, n))
            for i in range(0, max(n - SIZE + 1, 1), _WINDOWS)
        ]
        for n in shape
    ]
    for z, y, x in product(*axes):
        part, n = ssim_sum(decoded.read((z, y, x)), truth.read((z, y, x)), extent)
        total, count = total + part, count + n
    return total / count if count else None


def _dssim(truth: ArraySource, decoded: ArraySource) -> float | None:
    nz, ny, nx = truth.grid_shape
    if min(ny, nx) < SIZE:
        return None
    lowest = math.inf
    step = max(1, _LEVEL_SAMPLES // (ny * nx))
    for z in range(0, nz, step):
        box = slice(z, min(z + step, nz)), slice(0, ny), slice(0, nx)
        try:
            lowest = min(lowest, dssim(decoded.read(box), truth.read(box)))
        except ValueError:  # no finite value in these levels
            continue
    return None if lowest == math.inf else lowest
