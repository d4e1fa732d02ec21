"""A grid cut into as many boxes as there are ranks, and which rank gets which.

In: cells of the grid, ranks, how many samples of each box each rank has. Out: boxes, their owners.
"""

from __future__ import annotations

import itertools
from itertools import pairwise

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.mesh.partition import Shape


def cut(cells: Shape, ranks: int) -> list[Box]:
    """Boxes of cells that tile the grid: as many as ranks, or the most that there are cells for, of
    the least surface."""
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
    """The rank of each box: (ranks, boxes) samples that a rank has of a box -> a rank per box, no
    rank twice. Boxes go to the ranks that have most of them, the largest shares first."""
    ranks, boxes = samples.shape
    owner, free = [-1] * boxes, np.ones(ranks, bool)
    for flat in np.argsort(-samples, axis=None, kind="stable"):
        rank, box = divmod(int(flat), boxes)
        if free[rank] and owner[box] < 0:
            owner[box], free[rank] = rank, False
    return owner
