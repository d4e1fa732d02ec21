"""Which process of an analysis holds which blocks of a field that others have written.

In: the boxes of all blocks. Out: for each block the rank that holds it, whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]


def owners(boxes: Floats, cells: Sequence[int], n_ranks: int) -> Indices:
    """The rank (n,) that holds each block. Not collective: the same arguments, the same answer.

    Blocks near each other go to one rank, so that surfaces and pathlines cross few borders between
    ranks: the blocks are halved across their longest extent, with shares of cells as those of the
    ranks (recursive coordinate bisection). With more ranks than blocks some ranks have none.

    Args:
        boxes: (n, 2, 3), lowest and highest corner x, y, z. Which rank has a block depends on the
            boxes alone, not on their order, so fields on the same blocks are cut alike.
        cells: of each block.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 2, 3)
    weights = np.asarray(cells, np.float64)
    ranks = np.zeros(len(boxes), np.int64)
    centers = boxes.mean(axis=1)
    parts = [(np.arange(len(boxes)), 0, n_ranks)]
    while parts:
        some, first, n = parts.pop()
        if n == 1 or len(some) == 0:
            ranks[some] = first
            continue
        axis = int(np.argmax(np.ptp(centers[some], axis=0)))
        others = [a for a in (2, 1, 0) if a != axis]
        some = some[np.lexsort([*(centers[some, a] for a in others), centers[some, axis]])]
        left = n // 2
        shares = np.cumsum(weights[some]) / weights[some].sum()
        cut = 1 + int(np.argmin(np.abs(shares - left / n)))
        # Every rank gets a block where there are enough, and none gets two before all have one.
        least, most = sorted((left, len(some) - (n - left)))
        cut = min(max(cut, least, 0), most, len(some))
        parts += [(some[:cut], first, left), (some[cut:], first + left, n - left)]
    return ranks
