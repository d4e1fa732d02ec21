"""A field of a record at one step, as one array.

In: a record, a field and a step. Out: an ArraySource on the common grid of all blocks.
"""

from __future__ import annotations

from pathlib import Path

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.core.errors import ConfigError
from insitu.io.array_source import ArraySource
from insitu.io.mapped import chosen
from insitu.store.block_grid import GridError
from insitu.store.record import open_record


class RecordVolume(ArraySource):
    """A field of a record at one step. Its blocks must tile a box of one grid."""

    def __init__(self, path: Path, field: str | None, step: int, *, vectors: bool = False) -> None:
        """vectors: accept vector fields; `read` then returns (nz, ny, nx, n_components).

        Raises ConfigError if there is no such field or step, if the blocks are not on one grid, or
        if the field is a vector and `vectors` is False.
        """
        record = open_record(path)
        self.name = chosen(path, field, record.fields)
        try:
            self.field = record.load(self.name, step)
            self.grid = self.field.grid
        except IndexError as error:
            raise ConfigError([str(error.args[0])]) from None
        except GridError as error:
            raise ConfigError([f"{path}: {error}"]) from None
        self.n_components = self.grid.n_components
        if self.n_components > 1 and not vectors:
            raise ConfigError(
                [
                    f"{path}: {self.name} has {self.n_components} components; expected a scalar. "
                    f"In Python, insitu.open_record(path)[{self.name!r}] gives all components"
                ]
            )
        self.step = record.steps[self.name][step]
        self.n_steps = len(record[self.name])
        self.dtype = self.grid.dtype
        self.association = "vertex" if self.grid.association == "vertex" else "element"
        self.nodes, self.shape = self.grid.nodes, self.grid.shape
        self.unit, self.units = record[self.name].unit, record.units

    @property
    def cuts(self) -> tuple[tuple[int, ...], ...]:
        return self.grid.cuts

    @property
    def nbytes(self) -> int:
        """Compressed size of this field at this step, in bytes."""
        return self.field.summary.nbytes

    def check_size(self, box: Box) -> None:
        self.grid.check_size(box)

    def read(self, box: Box) -> Array:
        return self.grid.read(box)
