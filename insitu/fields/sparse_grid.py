"""The bytes of a sparse grid.

In: coefficients as whole numbers of steps. Out: a payload, and from it the model and its
parameters.

A payload is a head of few bytes (version, levels, steps and decoded points of each component, what
it has in common with its neighbors) and
the coded numbers (`insitu/engines/cpu/cpp/sparse_coder.hpp`), which come out of integer arithmetic
only: every machine reads the same ones. A payload may have been coded with the numbers of an
earlier step as its context; they are then needed to read it.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.errors import FrameError
from insitu.codecs.weights import Weights
from insitu.core.arrays import Floats
from insitu.engines.sparse_kernels import Few, Numbers, sparse_kernels
from insitu.fields.shared_parts import ROUNDING, overwrite
from insitu.models.sparse_grid.coder import FIRST, LATEST
from insitu.models.sparse_grid.lines import HALF_CELLS, added
from insitu.models.sparse_grid.model import SparseGrid
from insitu.models.sparse_grid.parts import n_parts, parts

CODEC = "sparse_grid"
"""Name of these payloads among the weight codecs in frame headers."""

Shape = tuple[int, int, int]
Scale = tuple[Floats, Floats]
"""Origin and extent of each component, (n_components,) each: field values are origin + extent *
output. What a block shares with its neighbors is stored in field units."""

# Of each coding, versions without and with ends that are kept.
_VERSIONS = {FIRST: (1, 2), LATEST: (3, 4)}
_RELATIVE = 16  # flag: coded with the numbers of an earlier step as context
_HEAD = struct.Struct("<BB")
_COMPONENT = struct.Struct("<HB")
_SHARED = struct.Struct("<H")
# A step is 2 ** (k / 512 - 64), so one number in 0..65535 holds it to 0.07 %.
_PER_OCTAVE, _LOWEST = 512, 64
_KEPT_SAMPLES = 2**15  # of a block whose numbers are kept: 128 KiB; decoding takes a millisecond
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
    shared: Shared | None = None
    """What neighbors have in common; None where no end is kept."""

    @staticmethod
    def of(coefficients: Floats, splits: list[int], step: int) -> Component:
        """Coefficients (nz, ny, nx) rounded with regard to their bytes."""
        return Component.rounded(coefficients, splits, step)[0]

    @staticmethod
    def rounded(coefficients: Floats, splits: list[int], step: int) -> tuple[Component, float]:
        """The same, and about the sum of squares of its errors at the samples."""
        size = delta(step)
        numbers, one, more, squares = sparse_kernels().quantise(
            coefficients, splits, size, ROUNDING
        )
        points = (_sixteenths(one), _sixteenths(more))
        return Component(numbers, step, points), squares * size * size

    def coefficients(
        self, splits: list[int], origin: float = 0.0, extent: float = 1.0
    ) -> NDArray[np.float32]:
        """(nz, ny, nx): what the numbers decode to. origin, extent: field values are origin +
        extent * output; what is shared with neighbors is stored in field units."""
        one, more = (point / _POINTS for point in self.points)
        found = sparse_kernels().dequantise(self.numbers, splits, delta(self.step), one, more)
        if self.shared is not None:
            # Of a constant component, nothing is read.
            self.shared.overwrite(found, self.numbers, splits, origin, extent or 1.0)
        return found

    def few(self, splits: list[int], origin: float = 0.0, extent: float = 1.0) -> Few:
        """The `coefficients` that are not zero."""
        if self.shared is not None:
            return sparse_kernels().support(self.coefficients(splits, origin, extent))
        one, more = (point / _POINTS for point in self.points)
        return sparse_kernels().decoded(self.numbers, splits, delta(self.step), one, more)


@dataclass(frozen=True)
class Shared:
    """The parts of a component that its neighbors code alike (`insitu.fields.shared_parts`)."""

    ends: int
    """Which ends are kept (`insitu.models.sparse_grid.lines`)."""
    step: int
    """The error of the parts, in field units, as a `delta`."""
    coarseness: tuple[int, ...]
    """Of each part, in the order of `parts`, 0..15."""

    @property
    def error(self) -> float:
        return delta(self.step)

    def overwrite(
        self,
        coefficients: NDArray[np.float32],
        numbers: Numbers,
        splits: list[int],
        origin: float,
        extent: float,
    ) -> None:
        nz, ny, nx = numbers.shape
        found = parts((nz, ny, nx), splits, self.ends)
        overwrite(coefficients, numbers, found, self.coarseness, self.error, origin, extent)

    def pack(self) -> bytes:
        """Without the ends."""
        pairs = itertools.zip_longest(self.coarseness[::2], self.coarseness[1::2], fillvalue=0)
        return _SHARED.pack(self.step) + bytes(high << 4 | low for high, low in pairs)

    @staticmethod
    def unpack(payload: bytes, at: int, ends: int) -> tuple[Shared, int]:
        """And where it ends. Raises struct.error where bytes are missing."""
        (step,) = _SHARED.unpack_from(payload, at)
        at += _SHARED.size
        count = n_parts(ends)
        pairs = struct.unpack_from(f"{(count + 1) // 2}B", payload, at)
        halves = tuple(half for pair in pairs for half in (pair >> 4, pair & 15))
        return Shared(ends, step, halves[:count]), at + len(pairs)


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
    components: Sequence[Component],
    splits: list[int],
    before: Sequence[Numbers] = (),
    coding: int = LATEST,
) -> bytes:
    """The payload. before: the numbers of an earlier step, as context. coding: see
    `insitu.models.sparse_grid.coder`."""
    first = components[0].shared
    version = _VERSIONS[coding][first is not None]
    head = [_HEAD.pack(version | (_RELATIVE if before else 0), len(splits))]
    pairs = [*splits, 0]
    head += [bytes([pairs[i] << 4 | pairs[i + 1]]) for i in range(0, len(splits), 2)]
    if first is not None:
        head.append(bytes([first.ends]))
    for component in components:
        one, more = component.points
        head.append(_COMPONENT.pack(component.step, (one + 8) << 4 | (more + 8)))
        if component.shared is not None:
            head.append(component.shared.pack())
    numbers = [component.numbers for component in components]
    context = [_alike(one, numbers[0].shape) for one in before]
    payload = b"".join(head) + sparse_kernels().encode(numbers, splits, context, coding)
    samples = sum(n.size for n in numbers)
    missing = -(-(samples - _most_samples(len(payload))) // 2**20)
    return payload + bytes(max(missing, 0))  # the coded numbers end in zeros


class _Head(NamedTuple):
    coding: int
    relative: bool
    splits: list[int]
    ends: int
    components: list[tuple[int, tuple[int, int], Shared | None]]
    nbytes: int


def _read_head(payload: bytes, n_components: int) -> _Head:
    try:
        kind, n_levels = _HEAD.unpack_from(payload)
        version = kind & ~_RELATIVE
        found = [c for c, versions in _VERSIONS.items() if version in versions]
        if not found:
            raise FrameError(f"sparse grid: version {version}, expected 1 to 4")
        coding = found[0]
        at = _HEAD.size
        pairs = payload[at : at + (n_levels + 1) // 2]
        splits = [half for pair in pairs for half in (pair >> 4, pair & 15)][:n_levels]
        at += len(pairs)
        ends = 0
        if version == _VERSIONS[coding][1]:
            (ends,) = struct.unpack_from("B", payload, at)
            at += 1
            if not 0 < ends & ~HALF_CELLS < HALF_CELLS:
                raise FrameError(f"sparse grid: kept ends {ends}, expected 1..127")
        heads = []
        for _ in range(n_components):
            step, points = _COMPONENT.unpack_from(payload, at)
            at += _COMPONENT.size
            shared = None
            if ends:
                shared, at = Shared.unpack(payload, at, ends)
            heads.append((step, ((points >> 4) - 8, (points & 15) - 8), shared))
    except struct.error as error:
        raise FrameError(f"sparse grid: {error}") from None
    return _Head(coding, bool(kind & _RELATIVE), splits, ends, heads, at)


def read_head(payload: bytes, n_components: int) -> tuple[list[int], list[int]]:
    """Step of each component, and the splits. Raises FrameError where it is not a payload."""
    head = _read_head(payload, n_components)
    return [step for step, *_ in head.components], head.splits


def head_nbytes(payload: bytes, n_components: int) -> int:
    """Where the head ends and the coded numbers begin. Raises FrameError as `read_head`."""
    return _read_head(payload, n_components).nbytes


def unpack(
    payload: bytes, shape: Shape, n_components: int, before: Sequence[Numbers] = ()
) -> tuple[list[Component], list[int]]:
    """Components and splits of a payload, for samples (nz, ny, nx) that a block owns. Raises
    FrameError where it is not one of this shape. The bytes are untrusted."""
    head = _read_head(payload, n_components)
    nz, ny, nx = (n + sum(added(head.ends, 2 - a)) for a, n in enumerate(shape))
    shape = nz, ny, nx
    if head.relative != bool(before):
        raise FrameError("sparse grid: coded relative to a step that is not given, or the reverse")
    if math.prod(shape) * n_components > _most_samples(len(payload)):
        raise FrameError(f"sparse grid: {len(payload)} bytes for {shape} samples")
    digits = "".join(f"{mask:x}" for mask in head.splits)
    try:
        vertex = not head.ends & HALF_CELLS
        SparseGrid((nx, ny, nz), vertex, digits, ends=head.ends, n_outputs=n_components).check()
        numbers = sparse_kernels().decode(
            payload[head.nbytes :], shape, head.splits, n_components,
            [_alike(one, shape) for one in before], head.coding,
        )  # fmt: skip
    except ValueError as error:
        raise FrameError(f"sparse grid: {error}") from None
    return [Component(n, *c) for n, c in zip(numbers, head.components, strict=True)], head.splits


@dataclass(frozen=True)
class SparseWeights(Weights):
    """Parameters of a sparse grid and their payload. Of small blocks also what it decodes to, so
    that the next step's difference from it need not decode it again."""

    kept: tuple[Component, ...] = field(default=(), repr=False, compare=False)


