"""Faces, edges and corners that two blocks code alike, so that they agree without communication.

In: a part's own samples, the error that all blocks of a field agree on. Out: whole numbers, the
same on both sides, and what they decode to.

A part is coded in field units, with a step that follows from its samples and that error alone. Its
averages are multiples of their step counted from zero, not from a block's own origin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.sparse_kernels import Numbers, sparse_kernels
from insitu.fields import quiet
from insitu.models.sparse_grid import lifting
from insitu.models.sparse_grid.parts import Part

ROUNDING = (0.92, 0.64, 0.56)
"""Where numbers are rounded up: a one that stands alone, one among others, larger ones."""
ROUNDED_UP = ROUNDING[1]
COARSENESS = 16
"""Steps that a part may have, each sqrt(2) of the one before."""
_FINEST = 2.0  # in units of the error
# Where details of a part are decoded, in steps towards zero.
_ONE, _MORE = 0.05, 0.02


@dataclass(frozen=True)
class CodedPart:
    numbers: Numbers
    """(nz, ny, nx) of the part; averages are counted from `zero`."""
    zero: int
    coarseness: int


def step(coarseness: int) -> float:
    """Of a coefficient of norm 1, in units of the error."""
    return float(_FINEST * 2.0 ** (coarseness / 2))


def code(values: Floats, middle: float, part: Part, error: float, most: float = 1.0) -> CodedPart:
    """The part with the coarsest step whose root mean square error is about `most`, or less where
    the part is quiet.

    values: (samples - middle) / error at the part's own samples (nz, ny, nx), float32. most: in
    units of `error`.
    """
    kernels = sparse_kernels()
    coefficients = kernels.analyse(values, part.splits, part.ends)
    scaled = np.square(coefficients / _units(part), dtype=np.float64)
    averages = int(np.prod([s.stop for s in part.averages]))
    scaled[part.averages] = 0
    coarseness = _coarsest(scaled, averages, most)
    goal = quiet.error_of(float(np.ptp(values)), most)
    if goal < most:
        finest = _coarsest(scaled, averages, goal)
        while finest < coarseness and _kept(scaled, finest) > quiet.MOST_KEPT:
            finest += 1
        coarseness = finest
    unit = _average_unit(part) * step(coarseness)
    zero = round(middle / error / unit)
    coefficients[part.averages] += np.float32(middle / error - zero * unit)
    numbers = kernels.quantise(coefficients, part.splits, step(coarseness), ROUNDING)[0]
    return CodedPart(numbers, zero, coarseness)


def _coarsest(scaled: NDArray[np.float64], averages: int, goal: float) -> int:
    """Coarseness of the step with which the root mean square error is about `goal`. scaled: squared
    coefficients in units of their norms, with zeros for that many averages."""
    count = scaled.size
    low, high = 0, COARSENESS  # the finest is taken as it is
    while high - low > 1:
        k = (low + high) // 2
        square = step(k) ** 2
        lost = scaled < (ROUNDED_UP * step(k)) ** 2
        total = scaled[lost].sum() + (count - lost.sum() + averages) * square / 12
        low, high = (k, high) if total <= count * goal**2 else (low, k)
    return low


def _kept(scaled: NDArray[np.float64], coarseness: int) -> float:
    """The part of the coefficients that are not rounded to 0."""
    return float((scaled >= (ROUNDED_UP * step(coarseness)) ** 2).mean())


def insert(numbers: Numbers, part: Part, coded: CodedPart, origin: float, error: float) -> None:
    """Place a part's numbers among those of a block, whose values are counted from `origin`."""
    own = coded.numbers.copy()
    own[part.averages] += np.int32(coded.zero - _zero_of(origin, part, coded.coarseness, error))
    numbers.reshape(-1)[part.places] = own


def overwrite(
    coefficients: NDArray[np.float32],
    numbers: Numbers,
    found: Sequence[Part],
    coarseness: Sequence[int],
    error: float,
    origin: float,
    extent: float,
) -> None:
    """Replace a block's coefficients of the parts by what their numbers decode to, all in units of
    `extent`, counted from `origin`."""
    for part, k in zip(found, coarseness, strict=True):
        own = numbers.reshape(-1)[part.places]
        values = sparse_kernels().dequantise(own, part.splits, step(k), _ONE, _MORE)
        values = values.astype(np.float64)
        unit = _average_unit(part) * step(k)
        shift = _zero_of(origin, part, k, error) * unit - origin / error
        values[part.averages] = own[part.averages] * unit + shift
        coefficients.reshape(-1)[part.places] = values * (error / extent)


def _zero_of(origin: float, part: Part, coarseness: int, error: float) -> int:
    return round(origin / error / (_average_unit(part) * step(coarseness)))


def _units(part: Part) -> NDArray[np.float32]:
    """What one of each coefficient is, where one of norm 1 is 1."""
    ones = np.ones(part.places.shape, np.int32)
    return sparse_kernels().dequantise(ones, part.splits, 1.0, 0.0, 0.0)


def _average_unit(part: Part) -> float:
    low = (1.0, *lifting.norms()[0])
    steps = [sum(mask >> axis & 1 for mask in part.splits) for axis in range(3)]
    return 1.0 / math.prod(low[k] for k in steps)
