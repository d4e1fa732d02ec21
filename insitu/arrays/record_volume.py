"""A field of a run's record at one step, as one array.

In: the blocks of all ranks. Out: a Volume of their common grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from insitu.arrays.blocks import overlap
from insitu.arrays.mapped import chosen
from insitu.arrays.volume import Array, Box, Volume
from insitu.errors import ConfigError
from insitu.fields.block_field import BlockField
from insitu.history.record import open_record
from insitu.mesh.partition import Association

# Grid lines of two ranks closer than this, as a fraction of the domain, are one.
_SAME = 1e-9


class RecordVolume(Volume):
    """A scalar field of a record. Blocks have to tile a box of one grid, as those of a run do."""

    def __init__(self, path: Path, field: str | None, step: int) -> None:
        """Raises ConfigError where there is no such field or step, or it is a vector."""
        record = open_record(path)
        self.name = chosen(path, field, record.fields)
        try:
            self._fields = record.load(self.name, step).fields
        except IndexError as error:
            raise ConfigError([str(error.args[0])]) from None
        first = self._fields[0]
        if first.n_components > 1:
            raise ConfigError(
                [
                    f"{path}: {self.name} has {first.n_components} components; this reads scalars. "
                    f"In Python, insitu.open_record(path).load({self.name!r}) gives all of them"
                ]
            )
        self.step = record.steps[self.name][step]
        self.dtype, self.association = first.dtype, _association(first)
        x, y, z = (_lines([f.nodes[axis] for f in self._fields]) for axis in range(3))
        self.nodes = x, y, z
        extra = 1 if self.association == "vertex" else 0
        self.shape = tuple(lines.size - 1 + extra for lines in (z, y, x))
        self._boxes = [self._box(f) for f in self._fields]
        covered = sum(np.prod(f.cells) for f in self._fields)
        if covered != (x.size - 1) * (y.size - 1) * (z.size - 1):
            raise ConfigError([f"{path}: the blocks of {self.name} do not tile a box"])

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        starts = ({box[axis].start for box in self._boxes} - {0} for axis in range(3))
        z, y, x = (tuple(sorted(axis)) for axis in starts)
        return z, y, x

    @property
    def nbytes(self) -> int:
        """Compressed bytes of this field at this step."""
        return sum(field.nbytes for field in self._fields)

    def read(self, box: Box) -> Array:
        values = np.empty([axis.stop - axis.start for axis in box], self.dtype)
        for field, own in zip(self._fields, self._boxes, strict=True):
            if meet := overlap(own, box):
                values[meet[0]] = field.decode_box(meet[1])
        return values

    def _box(self, field: BlockField) -> Box:
        starts = [
            int(np.argmin(np.abs(lines - own[0])))
            for lines, own in zip(self.nodes, field.nodes, strict=True)
        ]
        z, y, x = (
            slice(start, start + n) for start, n in zip(starts[::-1], field.shape, strict=True)
        )
        return z, y, x


def _association(field: BlockField) -> Association:
    return "vertex" if field.association == "vertex" else "element"


def _lines(parts: Sequence[Array]) -> Array:
    """All grid lines of one axis, increasing, each once."""
    lines = np.unique(np.concatenate(parts))
    apart = np.diff(lines) > _SAME * (lines[-1] - lines[0])
    return lines[np.concatenate([[True], apart])]
