"""What the coder of a sparse grid's numbers knows before the first one.

In: which coding. Out: weights of the mixer, and probabilities of contexts. They are statistics of
other fields, in `start.txt`, which `benchmarks/coder_start.py` writes: streams have some 100 to
3,000 bytes, of which much would go into learning them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from insitu.models.sparse_grid.coder import FIRST
from insitu.models.sparse_grid.mixing import HALF, NOTHING, SELECTORS, SLOTS, Start, squash

_WEIGHT = 16000  # of sets that no field had
_SEEN, _DECIDED, _PATIENCE = 4, 256, 2


@cache
def start(coding: int) -> Start:
    """Of a coding (`insitu.models.sparse_grid.coder`)."""
    return NOTHING if coding == FIRST else _read()


def _read() -> Start:
    """Lines `weights SET ...` and `contexts SLOT ...`: by how much a context's number is larger
    than the last one's, and a quarter of its logit, in turn."""
    weights = np.full((SELECTORS, SLOTS + 1), _WEIGHT, np.int32)
    contexts: list[tuple[int, int, int]] = []
    text = files("insitu.models.sparse_grid").joinpath("start.txt").read_text("ascii")
    for line in text.splitlines():
        kind, *fields = line.split()
        index, *numbers = map(int, fields)
        if kind == "weights":
            weights[index] = numbers
            continue
        places = np.cumsum(numbers[::2]).tolist()
        for place, logit in zip(places, numbers[1::2], strict=True):
            contexts.append((index, place, min(squash()[64 * logit + HALF], 65535)))
    table = np.array(contexts, np.int32).reshape(-1, 3)
    return Start(weights, table, _SEEN, _DECIDED, _PATIENCE)
