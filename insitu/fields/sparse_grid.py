"""The bytes of a sparse grid.

In: coefficients as whole numbers of steps. Out: a payload, and from it the model and its
parameters.

A payload is a head of few bytes (version, levels, steps and decoded points of each component) and
the coded numbers (`insitu/engines/cpu/cpp/sparse_coder.hpp`), which come out of integer arithmetic
only: every machine reads the same ones. A payload may have been coded with the numbers of an
earlier step as its context; they are then needed to read it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.engines.sparse_kernels import Numbers, sparse_kernels
from insitu.models.sparse_grid.model import SparseGrid

CODEC = "sparse_grid"
"""Name of these payloads among the weight codecs in frame headers."""

Shape = tuple[int, int, int]

_VERSION = 1
_RELATIVE = 16  # flag: coded with the numbers of an earlier step as context
_HEAD = struct.Struct("<BB")
_COMPONENT = struct.Struct("<HB")
# A step is 2 ** (k / 512 - 64), so one number in 0..65535 holds it to 0.07 %.
_PER_OCTAVE, _LOWEST = 512, 64
_POINTS = 16  # decoded points are in sixteenths of a step, -8..7


@dataclass(frozen=True)
class Component:
    """The coefficients of one component in whole steps."""

    numbers: Numbers
    """(nz, ny, nx), laid out as `insitu.models.sparse_grid.bands`."""
    step: int
    """Step of a coefficient of norm 1: `delta` as a whole number."""
    points: tuple[int, int]
    """Where 1 and larger numbers are decoded, in sixteenths of a step towards zero, -8..7."""

    @staticmethod
    def of(coefficients: Floats, splits: list[int], step: int) -> Component:
        """Coefficients (nz, ny, nx) rounded with regard to their bytes."""
        numbers, one, more = sparse_kernels().quantise(coefficients, splits, delta(step), ROUNDING)
        points = (_sixteenths(one), _sixteenths(more))
        return Component(numbers, step, points)

    def coefficients(self, splits: list[int]) -> Floats:
        """(nz, ny, nx): what the numbers decode to."""
        one, more = (point / _POINTS for point in self.points)
        return sparse_kernels().dequantise(self.numbers, splits, delta(self.step), one, more)


ROUNDING = (0.92, 0.64, 0.56)
"""Where numbers are rounded up: a one that stands alone, one among others, larger ones."""


def delta(step: int) -> float:
    """A step as a number."""
    return float(2.0 ** (step / _PER_OCTAVE - _LOWEST))


def nearest_step(value: float) -> int:
    """The step closest to a number > 0, in 0..65535."""
    return int(np.clip(np.rint((np.log2(value) + _LOWEST) * _PER_OCTAVE), 0, 65535))


def octaves(ratio: float) -> float:
    """How many steps a factor > 0 is."""
    return float(np.log2(ratio)) * _PER_OCTAVE


def octave_steps(octaves: float) -> int:
    """Steps of a number of octaves."""
    return round(octaves * _PER_OCTAVE)


def pack(
    components: Sequence[Component], splits: list[int], before: Sequence[Numbers] = ()
) -> bytes:
    """The payload. before: the numbers of an earlier step, as context."""
    head = [_HEAD.pack(_VERSION | (_RELATIVE if before else 0), len(splits))]
    pairs = [*splits, 0]
    head += [bytes([pairs[i] << 4 | pairs[i + 1]]) for i in range(0, len(splits), 2)]
    for component in components:
        one, more = component.points
        head.append(_COMPONENT.pack(component.step, (one + 8) << 4 | (more + 8)))
    numbers = [component.numbers for component in components]
    payload = b"".join(head) + sparse_kernels().encode(numbers, splits, list(before))
    samples = sum(n.size for n in numbers)
    missing = -(-(samples - _most_samples(len(payload))) // 2**20)
    return payload + bytes(max(missing, 0))  # the coded numbers end in zeros


class _Head(NamedTuple):
    relative: bool
    splits: list[int]
    components: list[tuple[int, tuple[int, int]]]
    nbytes: int


def _read_head(payload: bytes, n_components: int) -> _Head:
    try:
        kind, n_levels = _HEAD.unpack_from(payload)
        if kind & ~_RELATIVE != _VERSION:
            raise FrameError(f"sparse grid: version {kind & ~_RELATIVE}, expected {_VERSION}")
        at = _HEAD.size
        pairs = payload[at : at + (n_levels + 1) // 2]
        splits = [half for pair in pairs for half in (pair >> 4, pair & 15)][:n_levels]
        at += len(pairs)
        heads = []
        for _ in range(n_components):
            step, points = _COMPONENT.unpack_from(payload, at)
            heads.append((step, ((points >> 4) - 8, (points & 15) - 8)))
            at += _COMPONENT.size
    except struct.error as error:
        raise FrameError(f"sparse grid: {error}") from None
    return _Head(bool(kind & _RELATIVE), splits, heads, at)


def read_head(payload: bytes, n_components: int) -> tuple[list[int], list[int]]:
    """Step of each component, and the splits. Raises FrameError where it is not a payload."""
    head = _read_head(payload, n_components)
    return [step for step, _ in head.components], head.splits


def unpack(
    payload: bytes, shape: Shape, n_components: int, before: Sequence[Numbers] = ()
) -> tuple[list[Component], list[int]]:
    """Components and splits of a payload, for samples (nz, ny, nx). Raises FrameError where it is
    not one of this shape. The bytes are untrusted."""
    head = _read_head(payload, n_components)
    if head.relative != bool(before):
        raise FrameError("sparse grid: coded relative to a step that is not given, or the reverse")
    if math.prod(shape) * n_components > _most_samples(len(payload)):
        raise FrameError(f"sparse grid: {len(payload)} bytes for {shape} samples")
    nz, ny, nx = shape
    digits = "".join(f"{mask:x}" for mask in head.splits)
    try:
        SparseGrid(shape=(nx, ny, nz), splits=digits, n_outputs=n_components).check()
        numbers = sparse_kernels().decode(
            payload[head.nbytes :], shape, head.splits, n_components, list(before)
        )
    except ValueError as error:
        raise FrameError(f"sparse grid: {error}") from None
    return [Component(n, *c) for n, c in zip(numbers, head.components, strict=True)], head.splits


def with_context(payload: bytes, before: bytes, shape: Shape, n_components: int) -> bytes:
    """A payload coded again, with the numbers of another one as context. Both are (nz, ny, nx) and
    stand alone. Raises FrameError as `unpack`."""
    components, splits = unpack(payload, shape, n_components)
    return pack(components, splits, _numbers(before, shape, n_components))


def without_context(payload: bytes, before: bytes, shape: Shape, n_components: int) -> bytes:
    """Inverse of `with_context`, bit for bit."""
    context = _numbers(before, shape, n_components)
    return pack(*unpack(payload, shape, n_components, context))


def _numbers(payload: bytes, shape: Shape, n_components: int) -> list[Numbers]:
    return [component.numbers for component in unpack(payload, shape, n_components)[0]]


def _most_samples(nbytes: int) -> int:
    """Bound on what a payload may ask for; `pack` makes shorter ones longer."""
    return int(min(2**24 + 2**20 * nbytes, 2**31 - 1))


def model_of(
    components: Sequence[Component], splits: list[int], vertex: bool
) -> tuple[SparseGrid, NDArray[np.float32]]:
    """The model, and its parameters (n_params,)."""
    nz, ny, nx = components[0].numbers.shape
    places, values = [], []
    for c, component in enumerate(components):
        there = np.flatnonzero(component.numbers)
        places.append(there + c * nx * ny * nz)
        values.append(component.coefficients(splits).reshape(-1)[there])
    model = SparseGrid(
        shape=(nx, ny, nz),
        vertex=vertex,
        splits="".join(map(str, splits)),
        support=np.concatenate(places).astype("<i4").tobytes(),
        n_outputs=len(components),
    )
    return model, np.concatenate(values).astype(np.float32)


def read(
    payload: bytes, shape: Shape, n_components: int, vertex: bool
) -> tuple[SparseGrid, Weights]:
    """Model and parameters of a payload that stands alone. Raises FrameError as `unpack`."""
    components, splits = unpack(payload, shape, n_components)
    model, params = model_of(components, splits, vertex)
    params.flags.writeable = False
    return model, Weights(params, CODEC, payload)


def _sixteenths(point: float) -> int:
    return int(np.clip(np.rint(point * _POINTS), -8, 7))
