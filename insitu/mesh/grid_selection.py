"""How fine a grid must be for a mesh of cells to be resampled within a given error.

In: a mesh, fields, a PSNR. Out: cells of a grid that was tried and reaches it, or comes nearest.
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

# Straight lines between samples of a smooth field are off by the square of the spacing, 12 dB where
# it halves; at the mesh's points, which are kinks of its interpolation, by the spacing itself.
_SMOOTH_DB, _KINKS_DB = 12.0, 6.0
# What is tried: so many grids, none with more than so many times the samples of the one before.
_TRIES, _MOST_TIMES = 4, 8.0


@dataclass(frozen=True)
class GridChoice:
    """cells: along x, y, z; error: what resampling to them was measured to cost."""

    cells: tuple[int, int, int]
    error: ResamplingError


def finer_grid(
    comm: MPI.Comm,
    tree: Any,
    fields: Sequence[str],
    wanted_db: float,
    start: GridChoice,
    ghost_field: str | None,
) -> GridChoice:
    """A grid finer than `start` on which `fields` (the components of one) keep `wanted_db`, else
    the finest that was tried. Collective.

    Each grid is as fine as the error of the one before asks for: first as if the field were smooth,
    then by what a halving of the spacing was seen to gain. The mesh is resampled to it and the
    error measured.
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
