"""Which process of an analysis holds which blocks of a field that others have written.

In: the sizes of all blocks, in the order of the writer's ranks. Out: for each block the rank that
holds it, whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from insitu.core.arrays import Indices


def owners(cells: Sequence[int], n_ranks: int) -> Indices:
    """The rank (n,) that holds each block. Not collective: the same arguments, the same answer.

    The list is cut into one run of blocks for each rank, with as even shares of cells as that
    allows. So all blocks of all ranks have the order that they had in the run, on any number of
    ranks: what goes by it, as seeds on an isosurface and the numbers of files, is the run's own.
    With more ranks than blocks some ranks have none.

    cells: of each block.
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
        # Every rank gets a block where there are enough, and none gets two before all have one.
        least, most = sorted((left, last - first - (n - left)))
        cut = first + min(max(cut, least, 0), most, last - first)
        parts += [(first, cut, rank, left), (cut, last, rank + left, n - left)]
    return ranks