def with_context(weights: Weights, before: Weights, shape: Shape, n_components: int) -> bytes:
    """A payload coded again, with the numbers of another one as context. Both are (nz, ny, nx) and
    stand alone. Raises FrameError as `unpack`."""
    components = _components(weights, shape, n_components)
    head = _read_head(weights.payload, n_components)
    context = [one.numbers for one in _components(before, shape, n_components)]
    return pack(components, head.splits, context, head.coding)


def _components(weights: Weights, shape: Shape, n_components: int) -> Sequence[Component]:
    if isinstance(weights, SparseWeights) and weights.kept:
        return weights.kept
    return unpack(weights.payload, shape, n_components)[0]


def without_context(payload: bytes, before: bytes, shape: Shape, n_components: int) -> bytes:
    """Inverse of `with_context`, bit for bit."""
    context = _numbers(before, shape, n_components)
    components, splits = unpack(payload, shape, n_components, context)
    return pack(components, splits, coding=_read_head(payload, n_components).coding)


def _numbers(payload: bytes, shape: Shape, n_components: int) -> list[Numbers]:
    return [component.numbers for component in unpack(payload, shape, n_components)[0]]


def _alike(numbers: Numbers, shape: tuple[int, ...]) -> Numbers:
    """Numbers of an earlier step in this shape: another one where other ends were kept."""
    if numbers.shape == shape:
        return numbers
    found = np.zeros(shape, np.int32)
    box = tuple(slice(min(n, m)) for n, m in zip(numbers.shape, shape, strict=True))
    found[box] = numbers[box]
    return found


