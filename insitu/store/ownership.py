"""How the blocks of a stored field are distributed over the processes that read it.

In: the sizes of all blocks, in the order of the writer's ranks. Out: the rank that holds each
block; blocks are not split.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from insitu.core.arrays import Indices


def owners(cells: Sequence[int], n_ranks: int) -> Indices:
    """The rank (n,) that holds each block. Not collective: deterministic in its arguments.

    Each rank gets a contiguous range of the list, balanced by number of cells. Blocks therefore
    keep the order of the original run on any number of ranks, and so does what depends on it,
    such as seeds on an isosurface and file numbers. With more ranks than blocks some have none.

    cells: number of cells of each block.
    """
    weights = np.asarray(cells, np.float64)
    ranks = np.zeros(len(weights), np.int64)
    parts = [(0, len(weights), 0, n_ranks)]
    while parts:
        first, last, rank, n = parts.pop()
        if n == 1 or first == last:
            ranks[first:last] = rank
            continue
        left = n // 2
        shares = np.cumsum(weights[first:last]) / weights[first:last].sum()
        cut = 1 + int(np.argmin(np.abs(shares - left / n)))
        # If there are enough blocks, every rank gets at least one.
        least, most = sorted((left, last - first - (n - left)))
        cut = first + min(max(cut, least, 0), most, last - first)
        parts += [(first, cut, rank, left), (cut, last, rank + left, n - left)]
    return ranks
