"""Lossless difference coding of quantized weights relative to an earlier time step.

In: the bytes of `quantized`, and decoded parameters close to theirs. Out: fewer bytes, where the
two are similar; and the original bytes, exactly.

The quantized values are predicted by a fraction of the earlier values, rounded to the current step
size, and the prediction error is coded. Nothing is quantized twice, so no error accumulates over a
chain of differences.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import entropy
from insitu.codecs.arrays import Layout, views
from insitu.codecs.errors import FrameError
from insitu.codecs.quantized import HALF, Coded, base_of, params_of, read, share_of, write
from insitu.codecs.weights import Weights

Floats = NDArray[np.float32]


def subtract(layout: Layout, body: bytes, reference: Floats) -> bytes:
    """The bytes of `quantized` as their difference from a reference (n_params,).

    Each array is predicted from the reference only where that takes fewer bits. Raises FrameError
    where the bytes are not of `quantized`, or are relative to a reference themselves.
    """
    arrays = read(layout, body, None)
    earlier = [view.ravel() for view in views(layout, reference)]
    return write([_less(a, e) for a, e in zip(arrays, earlier, strict=True)], reference)


def add(layout: Layout, difference: bytes, reference: Floats) -> Weights:
    """The weights whose bytes `subtract` was given, from its result and the same reference.

    Raises FrameError where they are not a difference from this reference.
    """
    arrays = read(layout, difference, reference)
    earlier = [view.ravel() for view in views(layout, reference)]
    whole = [_more(a, e) for a, e in zip(arrays, earlier, strict=True)]
    return Weights.known(params_of(layout, whole), "quantized", write(whole, None))


def _less(array: Coded, earlier: Floats) -> Coded:
    if array.share == HALF:
        return array
    values = (array.numbers * array.step).astype(np.float32)
    share = share_of(values, earlier)
    predicted = _predicted(earlier, share, array.step)
    if predicted is None:
        return array
    off = array.numbers - predicted
    if np.abs(off).max(initial=0) > entropy.LARGEST:
        return array
    off = off.astype(np.int32)
    if entropy.bits(off) >= entropy.bits(array.numbers):
        return array
    return Coded(share, array.step, off, array.values)


def _more(array: Coded, earlier: Floats) -> Coded:
    if array.share in (0, HALF):
        return array
    predicted = _predicted(earlier, array.share, array.step)
    if predicted is None:
        raise FrameError("weights: a difference from values that are too many steps away")
    numbers = (array.numbers + predicted).astype(np.int32)
    return Coded(0, array.step, numbers, array.values)


def _predicted(earlier: Floats, share: int, step: np.float32) -> NDArray[np.int64] | None:
    """(n,) steps; None where the reference does not help, or is too many steps away."""
    if not (share and step > 0):
        return None
    steps = np.rint(base_of(earlier, share) / np.float64(step))
    return steps.astype(np.int64) if np.abs(steps).max(initial=0) <= entropy.LARGEST else None