def _most_samples(nbytes: int) -> int:
    """Bound on what a payload may ask for; `pack` makes shorter ones longer."""
    return int(min(2**24 + 2**20 * nbytes, 2**31 - 1))


def samples(model: SparseGrid, params: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs at the samples that a block owns, (n_outputs, nz, ny, nx): all levels at once, which
    is faster than reading point by point."""
    nx, ny, nz = model.shape
    count = nx * ny * nz
    begins = np.searchsorted(model.places, count * np.arange(model.n_outputs + 1)).tolist()
    found = [
        sparse_kernels().samples(
            (model.places[begin:end] - np.int32(count * c), params[begin:end]),
            (nz, ny, nx), model.levels, model.ends,
        )
        for c, (begin, end) in enumerate(itertools.pairwise(begins))
    ]  # fmt: skip
    (z, z_end), (y, y_end), (x, x_end) = (added(model.ends, axis) for axis in (2, 1, 0))
    return np.stack(found)[:, z : nz - z_end, y : ny - y_end, x : nx - x_end]


def model_of(
    components: Sequence[Component],
    splits: list[int],
    vertex: bool,
    payload: bytes,
    decoded: Sequence[Few],
) -> tuple[SparseGrid, Weights]:
    """The model, and its parameters. payload: the components, packed. decoded: what they decode
    to."""
    nz, ny, nx = components[0].numbers.shape
    places, values = [], []
    for c, (there, found) in enumerate(decoded):
        places.append(there + np.int32(c * nx * ny * nz))
        values.append(found)
    shared = components[0].shared
    model = SparseGrid(
        shape=(nx, ny, nz),
        vertex=vertex,
        splits="".join(map(str, splits)),
        support=np.concatenate(places).astype("<i4", copy=False).tobytes(),
        ends=0 if shared is None else shared.ends,
        n_outputs=len(components),
    )
    params = np.concatenate(values)
    params.flags.writeable = False
    small = nx * ny * nz * len(components) <= _KEPT_SAMPLES
    return model, SparseWeights(params, CODEC, payload, tuple(components) if small else ())


def read(
    payload: bytes, shape: Shape, n_components: int, vertex: bool, scale: Scale | None = None
) -> tuple[SparseGrid, Weights]:
    """Model and parameters of a payload that stands alone. Raises FrameError as `unpack`."""
    components, splits = unpack(payload, shape, n_components)
    shared = components[0].shared
    if shared is not None and vertex == bool(shared.ends & HALF_CELLS):
        raise FrameError("sparse grid: of cells, where the field is of nodes, or the reverse")
    origin, extent = scale or (np.zeros(n_components), np.ones(n_components))
    decoded = [
        component.few(splits, float(o), float(e))
        for component, o, e in zip(components, origin, extent, strict=True)
    ]
    return model_of(components, splits, vertex, payload, decoded)


def _sixteenths(point: float) -> int:
    # No number where the transform overflows, which whoever asked finds when decoding.
    return int(np.clip(np.rint(np.nan_to_num(point) * _POINTS), -8, 7))
