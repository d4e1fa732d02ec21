"""K-means coding of weights: a small codebook per level, and for each weight its codebook index.

In: parameters, the sensitivity of the output to noise in each array. Out: bytes, and the parameters
that they decode to. DVNR, Fig. 16.

Each level has a codebook, and so has the MLP. A k-means codebook of k entries for values of
standard deviation d has a squared error of about e d^2 / k^2, e = sqrt(3) pi / 2 (Panter and Dite
1951, for Gaussian values). k is chosen so that this equals the error s^2 / 12 of the uniform steps
s that `quantized` uses for the same coarseness.
"""

from __future__ import annotations

import itertools
import math
import struct

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import entropy, half
from insitu.codecs.arrays import Layout
from insitu.codecs.errors import FrameError

Floats = NDArray[np.float32]

_ARRAY = struct.Struct("<HBHB")  # entries (0: half precision), shift, radius, mean
_MOST = 4000  # maximum number of entries
_ITERATIONS = 8
_PANTER_DITE = math.sqrt(12 * math.sqrt(3) * math.pi / 2)


class KMeans:
    """Codes the parameters of one model with a given coarseness."""

    fixed = False

    def __init__(self, layout: Layout, params: Floats, sensitivity: Floats) -> None:
        """params (n_params,), finite; sensitivity: one value for each of `views`."""
        self.layout = layout
        self._arrays = [
            np.concatenate([view.ravel() for view in group]) for group in _groups(layout, params)
        ]
        self._sorted = [np.sort(array.astype(np.float64)) for array in self._arrays]
        sizes = np.array([len(array) for array in self._arrays])
        groups = _groups(layout, np.arange(layout.n_params, dtype=np.float32))
        ends = np.cumsum([len(group) for group in groups])
        with np.errstate(divide="ignore"):
            sums = [part.sum() for part in np.split(sensitivity.astype(float), ends[:-1])]
            self._relative = np.sqrt(sizes / np.array(sums))

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): the parameters that the bytes of this coarseness decode to."""
        values = [
            half.rounded(array) if book is None else book[_nearest(book, array)]
            for array, book in zip(self._arrays, self._codebooks(coarseness), strict=True)
        ]
        return _assemble(self.layout, values)

    def body(self, coarseness: float) -> bytes:
        """The coded bytes. Raises ValueError where a weight is too large for half precision."""
        heads, books, streams = [], [], []
        for array, book in zip(self._arrays, self._codebooks(coarseness), strict=True):
            if book is None:
                heads.append(_ARRAY.pack(0, 0, 0, 0))
                books.append(half.pack(half.rounded(array)))
                continue
            numbers = (_nearest(book, array) - len(book) // 2).astype(np.int32)
            shape = entropy.Shape.of(numbers)
            heads.append(_ARRAY.pack(len(book), shape.shift, shape.radius, shape.mean))
            books.append(half.pack(book))
            streams.append((numbers, shape))
        return b"".join([*heads, *books, entropy.encode(streams)])

    def _codebooks(self, coarseness: float) -> list[Floats | None]:
        """One codebook for each array; None where half precision takes fewer bytes."""
        books: list[Floats | None] = []
        for values, relative in zip(self._sorted, self._relative, strict=True):
            step = coarseness * relative
            with np.errstate(over="ignore"):
                ratio = float(values.std()) / step
            k = max(2, math.ceil(_PANTER_DITE * ratio)) if ratio < _MOST else _MOST + 1
            books.append(_codebook(values, k) if k <= min(_MOST, len(values) // 4) else None)
        return books


def _codebook(values: NDArray[np.float64], k: int) -> Floats:
    """At most k entries, increasing, rounded to half precision, for sorted values (n,).

    Lloyd's algorithm. The density of the initial entries is proportional to the cube root of the
    density of the values, which is optimal in the limit of many entries (Panter and Dite).
    """
    count, edges = np.histogram(values, bins=min(8 * k, 4096))
    dense = np.cumsum(np.cbrt(count))
    at = (np.arange(k) + 0.5) / k * dense[-1]
    book = np.interp(at, np.concatenate([[0.0], dense]), edges)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    for _ in range(_ITERATIONS):
        cuts = np.searchsorted(values, 0.5 * (book[1:] + book[:-1]))
        cuts = np.concatenate([[0], cuts, [len(values)]])
        used = np.diff(cuts) > 0
        book = (np.diff(sums[cuts])[used]) / np.diff(cuts)[used]
    return np.unique(half.rounded(book))


def _nearest(book: Floats, values: Floats) -> NDArray[np.int64]:
    middles = 0.5 * (book[1:].astype(np.float64) + book[:-1])
    return np.searchsorted(middles, values.astype(np.float64))


def decode(layout: Layout, body: bytes) -> Floats:
    """(n_params,) from the bytes. Raises FrameError where they do not match this model."""
    groups = _groups(layout, np.zeros(layout.n_params, np.float32))
    sizes = [sum(view.size for view in group) for group in groups]
    at = len(groups) * _ARRAY.size
    if len(body) < at:
        raise FrameError(f"weights: {len(body)} bytes, the heads of the arrays have {at}")
    heads = list(_ARRAY.iter_unpack(body[:at]))
    books, shapes = [], []
    for (entries, shift, radius, mean), size in zip(heads, sizes, strict=True):
        n = entries or size
        books.append(half.unpack(body[at : at + 2 * n], n))
        at += 2 * n
        if entries:
            shape = entropy.Shape(shift, radius, mean)
            shape.check()
            shapes.append((size, shape))
    numbers = iter(entropy.decode(body[at:], shapes))
    values = []
    for (entries, *_), book in zip(heads, books, strict=True):
        if entries:
            which = next(numbers) + entries // 2
            if which.min(initial=0) < 0 or which.max(initial=0) >= entries:
                raise FrameError(f"weights: an entry beyond the {entries} of the codebook")
            book = book[which]
        values.append(book)
    return _assemble(layout, values)


def _groups(layout: Layout, params: Floats) -> list[list[Floats]]:
    """`views`, grouped: those of the MLP, and those of each level."""
    arrays = layout.arrays(params)
    groups = itertools.groupby(arrays, key=lambda array: array.group)
    return [[array.values for array in group] for _, group in groups]


def _assemble(layout: Layout, values: list[Floats]) -> Floats:
    params = np.zeros(layout.n_params, np.float32)
    for group, array in zip(_groups(layout, params), values, strict=True):
        ends = np.cumsum([view.size for view in group])
        for view, part in zip(group, np.split(array, ends[:-1]), strict=True):
            view[...] = part.reshape(view.shape)
    return params
