"""The training of one block at the size that its target asks for.

In: a ladder of sizes, the network of the step before. Out: the fit of the smallest size tried that
reaches the target; where none does, the closest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from insitu.models.base import Model, SizeOption
from insitu.training.block import Block, Fit, Missed
from insitu.training.size import climb


def search(
    block_for: Callable[[Model], Block],
    rungs: Sequence[SizeOption],
    previous: Model | None,
    end: float,
    *,
    smaller: bool = False,
) -> tuple[Block, Fit]:
    """Fit, and climb until the target is met, the ladder ends, or the time, a perf_counter.

    Args:
        block_for: the block with a network, and the start that is right for it.
        previous: the network of the step before; where it is on the ladder the search begins
            there, else at the lower end.
        smaller: try one size below `previous` first.

    Where the whole ladder misses the target, or the time is over, the fit is that of the size that
    came closest. Its iterations are those of all sizes tried.
    """
    sizes = [rung.model for rung in rungs]
    at = sizes.index(previous) if previous in sizes else 0
    before = 0
    if smaller and at > 0:
        block = block_for(sizes[at - 1])
        tried = block.attempt(end, rungs[at - 1].share)
        if isinstance(tried, Fit):
            return block, tried
        before = tried.iterations
    missed: list[tuple[Block, Missed]] = []
    while True:
        block = block_for(sizes[at])
        result = block.attempt(end, max(rungs[at].share, float(block.first.warm)))
        before += result.iterations
        if isinstance(result, Fit):
            break
        missed.append((block, result))
        if at == len(sizes) - 1 or perf_counter() >= end:
            break
        at = min(at + climb(result.missing_db), len(sizes) - 1)
    if missed:
        closest, left = min(missed, key=lambda pair: pair[1].missing_db)
        if isinstance(result, Missed) or left.missing_db < block.missing_db(result):
            return closest, closest.keep(left)._replace(iterations=before)
    assert isinstance(result, Fit)
    return block, result._replace(iterations=before)
