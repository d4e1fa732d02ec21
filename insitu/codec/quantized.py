"""Weights in uniform steps, entropy coded; optionally as the difference from an earlier step's.

In: parameters, how the output feels noise in each array. Out: bytes, and the parameters that they
stand for.

Step sizes follow from rate and distortion. With steps s_a, array a of n_a weights adds the squared
error G_a s_a^2 / 12 to the output (G_a from `arrays.sensitivity`) and takes n_a (h_a - log2 s_a)
bits. All arrays have the same slope of distortion over rate where s_a = c sqrt(n_a / G_a); the one
number c that is left, the coarseness, says how much error there is in all. (Gish and Pierce 1968:
at a given entropy uniform steps are the best ones.)
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codec import entropy, half
from insitu.codec.arrays import views
from insitu.codec.frame import FrameError
from insitu.engines.network import Network

Floats = NDArray[np.float32]

_HALF, _STEPS, _DIFFERENCE = range(3)
_HEAD = struct.Struct("<I")  # checksum of the reference, 0 where none is needed
_ARRAY = struct.Struct("<BHBHB")  # method, step (upper half of a float32), shift, radius, mean


@dataclass(frozen=True)
class _Coded:
    """One array: whole numbers of steps from zero, or from the reference; or half precision."""

    method: int
    step: np.float32
    numbers: NDArray[np.int32]
    values: Floats


class Quantized:
    """The parameters of one network, ready to be coded more or less coarsely."""

    def __init__(
        self, network: Network, params: Floats, sensitivity: Floats, reference: Floats | None
    ) -> None:
        """params, reference (n_params,), finite; sensitivity: one value for each of `views`."""
        self.network, self.reference = network, reference
        self._arrays = [view.ravel() for view in views(network, params)]
        if reference is None:
            self._bases: list[Floats | None] = [None] * len(self._arrays)
        else:
            self._bases = [view.ravel() for view in views(network, reference)]
        sizes = np.array([len(array) for array in self._arrays])
        with np.errstate(divide="ignore"):
            relative = np.sqrt(sizes / sensitivity.astype(np.float64))
        self._relative = np.minimum(relative, 1e30)  # where the output feels nothing: all zero
        every = [
            np.full(size, r, np.float32) for size, r in zip(sizes, self._relative, strict=True)
        ]
        self._steps = _assemble(network, every)
        self._base = np.zeros_like(params) if reference is None else reference
        self._away = params - self._base

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): about what the bytes of this coarseness decode to, for little work."""
        steps = self._steps * np.float32(coarseness)
        numbers = np.divide(self._away, steps, out=np.zeros_like(steps), where=steps > 0)
        return np.asarray(np.rint(numbers) * steps + self._base)

    def body(self, coarseness: float) -> bytes:
        """The bytes. Raises ValueError where a weight fits neither steps nor half precision."""
        coded = self._code(coarseness)
        checksum = 0
        if self.reference is not None and any(a.method == _DIFFERENCE for a in coded):
            checksum = _checksum(self.reference)
        heads, halves, streams = [_HEAD.pack(checksum)], [], []
        for array in coded:
            shape = entropy.Shape(0, 0, 0)
            if array.method == _HALF:
                halves.append(half.pack(array.values))
            else:
                shape = entropy.Shape.of(array.numbers)
                streams.append((array.numbers, shape))
            step = int(array.step.view(np.uint32)) >> 16
            heads.append(_ARRAY.pack(array.method, step, shape.shift, shape.radius, shape.mean))
        return b"".join([*heads, *halves, entropy.encode(streams)])

    def _code(self, coarseness: float) -> list[_Coded]:
        return [
            _code(values, base, coarseness * relative)
            for values, base, relative in zip(
                self._arrays, self._bases, self._relative, strict=True
            )
        ]


