"""A model's parameters as whole numbers, which compress well and which a browser reads easily.

In: a model and its weights. Out: a description of each array, and the bytes of all.

Quantized weights stay the integers that they are; all others are rounded to 16 bits, which adds
1/65535 of an array's largest value at most.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import quantized
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.models.base import Model

_LARGEST = 2**15 - 1


def pack(model: Model, weights: Weights) -> tuple[list[dict[str, Any]], bytes]:
    """Descriptions {name, shape, type: "i1" or "i2", step} in the order of `Model.arrays`, and the
    bytes: value = integer * step; of "i2" first all low, then all high bytes."""
    arrays = model.arrays(weights.params)
    coded: list[quantized.Coded] = []
    if weights.codec == "quantized":
        coded = quantized.read(model, weights.body, None)
    entries, parts = [], []
    for i, array in enumerate(arrays):
        values = np.ascontiguousarray(array.values)
        numbers, step = _whole(values, coded[i] if coded else None)
        kind, data = planes(numbers)
        entries.append(
            {"name": array.name, "shape": list(values.shape), "type": kind, "step": step}
        )
        parts.append(data)
    return entries, b"".join(parts)


def planes(numbers: NDArray[np.integer[Any]]) -> tuple[str, bytes]:
    """Integers of at most 16 bits as "i1" or "i2", low bytes first: planes of bytes that belong to
    each other compress better than pairs."""
    if np.abs(numbers).max(initial=0) < 128:
        return "i1", numbers.astype(np.int8).tobytes()
    pairs = numbers.astype("<i2").ravel().view(np.uint8).reshape(-1, 2)
    return "i2", pairs.T.tobytes()


def _whole(values: Floats, coded: quantized.Coded | None) -> tuple[NDArray[np.integer[Any]], float]:
    if (
        coded is not None
        and coded.share != quantized.HALF
        and np.abs(coded.numbers).max(initial=0) <= _LARGEST
    ):
        return coded.numbers, float(coded.step)
    largest = float(np.abs(values).max(initial=0))
    step = largest / _LARGEST
    if step == 0:
        return np.zeros(values.size, np.int16), 0.0
    return np.rint(values.ravel() / step).astype(np.int16), step
