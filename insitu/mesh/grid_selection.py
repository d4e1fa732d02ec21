"""Selection of a grid that is fine enough to resample a mesh of cells within a given error.

In: a mesh, fields, a PSNR. Out: the cells of a tested grid that reaches it, or comes closest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.mesh.resample import Resampler
from insitu.mesh.resampling_error import ResamplingError

if TYPE_CHECKING:
    from mpi4py import MPI

# The error of linear interpolation of a smooth field is quadratic in the spacing: 12 dB less where
# it halves. At the mesh's points, where its interpolation has kinks, the error is linear.
_SMOOTH_DB, _KINKS_DB = 12.0, 6.0
# Number of grids that are tried, and the largest ratio of samples between one and the next.
_TRIES, _MOST_TIMES = 4, 8.0


@dataclass(frozen=True)
class GridChoice:
    """cells: along x, y, z; error: the measured resampling error."""

    cells: tuple[int, int, int]
    error: ResamplingError


def finer_grid(
    comm: MPI.Comm,
    tree: Any,
    fields: Sequence[str],
    wanted_db: float,
    start: GridChoice,
    ghost_field: str | Sequence[str] | None,
) -> GridChoice:
    """A grid finer than `start` on which `fields` (the components of one field) reach `wanted_db`,
    or the finest one that was tried. Collective.

    The spacing of each grid is extrapolated from the error of the previous one: at first as if the
    field were smooth, then with the observed gain per halving. The mesh is resampled to each grid
    and the error is measured.
    """
    found, per_halving = start, _SMOOTH_DB
    for _ in range(_TRIES):
        short = wanted_db - found.error.psnr_db
        if short <= 0:
            break
        finer = min(2 ** (short / per_halving), _MOST_TIMES ** (1 / 3))
        x, y, z = (_multiple_of_8(n * finer, n) for n in found.cells)
        resampler = Resampler(comm, (x, y, z), ghost_field)
        boxes = resampler.to_boxes(tree, fields)
        before, found = found, GridChoice((x, y, z), resampler.error(boxes, *fields))
        halvings = np.log2(np.prod(found.cells) / np.prod(before.cells)) / 3
        gained = found.error.psnr_db - before.error.psnr_db
        per_halving = float(np.clip(gained / halvings, _KINKS_DB, _SMOOTH_DB))
    return found


def _multiple_of_8(cells: float, more_than: int) -> int:
    return max(-(-int(cells) // 8) * 8, more_than + 1)
