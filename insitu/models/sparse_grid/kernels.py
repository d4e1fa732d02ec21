"""Fitting and coding of sparse grids in NumPy: the reference for the compiled kernels.

In: samples, coefficients, whole numbers of steps. Out: coefficients, bytes, and back; see
`insitu.engines.sparse_kernels.SparseKernels`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models.sparse_grid import bands, lifting
from insitu.models.sparse_grid.coder import LATEST, CoefficientCoder, Level, Numbers
from insitu.models.sparse_grid.lines import added
from insitu.models.sparse_grid.mixing import Decoder, Encoder
from insitu.models.sparse_grid.start import start

Shape = tuple[int, int, int]
Singles = NDArray[np.float32]
Few = tuple[Numbers, Singles]

_MOST_MAGNITUDE = 1 << 25


class ReferenceKernels:
    """Slow, but simple enough to verify by reading."""

    def scale(self, raw: Floats, origin: float, unit: float) -> tuple[Singles, bool]:
        with np.errstate(invalid="ignore", over="ignore"):
            values = ((raw.astype(np.float64) - origin) / unit).astype(np.float32)
        return values, bool(np.isfinite(values).all())

    def errors(
        self,
        few: Few,
        splits: Sequence[int],
        ends: int,
        raw: Floats,
        origin: float,
        extent: float,
    ) -> tuple[float, float, int]:
        nz, ny, nx = (n + sum(added(ends, 2 - a)) for a, n in enumerate(raw.shape))
        z, y, x = (added(ends, axis)[0] for axis in (2, 1, 0))
        outputs = self.samples(few, (nz, ny, nx), splits, ends)
        outputs = outputs[z : z + raw.shape[0], y : y + raw.shape[1], x : x + raw.shape[2]]
        with np.errstate(over="ignore"):
            values = (outputs.astype(np.float64) * extent + origin).astype(raw.dtype)
        return self.differences(values, raw)

    def differences(self, decoded: Floats, raw: Floats) -> tuple[float, float, int]:
        there = np.isfinite(raw)
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(decoded.astype(np.float64) - raw.astype(np.float64))[there]
            squares = float(np.square(error).sum())
        return squares, float(error.max(initial=0.0)), int(there.sum())

    def analyse(self, samples: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        return bands.analyse(samples, list(splits), ends).astype(np.float32)

    def analyse_scaled(
        self, raw: Floats, origin: float, unit: float, splits: Sequence[int], ends: int = 0
    ) -> tuple[Floats, bool]:
        samples, finite = self.scale(raw, origin, unit)
        with np.errstate(invalid="ignore"):
            return self.analyse(samples, splits, ends), finite

    def synthesise(self, coefficients: Floats, splits: Sequence[int], ends: int = 0) -> Floats:
        return bands.synthesise(coefficients, list(splits), ends).astype(np.float32)

    def samples(self, few: Few, shape: Shape, splits: Sequence[int], ends: int = 0) -> Singles:
        coefficients = np.zeros(shape, np.float32)
        places, values = few
        coefficients.reshape(-1)[places] = values
        return self.synthesise(coefficients, splits, ends)

    def support(self, coefficients: Singles) -> Few:
        places = np.flatnonzero(coefficients)
        return places.astype(np.int32), coefficients.reshape(-1)[places]

    def sizes(
        self, coefficients: Floats, splits: Sequence[int], least: float = 0.0
    ) -> tuple[NDArray[np.int64], float]:
        norms = _norms(coefficients.shape, splits).astype(np.float32)
        sizes = (np.abs(coefficients) * norms).astype(np.float32)
        below = sizes < least
        rows = sizes[~below].view(np.uint32) >> 19
        counts = np.bincount(rows, minlength=1 << 12).astype(np.int64)
        counts[0] = 0
        return counts, float(np.square(sizes[below], dtype=np.float64).sum())

    def quantise(
        self,
        coefficients: Floats,
        splits: Sequence[int],
        delta: float,
        rounding: tuple[float, float, float],
    ) -> tuple[Numbers, float, float, float]:
        alone, beside, larger = rounding
        r = np.abs(coefficients) * _norms(coefficients.shape, splits) / delta
        q = np.where(r < beside, 0, np.maximum(np.floor(r + 1 - larger), 1))
        numbers = (np.sign(coefficients) * q).astype(np.int32)
        _drop_lonely(numbers, r, splits, alone, beside)
        magnitude = np.abs(numbers)
        off, points = magnitude - r, []
        squares = float(np.square(r[magnitude == 0]).sum())
        for kind in (magnitude == 1, magnitude > 1):
            mean = float(off[kind].mean()) if kind.any() else 0.0
            squares += float(np.square(off[kind] - mean).sum())
            points.append(mean)
        return numbers, points[0], points[1], squares

    def dequantise(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> NDArray[np.float32]:
        magnitude = np.abs(numbers)
        off = np.where(magnitude == 1, one, np.where(magnitude > 1, more, 0))
        values = np.sign(numbers) * (magnitude - off) * delta / _norms(numbers.shape, splits)
        return values.astype(np.float32)

    def decoded(
        self, numbers: Numbers, splits: Sequence[int], delta: float, one: float, more: float
    ) -> Few:
        return self.support(self.dequantise(numbers, splits, delta, one, more))

    def encode(
        self,
        components: Sequence[Numbers],
        splits: Sequence[int],
        before: Sequence[Numbers],
        coding: int = LATEST,
    ) -> bytes:
        if any(np.abs(numbers.astype(np.int64)).max() >= _MOST_MAGNITUDE for numbers in components):
            raise ValueError("components: a number is too large")
        encoder = Encoder(start(coding))
        coder = CoefficientCoder(_shape(components[0]), list(splits), encoder, coding)
        for c, numbers in enumerate(components):
            beside = components[c - 1] if c else None
            coder.component(numbers.copy(), before[c] if before else None, beside, False)
        return encoder.finish()

    def decode(
        self,
        data: bytes,
        shape: Shape,
        splits: Sequence[int],
        n_components: int,
        before: Sequence[Numbers],
        coding: int = LATEST,
    ) -> list[Numbers]:
        decoder = Decoder(data, start(coding))
        coder = CoefficientCoder(shape, list(splits), decoder, coding)
        components: list[Numbers] = []
        for c in range(n_components):
            numbers = np.zeros(shape, np.int32)
            beside = components[c - 1] if c else None
            coder.component(numbers, before[c] if before else None, beside, True)
            components.append(numbers)
        if decoder.exhausted:
            raise ValueError("bytes: not those of a sparse grid of this shape")
        return components


def _shape(numbers: Numbers) -> Shape:
    nz, ny, nx = numbers.shape
    return nz, ny, nx


def _levels(shape: Sequence[int], splits: Sequence[int]) -> Iterator[Level]:
    nz, ny, nx = shape
    for (z, y, x), mask in zip(bands.sizes((nz, ny, nx), list(splits)), splits, strict=False):
        yield Level((x, y, z), mask)


def _norms(shape: Sequence[int], splits: Sequence[int]) -> Floats:
    """(nz, ny, nx): L2 norm of the function that each coefficient stands for."""
    low, high = ([1.0, *norms] for norms in lifting.norms())
    norms, steps = np.ones(shape), [0, 0, 0]  # x, y, z
    for level in _levels(shape, splits):
        factors = []
        for a in range(3):
            factor = np.full(level.size[a], low[steps[a] + (level.mask >> a & 1)])
            if level.mask >> a & 1:
                steps[a] += 1
                factor[level.low[a] :] = high[steps[a]]
            factors.append(factor)
        box = tuple(slice(n) for n in level.size[::-1])
        norms[box] = factors[2][:, None, None] * factors[1][:, None] * factors[0]
    return norms


def _drop_lonely(
    numbers: Numbers, r: Floats, splits: Sequence[int], alone: float, beside: float
) -> None:
    """Zeros, in place and in the order of bands and positions, ones below `alone` that have little
    company: neighbors in their band, other bands at their position, the coarser level."""
    levels = list(_levels(numbers.shape, splits))
    for j, level in enumerate(levels):
        above = levels[j + 1] if j + 1 < len(levels) else None
        for band in level.bands:
            for z, y, x in itertools.product(*(range(n) for n in level.low[::-1])):
                at = level.at(band, (x, y, z))
                if at is None or abs(numbers[at]) != 1 or r[at] >= alone:
                    continue
                share = np.float32(_company(numbers, level, above, band, (x, y, z)))
                if r[at] < alone - share * (alone - beside):
                    numbers[at] = 0


def _company(
    numbers: Numbers, level: Level, above: Level | None, band: int, p: tuple[int, int, int]
) -> float:
    """0: alone; 1: among others."""
    total = 0
    for a, side in itertools.product(range(3), (-1, 1)):
        q = [*p]
        q[a] += side
        at = level.at(band, (q[0], q[1], q[2])) if 0 <= q[a] < level.low[a] else None
        total += 0 if at is None else min(abs(int(numbers[at])), 2)
    for other in level.bands:
        at = level.at(other, p) if other != band else None
        total += 0 if at is None else min(abs(int(numbers[at])), 2)
    if above is not None and not band & ~above.mask:
        x, y, z = (
            min(p[a] // 2, above.low[a] - 1) if above.mask >> a & 1 else p[a] for a in range(3)
        )
        at = above.at(band, (x, y, z))
        total += 0 if at is None else min(abs(int(numbers[at])), 3)
    return min(total, 5) / 5
