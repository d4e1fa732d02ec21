"""The range coder of `insitu.codecs.entropy`, with the package `constriction`: the reference of the
compiled one, and used where that is not built.

In: arrays of integers near zero, and their shapes. Out: the same words as those of the extension.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

_RADIUS = 2047  # largest magnitude of a modelled symbol
_MEAN = 12.0  # beyond this mean magnitude, low bits are coded uniformly
_PRIOR = 32.0  # weight of the initial distribution, in observed values
_FLOOR = 0.002  # fraction of it that is uniform over all symbols
_FIRST = 64
_LEAST = 2.0**-22  # minimum probability of a symbol; the coder's resolution is 2^-24 in float32


def shape_of(values: Ints) -> tuple[int, int, int]:
    """Shift, radius and mean of the `entropy.Shape` of values (n,) of magnitudes up to 2^30."""
    mean = float(np.abs(values).mean(dtype=np.float64)) if len(values) else 0.0
    shift = max(0, int(np.ceil(np.log2(max(mean, 1e-9) / _MEAN))))
    while True:
        left = np.abs(values >> shift)
        radius = int(left.max(initial=0))
        if radius <= _RADIUS:
            break
        shift += 1
    mean = float(left.mean()) if len(values) else 0.0
    return shift, radius, min(round(16 * mean), 255)


def bits(values: Ints) -> float:
    """Size of values (n,) in bits, by the entropy of their histogram."""
    _, count = np.unique(values, return_counts=True)
    return float(count @ np.log2(len(values) / count))


class _Model:
    """The distribution of the next symbols -radius..radius."""

    def __init__(self, radius: int, mean: int) -> None:
        ratio = max(mean, 1) / 16
        falling = np.full(radius + 1, ratio / (1 + ratio))
        falling[0] = 1.0
        # accumulate multiplies sequentially; sums of integers are exact in any order
        side = np.floor(np.multiply.accumulate(falling) * 2.0**30)
        both = np.concatenate([side[:0:-1], side])
        spread = _FLOOR * both.sum() / len(both)
        self._weights = (both + spread) * (_PRIOR / both.sum())
        self._seen = _PRIOR

    def categorical(self) -> Any:
        import constriction

        # The probability of a symbol that has not occurred yet must not round to zero.
        weights = np.maximum(self._weights, self._seen * _LEAST).astype(np.float32)
        return constriction.stream.model.Categorical(weights, perfect=False)

    def learn(self, symbols: Ints) -> None:
        self._weights += np.bincount(symbols, minlength=len(self._weights))
        self._seen += len(symbols)


def _runs(n: int) -> Iterator[slice]:
    """0..n in runs of 64, 96, 144, ... values: a model is used longer the more data it has."""
    begin, length = 0, _FIRST
    while begin < n:
        yield slice(begin, min(begin + length, n))
        begin += length
        length += length // 2


def encode(arrays: Sequence[tuple[Ints, int, int, int]]) -> bytes:
    """Arrays (n,), each with shift, radius and mean of its `entropy.Shape` -> the stream."""
    import constriction

    coder = constriction.stream.queue.RangeEncoder()
    for values, shift, radius, mean in arrays:
        if shift:
            low = (values & ((1 << shift) - 1)).astype(np.int32)
            for part, bits in _uniform_parts(shift):
                coder.encode((low >> part) & ((1 << bits) - 1), _uniform(bits))
        if radius:
            model = _Model(radius, mean)
            symbols = ((values >> shift) + radius).astype(np.int32)
            for run in _runs(len(symbols)):
                coder.encode(symbols[run], model.categorical())
                model.learn(symbols[run])
    return bytes(coder.get_compressed().astype("<u4").tobytes())


def decode(stream: bytes, arrays: Sequence[tuple[int, int, int, int]]) -> list[Ints]:
    """A stream, and (n, shift, radius, mean) of each array -> the arrays. Raises ValueError where
    the stream is invalid."""
    import constriction

    coder = constriction.stream.queue.RangeDecoder(np.frombuffer(stream, "<u4").astype(np.uint32))
    decoded = []
    try:
        for n, shift, radius, mean in arrays:
            values = np.zeros(n, np.int32)
            if shift and n:
                for part, bits in _uniform_parts(shift):
                    values |= coder.decode(_uniform(bits), n) << part
            if radius:
                model = _Model(radius, mean)
                symbols = np.empty(n, np.int32)
                for run in _runs(n):
                    symbols[run] = coder.decode(model.categorical(), run.stop - run.start)
                    model.learn(symbols[run])
                values += (symbols - radius) << shift
            decoded.append(values)
    except AssertionError as error:  # raised by constriction for invalid streams
        raise ValueError(str(error)) from None
    return decoded


def _uniform_parts(shift: int) -> list[tuple[int, int]]:
    """(first bit, number of bits) of the pieces, at most 16 bits each, of the low bits."""
    return [(at, min(16, shift - at)) for at in range(0, shift, 16)]


def _uniform(bits: int) -> Any:
    import constriction

    return constriction.stream.model.Uniform(1 << bits)
