"""A model's parameters as whole numbers of steps, for the page.

In: a model, its weights, and what was sent of it at the step before. Out: numbers in an encoder.

Quantized weights stay the integers that they are; all others are rounded to 16 bits, which adds
1/65535 of an array's largest value at most. Where that takes fewer bits, numbers are differences
from a fraction of the values before, rounded to the present steps: nothing is rounded twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import entropy, quantized
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.models.base import Model
from insitu.viewer.rans import LARGEST, Encoder, Ints

Sent = Sequence[NDArray[np.float32]]
"""The values of a model's arrays as the page has them."""
_MOST = 2**15 - 1
_SHARES = 16  # parts of the values before


def write(model: Model, weights: Weights, before: Sent | None, encoder: Encoder) -> Sent:
    """Add all arrays, in the order of `Model.arrays`: first, of each, 16 less the fraction of
    `before` in sixteenths, then, as differences from one to the next, the upper halves of the steps
    as float32, then the numbers of each."""
    coded: list[quantized.Coded] = []
    if weights.codec == "quantized":
        coded = quantized.read(model, weights.body, None)
    sent, shares, uppers, rests = [], [], [], []
    for i, array in enumerate(model.arrays(weights.params)):
        numbers, step = _whole(np.ravel(array.values), coded[i] if coded else None)
        share, rest = _less(numbers, step, None if before is None else before[i])
        shares.append(share)
        uppers.append(int(np.float32(step).view(np.uint32)) >> 16)
        rests.append(rest)
        sent.append((numbers * step).astype(np.float32))
    encoder.array(_SHARES - np.array(shares))
    encoder.array(np.diff(uppers, prepend=0))
    for rest in rests:
        encoder.array(rest)
    return sent


def planes(numbers: NDArray[np.integer]) -> tuple[str, bytes]:
    """Integers of at most 16 bits as "i1" or "i2", low bytes first: planes of bytes that belong to
    each other compress better than pairs."""
    if np.abs(numbers).max(initial=0) < 128:
        return "i1", numbers.astype(np.int8).tobytes()
    pairs = numbers.astype("<i2").ravel().view(np.uint8).reshape(-1, 2)
    return "i2", pairs.T.tobytes()


def _whole(values: Floats, coded: quantized.Coded | None) -> tuple[Ints, float]:
    if (
        coded is not None
        and coded.share != quantized.HALF
        and np.abs(coded.numbers).max(initial=0) <= LARGEST
    ):
        return coded.numbers.astype(np.int64), float(coded.step)
    bits = np.float32(np.abs(values).max(initial=0) / _MOST).view(np.uint32)
    step = float(np.uint32((int(bits) + 0xFFFF) & 0xFFFF0000).view(np.float32))  # rounded up
    if step == 0:
        return np.zeros(values.size, np.int64), 0.0
    return np.rint(values.astype(np.float64) / step).astype(np.int64), step


def _less(numbers: Ints, step: float, before: NDArray[np.float32] | None) -> tuple[int, Ints]:
    """A fraction, and the numbers less those of this fraction of the values before."""
    if before is None or step == 0:
        return 0, numbers
    earlier = before.astype(np.float64)
    square = float(earlier @ earlier)
    share = round(_SHARES * float(earlier @ numbers) * step / square) if square else 0
    share = min(max(share, 0), 2 * _SHARES)
    predicted = np.floor(earlier * (share / _SHARES) / step + 0.5)  # as JavaScript rounds
    rest = numbers - predicted.astype(np.int64)
    if (
        share == 0
        or np.abs(rest).max(initial=0) > LARGEST
        or entropy.bits(rest.astype(np.int32)) >= entropy.bits(numbers.astype(np.int32))
    ):
        return 0, numbers
    return share, rest