def _code(values: Floats, base: Floats | None, wanted: float) -> _Coded:
    """One array in steps of at most `wanted`; in half precision where steps do not serve."""
    largest = float(np.abs(values).max(initial=0))
    step = _short(min(wanted, 4 * largest + 1e-30))  # beyond that all would be zero anyway
    best: _Coded | None = None
    for method, origin in ((_STEPS, None), (_DIFFERENCE, base)):
        if step > 0 and (method == _STEPS or origin is not None):
            coded = _in_steps(method, values, origin, step)
            if coded and (best is None or _magnitude(coded) < _magnitude(best)):
                best = coded
    if best is not None:
        return best
    return _Coded(_HALF, np.float32(0), np.zeros(0, np.int32), half.rounded(values))


def _in_steps(method: int, values: Floats, origin: Floats | None, step: Any) -> _Coded | None:
    """None where a number of steps is too large, or the result not within half a step."""
    away = values.astype(np.float64) - (0 if origin is None else origin)
    numbers = np.rint(away / step)
    if np.abs(numbers).max(initial=0) > entropy.LARGEST:
        return None
    whole = numbers.astype(np.int32)
    result = _from_steps(whole, step, origin)
    slack = np.spacing(np.abs(values))  # of float32, in which the result is kept
    if not (np.abs(result.astype(np.float64) - values) <= 0.5 * step + slack).all():
        return None
    return _Coded(method, step, whole, result)


def _from_steps(numbers: NDArray[np.int32], step: Any, origin: Floats | None) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(numbers * np.float64(step) + (0 if origin is None else origin)).astype(
            np.float32
        )


def _magnitude(coded: _Coded) -> float:
    """A stand-in for the bits that the numbers take."""
    return float(np.log2(1.0 + np.abs(coded.numbers)).sum())


def _short(step: float) -> np.float32:
    """The step with a mantissa of 8 bits, rounded down: its upper 16 bits say all."""
    with np.errstate(under="ignore"):
        bits = np.float32(step).view(np.uint32) & np.uint32(0xFFFF0000)
    return np.uint32(bits).view(np.float32)


def decode(network: Network, body: bytes, reference: Floats | None) -> Floats:
    """(n_params,) from the bytes.

    Raises FrameError where they are not those of this network, or count from a reference that is
    not given or is not the one.
    """
    templates = views(network, np.zeros(network.n_params, np.float32))
    at = _HEAD.size + len(templates) * _ARRAY.size
    if len(body) < at:
        raise FrameError(f"weights: {len(body)} bytes, the heads of the arrays have {at}")
    (checksum,) = _HEAD.unpack_from(body)
    heads = list(_ARRAY.iter_unpack(body[_HEAD.size : at]))
    if any(head[0] == _DIFFERENCE for head in heads):
        if reference is None:
            raise FrameError(
                "weights: kept as the difference from an earlier step; give that step's decoded "
                "parameters as reference"
            )
        if reference.shape != (network.n_params,) or _checksum(reference) != checksum:
            raise FrameError("weights: kept as the difference from other parameters than given")
    bases = [None] * len(heads) if reference is None else views(network, reference)
    values: list[Floats] = []
    shapes = []
    for (method, _, shift, radius, mean), template in zip(heads, templates, strict=True):
        if method == _HALF:
            values.append(half.unpack(body[at : at + 2 * template.size], template.size))
            at += 2 * template.size
        elif method in (_STEPS, _DIFFERENCE):
            shape = entropy.Shape(shift, radius, mean)
            shape.check()
            shapes.append((template.size, shape))
            values.append(np.zeros(0, np.float32))
        else:
            raise FrameError(f"weights: unknown method {method}")
    numbers = iter(entropy.decode(body[at:], shapes))
    for i, (head, base) in enumerate(zip(heads, bases, strict=True)):
        if head[0] != _HALF:
            step = np.uint32(head[1] << 16).view(np.float32)
            origin = base.ravel() if head[0] == _DIFFERENCE and base is not None else None
            with np.errstate(invalid="ignore"):
                values[i] = _from_steps(next(numbers), step, origin)
    return _assemble(network, values)


def _assemble(network: Network, values: list[Floats]) -> Floats:
    params = np.zeros(network.n_params, np.float32)
    for view, array in zip(views(network, params), values, strict=True):
        view[...] = array.reshape(view.shape)
    return params


def _checksum(reference: Floats) -> int:
    return zlib.crc32(np.ascontiguousarray(reference, "<f4").tobytes())
