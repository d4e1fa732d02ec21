"""Uniform quantization and entropy coding of weights. `insitu.codecs.weight_delta` codes their
difference from an earlier step.

In: parameters, the sensitivity of the output to noise in each array. Out: bytes, and the parameters
that they decode to.

Step sizes follow from rate and distortion. With steps s_a, array a of n_a weights adds the squared
error G_a s_a^2 / 12 to the output (G_a from `arrays.sensitivity`) and takes n_a (h_a - log2 s_a)
bits. All arrays have the same slope of distortion over rate where s_a = c sqrt(n_a / G_a). The
remaining parameter c, the coarseness, determines the total error. (Gish and Pierce 1968: at a given
entropy, uniform steps are optimal.)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import entropy, half
from insitu.codecs.arrays import Layout, assemble, views
from insitu.codecs.errors import FrameError

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_GROUP = 2**14  # values of small arrays that are coded at once: a call of NumPy costs more
_SHARES = 64  # resolution of the reference's weight: multiples of 1/64
HALF = 255  # instead of a share: the array is in half precision
_HEAD = struct.Struct("<I")  # checksum of the reference, 0 where none is needed
_ARRAY = struct.Struct("<BHBHB")  # share, step (upper half of a float32), shift, radius, mean
_NONE = np.zeros(0, np.float32)
_NO_NUMBERS = np.zeros(0, np.int32)


@dataclass(frozen=True)
class Coded:
    """One array: integer steps from a fraction (share) of the reference; or half precision."""

    share: int
    step: np.float32
    numbers: NDArray[np.int32]
    values: Floats


class Quantized:
    """Codes the parameters of one model with a given coarseness."""

    fixed = False

    def __init__(self, layout: Layout, params: Floats, sensitivity: Floats) -> None:
        """params (n_params,), finite; sensitivity: one value for each of `views`."""
        self.layout = layout
        self._arrays = [view.ravel() for view in views(layout, params)]
        sizes = np.array([len(array) for array in self._arrays])
        with np.errstate(divide="ignore"):
            relative = np.sqrt(sizes / sensitivity.astype(np.float64))
        self._relative = np.minimum(relative, 1e30)  # arrays without influence become all zero
        self._peaks = np.array([np.abs(a).max(initial=0) for a in self._arrays], np.float64)
        self._params = assemble(layout, self._arrays)

    def _steps(self, coarseness: float) -> Floats:
        """The step of each array. With larger ones all values would be zero anyway."""
        return _short(np.minimum(coarseness * self._relative, 4 * self._peaks + 1e-30))

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): what the bytes of this coarseness decode to, up to arrays that are in half
        precision."""
        each = zip(self._steps(coarseness), self._arrays, strict=True)
        steps = assemble(self.layout, [np.broadcast_to(step, a.shape) for step, a in each])
        numbers = np.divide(self._params, steps, out=np.zeros_like(steps), where=steps > 0)
        np.rint(numbers, out=numbers)
        return np.multiply(numbers, steps, out=numbers)

    def body(self, coarseness: float) -> bytes:
        """The coded bytes. Raises ValueError where a weight can be neither quantized nor stored in
        half precision."""
        steps, coded = self._steps(coarseness), list[Coded]()
        while len(coded) < len(steps):
            begin = end = len(coded)
            size = 0
            while end < len(steps) and (end == begin or size + len(self._arrays[end]) <= _GROUP):
                size += len(self._arrays[end])
                end += 1
            coded += _code(self._arrays[begin:end], steps[begin:end])
        return write(coded, None)


def _code(arrays: Sequence[Floats], steps: Floats) -> list[Coded]:
    """Each array in its step; in half precision where a number of steps is too large, or the result
    is off by more than half a step."""
    values = np.concatenate(arrays)
    sizes = [len(array) for array in arrays]
    each = np.repeat(steps.astype(np.float64), sizes)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        numbers = np.rint(values / each)
    few = np.abs(numbers) <= entropy.LARGEST
    numbers = np.where(few, numbers, 0).astype(np.int32)
    result = _from_steps(numbers, each)
    slack = np.spacing(np.abs(values))  # rounding of the float32 result
    near = few & (np.abs(result.astype(np.float64) - values) <= 0.5 * each + slack)
    coded, end = [], 0
    for step, size in zip(steps, sizes, strict=True):
        part = slice(end, end + size)
        end += size
        if step > 0 and near[part].all():
            coded.append(Coded(0, step, numbers[part], result[part]))
        else:
            coded.append(Coded(HALF, np.float32(0), _NO_NUMBERS, half.rounded(values[part])))
    return coded


