"""Cuts the grid into one block per rank, by CloverLeaf3D's own rule, so blocks match its blocks.

In: cells of the whole grid and the number of ranks. Out: each rank's block and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .axes import GHOSTS, Triple

LOW, HIGH = 0, 1


@dataclass(frozen=True)
class Placement:
    """Where one rank's block lies, in (z, y, x) order.

    `offset` is the global index of its first cell and `shape` its number of cells;
    `neighbours[axis][side]` is the rank beyond that face, None at the edge of the domain.
    """

    offset: Triple
    shape: Triple
    neighbours: tuple[tuple[int | None, int | None], ...]


def choose_chunks(cells: Triple, ranks: int) -> Triple:
    """How many blocks along x, y, z for `ranks` ranks on `cells` (x, y, z) cells.

    The split with the least surface per volume wins, the first found among equals. The sums run
    in single precision because the Fortran does: rounding there decides between near ties.
    """
    best = (1, 1, ranks)
    best_metric = _surface_per_volume(cells, best)
    for cx in range(1, ranks + 1):
        if ranks % cx:
            continue
        for cy in range(1, ranks // cx + 1):
            if ranks % (cx * cy):
                continue
            candidate = (cx, cy, ranks // (cx * cy))
            metric = _surface_per_volume(cells, candidate)
            if metric < best_metric:
                best, best_metric = candidate, metric
    return best


def _surface_per_volume(cells: Triple, chunks: Triple) -> float:
    x, y, z = (np.float32(n) / np.float32(c) for n, c in zip(cells, chunks, strict=True))
    two = np.float32(2)
    surface = x * y * two + x * z * two + y * z * two
    return float(surface) / float(x * y * z)


def decompose(cells: Triple, ranks: int, rank: int) -> Placement:
    """The block of one rank, for `cells` given in x, y, z order.

    Raises ValueError, on every rank alike, when some rank would get no cells, or fewer along a
    cut direction than the two that its neighbour's halo needs. Not collective.
    """
    chunks = choose_chunks(cells, ranks)
    for name, n, c in zip("xyz", cells, chunks, strict=True):
        if c > 1 and n // c < GHOSTS:
            what = "no cells" if n // c == 0 else f"fewer than the {GHOSTS} cells a halo needs"
            raise ValueError(
                f"{ranks} ranks cut {cells[0]} x {cells[1]} x {cells[2]} cells into "
                f"{chunks[0]} x {chunks[1]} x {chunks[2]} blocks, which leaves a rank with {what} "
                f"along {name}; use fewer ranks or more cells"
            )
    here = (rank % chunks[0], rank // chunks[0] % chunks[1], rank // (chunks[0] * chunks[1]))
    stride = (1, chunks[0], chunks[0] * chunks[1])
    offset, shape, neighbours = [], [], []
    for n, c, at, step in zip(cells, chunks, here, stride, strict=True):
        # The first n % c blocks take one cell more.
        offset.append(at * (n // c) + min(at, n % c))
        shape.append(n // c + (at < n % c))
        neighbours.append((rank - step if at else None, rank + step if at < c - 1 else None))
    return Placement(_reverse(offset), _reverse(shape), tuple(reversed(neighbours)))


def _reverse(xyz: list[int]) -> Triple:
    x, y, z = xyz
    return z, y, x
