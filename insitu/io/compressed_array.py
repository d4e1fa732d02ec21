"""A compressed array: a file of compressed blocks, which are read only when needed.

In: a file, or the frames in memory. Out: values at points, in a box, or of the whole array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.core.arrays import Array
from insitu.core.atomic_file import atomic_file
from insitu.core.box import Box, overlap
from insitu.core.indexing import pick
from insitu.core.limits import huge_problem
from insitu.fields.at_points import values_of
from insitu.fields.block_field import BlockField
from insitu.fields.metrics import FieldMetrics
from insitu.fields.read import read_field
from insitu.io.array_source import ArraySource
from insitu.io.header import ArrayHeader

# Decoded blocks kept in the cache: a traversal of a box a few blocks wide revisits the same ones.
_KEPT = 64


class CompressedArray(ArraySource):
    """A compressed array, decoded on demand. Immutable; no method is collective.

    `name`, `shape`, `dtype`, `association` and `nodes` are those of the original array.
    """

    def __init__(self, header: ArrayHeader, read_frame: Callable[[int], bytes]) -> None:
        """read_frame: returns the bytes of a block's frame, given the block number."""
        self.header, self._read_frame = header, read_frame
        self.name, self.shape, self.dtype = header.name, header.shape, header.dtype
        self.association, self.nodes = header.blocks.association, header.nodes
        self.field = lru_cache(maxsize=_KEPT)(self._field)

    @staticmethod
    def open(path: Path | str) -> CompressedArray:
        """Open a file written by `save` or `insitu compress`; its blocks are read when needed.

        Raises FileNotFoundError; FrameError if it is not such a file, is corrupt or truncated.
        """
        path = Path(path)
        size = path.stat().st_size
        with open(path, "rb") as file:
            try:
                nbytes = frame.frame_nbytes(file.read(frame.PREFIX_NBYTES))
                file.seek(0)
                header = ArrayHeader.from_bytes(file.read(min(nbytes, size)))
            except FrameError as error:
                raise FrameError(f"{path}: {error}") from None
        starts = list(accumulate(header.lengths, initial=nbytes))
        if starts[-1] != size:
            raise FrameError(
                f"{path}: truncated or corrupt: {size} bytes; expected {starts[-1]} from its header"
            )

        def read_frame(number: int) -> bytes:
            with open(path, "rb") as file:
                file.seek(starts[number])
                return file.read(header.lengths[number])

        return CompressedArray(header, read_frame)

    def save(self, path: Path | str) -> None:
        """Write the file atomically. Raises OSError."""
        with atomic_file(Path(path)) as tmp, open(tmp, "wb") as file:
            file.write(self.header.to_bytes())
            for number in range(len(self.header.blocks)):
                file.write(self._read_frame(number))

    @property
    def bounds(self) -> tuple[Array, Array]:
        """World coordinates of the lower and the upper corner, each (3,) x, y, z."""
        return (
            np.array([lines[0] for lines in self.nodes]),
            np.array([lines[-1] for lines in self.nodes]),
        )

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest finite value of the original array; NaN if there are none."""
        return self.header.range

    @property
    def metrics(self) -> FieldMetrics:
        """Errors over all samples, measured during compression, and counts of NaN and Inf.

        Vertices on a face shared by two blocks are counted twice.
        """
        return self.header.metrics

    @property
    def psnr_db(self) -> float:
        """PSNR in dB relative to the range of the original array; infinite if it is lossless."""
        return self.metrics.psnr_db([self.range[1] - self.range[0]])

    @property
    def nbytes(self) -> int:
        """Size of the file in bytes."""
        return len(self.header.to_bytes()) + sum(self.header.lengths)

    @property
    def raw_nbytes(self) -> int:
        return self.metrics.raw_nbytes

    @property
    def ratio(self) -> float:
        """Compression ratio: size of the original array over `nbytes`."""
        return self.raw_nbytes / self.nbytes

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        return self.header.blocks.cuts

    def fields(self) -> Iterator[BlockField]:
        """The fields of all blocks, in block order."""
        return (self.field(number) for number in range(len(self.header.blocks)))

    def decode(self, region: Sequence[slice] | None = None) -> Array:
        """The samples of a region: one slice per axis of `shape`, with step 1; default: all.

        Only blocks that intersect the region are read. Raises ValueError for an invalid or empty
        region; FrameError if a block is corrupt, or claims implausibly many samples.
        """
        box = self.whole if region is None else region_box(region, self.shape)
        shape = tuple(axis.stop - axis.start for axis in box[3 - len(self.shape) :])
        return self.read(box).reshape(shape)

    def check_size(self, box: Box) -> None:
        nbytes = math.prod(axis.stop - axis.start for axis in box) * self.dtype.itemsize
        if problem := huge_problem(nbytes, self.nbytes):
            raise FrameError(f"{self.name} {problem}")

    def read(self, box: Box) -> Array:
        self.check_size(box)
        values = np.empty([axis.stop - axis.start for axis in box], self.dtype)
        for number in range(len(self.header.blocks)):
            if meet := overlap(self.header.blocks.box(number), box):
                values[meet[0]] = self.field(number).decode_box(meet[1])
        return values

    def __getitem__(self, key: Any) -> Array:
        """Decode what integers, slices and `...` select, as NumPy does: `array[2:5, :, ::4]`.

        Only blocks that intersect the selection are read. Raises IndexError for other indices.
        """
        return pick(key, self.shape, self.dtype, self.read)

    def __len__(self) -> int:
        """Samples along the first axis."""
        return self.shape[0]

    def __call__(self, points: ArrayLike) -> Array:
        """Values (n,) at world points (n, 3), x y z; NaN outside. ValueError for other shapes."""
        points = np.atleast_2d(np.asarray(points, np.float64))
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(f"points: shape {points.shape}; expected (n, 3)")
        values = np.full(len(points), np.nan, self.dtype)
        numbers, unit = self.header.blocks.locate(self.nodes, points)
        order = np.argsort(numbers, kind="stable")[np.count_nonzero(numbers < 0) :]
        found, starts = np.unique(numbers[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        for first in range(0, len(found), _KEPT):  # no more blocks than the cache keeps
            group = slice(first, first + _KEPT)
            begin, last = starts[first], ends[group][-1]
            mine = order[begin:last]
            fields = [self.field(number) for number in found[group].tolist()]
            local = [end - int(begin) for end in ends[group]]
            values[mine] = values_of(fields, unit[mine], local)[:, 0]
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("a compressed array cannot be viewed without a copy; omit copy=False")
        values = self.decode()
        return values if dtype is None else values.astype(dtype)

    def __repr__(self) -> str:
        return (
            f"<CompressedArray {self.name} {self.shape} {self.dtype}: {self.psnr_db:.1f} dB, "
            f"{self.nbytes} bytes, ratio {self.ratio:.0f}>"
        )

    def _field(self, number: int) -> BlockField:
        try:
            field = read_field(self._read_frame(number))
        except FrameError as error:
            raise FrameError(f"{self.name}, block {number}: {error}") from None
        expected = self.header.blocks.box(number)
        if field.shape != tuple(axis.stop - axis.start for axis in expected):
            raise FrameError(
                f"{self.name}, block {number}: shape {field.shape} differs from the header"
            )
        return field


def region_box(region: Sequence[slice], shape: tuple[int, ...]) -> Box:
    """The 3-D box for one slice per axis of `shape` (2 or 3 axes). ValueError if invalid."""
    if len(region) != len(shape) or not all(isinstance(axis, slice) for axis in region):
        raise ValueError(f"region: {region}; expected {len(shape)} slices, one per axis of {shape}")
    axes = [slice(0, 1)] * (3 - len(shape))
    for axis, n in zip(region, shape, strict=True):
        start, stop, step = axis.indices(n)
        if step != 1 or start >= stop:
            raise ValueError(f"region: {axis} of {n} samples is empty, or has a step")
        axes.append(slice(start, stop))
    return axes[0], axes[1], axes[2]


def load(path: Path | str) -> CompressedArray:
    """Open a compressed array; see `CompressedArray.open`. Not collective."""
    return CompressedArray.open(path)