def share_of(values: Floats, earlier: Floats) -> int:
    """The fraction of the earlier values, in 64ths, that minimizes the squared difference."""
    before = earlier.astype(np.float64)
    square = before @ before
    return int(np.clip(np.rint(_SHARES * (before @ values) / square), 0, 127)) if square else 0


def base_of(earlier: Floats, share: int) -> Doubles:
    return earlier.astype(np.float64) * (share / _SHARES)


def _from_steps(numbers: NDArray[np.int32], step: np.float32 | Doubles) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return (numbers * np.asarray(step, np.float64)).astype(np.float32)


def _short(steps: Doubles) -> Floats:
    """Steps rounded down to a mantissa of 8 bits, so that their upper 16 bits are sufficient."""
    with np.errstate(under="ignore", over="ignore"):
        bits = steps.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


def write(arrays: Sequence[Coded], reference: Floats | None) -> bytes:
    """The bytes of all arrays. reference: that of the arrays with a share; None without any."""
    heads, halves, streams = [], [], []
    for array in arrays:
        shape = entropy.Shape(0, 0, 0)
        if array.share == HALF:
            halves.append(half.pack(array.values))
        else:
            shape = entropy.Shape.of(array.numbers)
            streams.append((array.numbers, shape))
        step = int(array.step.view(np.uint32)) >> 16
        heads.append(_ARRAY.pack(array.share, step, shape.shift, shape.radius, shape.mean))
    # Grouped by field: most of these bytes repeat from array to array, which ZSTD exploits.
    planes = np.frombuffer(b"".join(heads), np.uint8).reshape(-1, _ARRAY.size).T.tobytes()
    checksum = 0 if reference is None else _checksum(reference)
    return b"".join([_HEAD.pack(checksum), planes, *halves, entropy.encode(streams)])


def read(layout: Layout, body: bytes, reference: Floats | None) -> list[Coded]:
    """The arrays of `write`; `values` are set in half precision only.

    Raises FrameError where the bytes do not match this model, or need a reference that is missing
    or differs.
    """
    templates = views(layout, np.zeros(layout.n_params, np.float32))
    at = _HEAD.size + len(templates) * _ARRAY.size
    if len(body) < at:
        raise FrameError(f"weights: {len(body)} bytes, the heads of the arrays have {at}")
    (checksum,) = _HEAD.unpack_from(body)
    planes = np.frombuffer(body[_HEAD.size : at], np.uint8).reshape(_ARRAY.size, -1)
    heads = list(_ARRAY.iter_unpack(planes.T.tobytes()))
    if any(share not in (0, HALF) for share, *_ in heads):
        _check(reference, layout, checksum)
    halves, shapes = [], []
    for (share, _, shift, radius, mean), template in zip(heads, templates, strict=True):
        if share == HALF:
            halves.append(half.unpack(body[at : at + 2 * template.size], template.size))
            at += 2 * template.size
        else:
            shape = entropy.Shape(shift, radius, mean)
            shape.check()
            shapes.append((template.size, shape))
    numbers, exact = iter(entropy.decode(body[at:], shapes)), iter(halves)
    return [
        Coded(HALF, np.float32(0), _NO_NUMBERS, next(exact))
        if share == HALF
        else Coded(share, np.uint32(step << 16).view(np.float32), next(numbers), _NONE)
        for share, step, *_ in heads
    ]


def decode(layout: Layout, body: bytes) -> Floats:
    """(n_params,) from the bytes. Raises FrameError as `read`."""
    return params_of(layout, read(layout, body, None))


def params_of(layout: Layout, arrays: Sequence[Coded]) -> Floats:
    """(n_params,) from arrays without a reference."""
    values = [
        array.values if array.share == HALF else _from_steps(array.numbers, array.step)
        for array in arrays
    ]
    return assemble(layout, values)


def _check(reference: Floats | None, layout: Layout, checksum: int) -> None:
    """Raises FrameError where the reference is not the one that was used for writing."""
    if reference is None:
        raise FrameError(
            "weights: kept as the difference from an earlier step; give that step's decoded "
            "parameters as reference"
        )
    if reference.shape != (layout.n_params,) or _checksum(reference) != checksum:
        raise FrameError("weights: kept as the difference from other parameters than given")


def _checksum(reference: Floats) -> int:
    return zlib.crc32(np.ascontiguousarray(reference, "<f4").tobytes())
