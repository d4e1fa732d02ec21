"""How large a network a target asks for: a ladder of sizes, and where to go next on it.

In: a block's network and voxels, how far training ended from the target. Out: the next size.

The size was a guess in DVNR, its first limitation. Here a block begins with the smallest network
and a fraction of the steps. That pilot is cheap, and where it reaches the target it is the result;
else what it missed says how far to climb. Blocks choose for themselves: nothing is communicated.

Measured at 97^3 to 128^3 (Taylor-Green, CloverLeaf, Isabel): a table of twice the entries gains
1.5 to 3 dB and takes 1.5 times the bytes, so the smallest table that reaches a target keeps it in
the fewest bytes. Tables below the vertices of the coarsest grid lose 5 dB per halving and
save nothing. From 2^15 entries on a finer grid gains more than a larger table, and from 2^17 on
training twice as long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from insitu.engines.network import Network

_DENSE = 13  # log2_hashmap_size up to which every doubling is a rung, above only every other
_FINER_FROM = 15  # log2_hashmap_size from which grids are finer, by this factor
_FINER = 1.5
_LONGER_FROM = 17
_LARGEST = 19
# What one more rung gains.
_DB_PER_RUNG = 2.25
# A step was easy if it took this share of the usual steps; after so many in a row a smaller
# network is tried.
_EASY = 0.05
_EASY_STEPS = 5


@dataclass(frozen=True)
class Rung:
    """One size: a network, and the share of the usual steps that is worth spending on it."""

    network: Network
    share: float


def ladder(network: Network, n_voxels: int) -> list[Rung]:
    """The sizes for a block of `n_voxels`, each larger than the one before; at least one.

    network: the block's, of any table. The largest table has an eighth of the entries that the
    block has voxels: with 4 levels of 4 features that is two parameters for a voxel.
    """
    smallest = max(4, round(3 * math.log2(network.base_resolution)))
    largest = min(max(smallest, math.ceil(math.log2(max(n_voxels, 2))) - 3), _LARGEST)
    dense = range(smallest, min(largest, _DENSE))
    tables = [*dense, *range(max(smallest, _DENSE), largest, 2), largest]
    rungs: list[Rung] = []
    for table in tables:
        base = network.base_resolution
        if table >= _FINER_FROM:
            base = round(_FINER * base)
        share = 2.0 if table >= _LONGER_FROM else min(1.0, 0.25 * 2 ** ((table - smallest) / 2))
        sized = replace(network, log2_hashmap_size=table, base_resolution=base)
        if not rungs or sized.n_params > rungs[-1].network.n_params:
            rungs.append(Rung(sized, share))
    return rungs


def beside_a_residual(rungs: list[Rung], n_voxels: int) -> list[Rung]:
    """The sizes that pay where a residual may make up for the rest; at least one, the last with all
    the steps.

    Taylor-Green at 50 dB takes 332 kB as a network of 2^17 entries, a third of that as one of 2^13
    and a residual, and a sixth of the time.
    """
    # Twice the table of `Network.with_table_for`.
    most = Network().with_table_for(n_voxels).log2_hashmap_size + 1
    paying = [rung for rung in rungs if rung.network.log2_hashmap_size <= most] or rungs[:1]
    return [*paying[:-1], replace(paying[-1], share=max(paying[-1].share, 1.0))]


def climb(missing_db: float) -> int:
    """How many rungs to go up from one that ended `missing_db` > 0 below the target."""
    return max(1, min(int(missing_db / _DB_PER_RUNG), 4))


@dataclass
class Memory:
    """What the steps so far taught of one block; one object for all steps."""

    easy_steps: int = 0
    """Steps in a row that took next to no training."""
    codec: str | None = None
    """What took the fewest bytes when all were tried last, for `codec: auto`."""
    codec_age: int = 0
    """Steps since then."""

    def smaller_is_due(self) -> bool:
        """Whether one rung down is worth a try: the block has been easy for a while."""
        return self.easy_steps >= _EASY_STEPS

    def learn(self, iterations: int, usual: int) -> None:
        """iterations: what the step took; usual: all the steps it might have taken."""
        due = self.smaller_is_due()
        self.easy_steps = self.easy_steps + 1 if iterations <= _EASY * usual and not due else 0
