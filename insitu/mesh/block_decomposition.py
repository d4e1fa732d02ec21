"""Decomposition of a grid into one box per rank, and the assignment of boxes to ranks.

In: cells of the grid, number of ranks, number of samples that each rank has of each box. Out:
boxes, their owners.
"""

from __future__ import annotations

import itertools
from itertools import pairwise

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.mesh.partition import Shape


def cut(cells: Shape, ranks: int) -> list[Box]:
    """Boxes of cells that tile the grid with minimal surface: one per rank, or fewer where there
    are not enough cells."""
    for n in range(ranks, 0, -1):
        counts = [
            (a, b, n // (a * b))
            for a, b in itertools.product(range(1, n + 1), repeat=2)
            if n % (a * b) == 0
        ]
        fitting = [c for c in counts if all(k <= m for k, m in zip(c, cells, strict=True))]
        if fitting:
            best = min(fitting, key=lambda c: (_surface(cells, c), c))
            axes = [
                [slice(a, b) for a, b in pairwise(m * i // k for i in range(k + 1))]
                for m, k in zip(cells, best, strict=True)
            ]
            return [(z, y, x) for z, y, x in itertools.product(*axes)]
    raise ValueError(f"cells: {cells} has an axis without cells")


def _surface(cells: Shape, counts: tuple[int, int, int]) -> float:
    z, y, x = (m / k for m, k in zip(cells, counts, strict=True))
    return z * y + y * x + x * z


def owners(samples: Array) -> list[int]:
    """Assign boxes to ranks: numbers of samples (ranks, boxes) -> one rank per box, no rank twice.
    Each box goes to the rank with most of its samples, the largest counts first."""
    ranks, boxes = samples.shape
    owner, free = [-1] * boxes, np.ones(ranks, bool)
    for flat in np.argsort(-samples, axis=None, kind="stable"):
        rank, box = divmod(int(flat), boxes)
        if free[rank] and owner[box] < 0:
            owner[box], free[rank] = rank, False
    return owner
