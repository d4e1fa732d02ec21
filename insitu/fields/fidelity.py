"""How faithful a compressed block is beside its PSNR: between the samples, and in its gradients.

In: a block, its raw samples. Out: sums that add up over blocks and ranks.

Measured in small boxes of samples, at places that depend on the block's shape alone: about 14,000
samples at most, whatever the size of the block, so that it costs a step some milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from insitu.core.arrays import Floats
from insitu.fields.block_field import BlockField
from insitu.metrics import GradientError

_EDGE = 6  # samples of a box along an axis
_MOST_BOXES = 64
_ALL = slice(None)


@dataclass(frozen=True)
class Fidelity:
    """Sums of errors in units of the components' global ranges; `a + b` combines blocks."""

    at_samples: float = 0.0
    """Sum of squared errors at the samples of the boxes."""
    n_samples: int = 0
    between: float = 0.0
    """The same halfway between samples, against trilinear values of the raw ones."""
    n_between: int = 0
    gradient: GradientError = field(default_factory=GradientError)
    """By central differences over the samples, per unit of length."""

    def __add__(self, other: Fidelity) -> Fidelity:
        return Fidelity(
            self.at_samples + other.at_samples,
            self.n_samples + other.n_samples,
            self.between + other.between,
            self.n_between + other.n_between,
            self.gradient + other.gradient,
        )

    @property
    def lost_between_db(self) -> float:
        """By how many dB the PSNR between samples is below that at samples; 0 if it is not."""
        if not (self.n_between and self.between > 0 and self.at_samples > 0):
            return 0.0
        at = self.at_samples / self.n_samples
        return max(0.0, 10 * math.log10(self.between / self.n_between / at))


def measure_fidelity(
    block: BlockField, raw: Sequence[Floats], extents: Sequence[float]
) -> Fidelity:
    """The sums of one block. Not collective.

    Args:
        raw: owned samples (nz, ny, nx) of each component; what is not finite is left out.
        extents: global range of each component; those of range 0 are left out.
    """
    shape = block.shape
    size, starts = _boxes(shape)
    count = len(starts[0])
    lines = _positions(block)
    used = [c for c, extent in enumerate(extents) if extent > 0]
    decoded = np.empty((count, len(used), *(2 * s - 1 for s in size)))
    truth = np.empty((count, len(used), *size))
    vertex = block.association == "vertex"
    for i, start in enumerate(zip(*starts, strict=True)):
        z, y, x = (_unit(at, s, n, vertex) for at, s, n in zip(start, size, shape, strict=True))
        box = tuple(slice(at, at + s) for at, s in zip(start, size, strict=True))
        values = block.on_grid(x, y, z)
        for k, c in enumerate(used):
            np.divide(values[..., c], extents[c], out=decoded[i, k])
            np.divide(raw[c][box], extents[c], out=truth[i, k])
    at_samples, n_samples = _squares(decoded[..., ::2, ::2, ::2] - truth)
    odd = (_ALL, _ALL, *(slice(1, None, 2) if s > 1 else _ALL for s in size))
    between, n_between = _squares((decoded - _halved(truth))[odd])
    spacing = [
        [line[at + 2 : at + s] - line[at : at + s - 2] for at in start]
        for line, start, s in zip(lines, starts, size, strict=True)
    ]
    gradient = GradientError.of(
        _central(decoded[..., ::2, ::2, ::2], spacing), _central(truth, spacing)
    )
    return Fidelity(at_samples, n_samples, between, n_between, gradient)


@lru_cache(maxsize=16)  # many fields have blocks of the same shape
def _boxes(shape: tuple[int, int, int]) -> tuple[list[int], list[list[int]]]:
    """Size of a box, and the first sample of each of them, along z, y, x."""
    size = [min(n, _EDGE) for n in shape]
    count = min(_MOST_BOXES, max(1, math.prod(shape) // (4 * math.prod(size))))
    rng = np.random.default_rng(0)
    starts = [rng.integers(0, n - s + 1, count) for n, s in zip(shape, size, strict=True)]
    return size, [start.tolist() for start in starts]


def _positions(block: BlockField) -> list[Floats]:
    """World coordinates of the samples along z, y, x."""
    vertex = block.association == "vertex"
    return [n if vertex else (n[1:] + n[:-1]) / 2 for n in reversed(block.nodes)]


@lru_cache(maxsize=256)
def _unit(start: int, size: int, n: int, vertex: bool) -> Floats:
    """Unit coordinates of samples and of the middles between them, (2 size - 1,)."""
    at = start + np.arange(2 * size - 1) / 2
    unit = np.asarray(at / max(n - 1, 1) if vertex else (at + 0.5) / n)
    unit.flags.writeable = False
    return unit


def _halved(values: Floats) -> Floats:
    """Values (..., nz, ny, nx) with the means of neighbors between them."""
    for axis in (-3, -2, -1):
        shape = list(values.shape)
        shape[axis] = 2 * shape[axis] - 1
        wide = np.empty(shape)
        low, high, even, odd = (
            (..., *(part if a == axis else _ALL for a in (-3, -2, -1)))
            for part in (slice(None, -1), slice(1, None), slice(None, None, 2), slice(1, None, 2))
        )
        wide[even] = values
        with np.errstate(invalid="ignore"):
            wide[odd] = (values[low] + values[high]) / 2
        values = wide
    return values


def _central(values: Floats, spacing: Sequence[Sequence[Floats]]) -> Floats:
    """Gradients (..., 3) of boxes (boxes, components, nz, ny, nx) at their inner samples. spacing:
    along each axis, of each box, between a sample's two neighbors; an axis without is left out."""
    axes = [axis for axis in range(3) if len(spacing[axis][0])]
    inner = [_ALL, _ALL, *(slice(1, -1) if axis in axes else _ALL for axis in range(3))]
    slopes = np.zeros((*values[tuple(inner)].shape, 3))
    for axis in axes:
        above, below = list(inner), list(inner)
        above[2 + axis], below[2 + axis] = slice(2, None), slice(None, -2)
        along = [len(spacing[axis]), 1, 1, 1, 1]
        along[2 + axis] = -1
        with np.errstate(invalid="ignore"):
            difference = values[tuple(above)] - values[tuple(below)]
            slopes[..., axis] = difference / np.reshape(spacing[axis], along)
    return slopes


def _squares(errors: Floats) -> tuple[float, int]:
    finite = errors[np.isfinite(errors)]
    return float(np.dot(finite, finite)), finite.size
