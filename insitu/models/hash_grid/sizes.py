"""Candidate sizes of a hash grid, for accuracy targets.

In: a block's network and number of voxels. Out: networks in increasing number of parameters.

Measured at 97^3 to 128^3 (Taylor-Green, CloverLeaf, Isabel): doubling the table gains 1.5 to 3 dB
and takes 1.5 times the bytes, so the smallest table that reaches a target needs the fewest bytes.
Tables with fewer entries than the coarsest grid has vertices lose 5 dB per halving and save
nothing. From 2^15 entries on, a finer grid gains more than a larger table; from 2^17 on, so does
training twice as long.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from insitu.models.base import SizeOption

if TYPE_CHECKING:
    from insitu.models.hash_grid.model import HashGrid

_DENSE = 13  # log2_hashmap_size up to which every doubling is an option; above, every second one
_FINER_FROM = 15  # log2_hashmap_size from which grids are finer, by the factor below
_FINER = 1.5
_LONGER_FROM = 17
_LARGEST = 19
_VOXELS_PER_PARAMETER = 8
_ALWAYS = 2**16  # parameters: a MiB


def size_options(network: HashGrid, n_voxels: int, corrected: bool) -> list[SizeOption]:
    """The sizes for a block of `n_voxels`, in increasing order; at least one.

    network: the block's network, with any table size. The largest network has an eighth as many
    parameters as the block has voxels, or 2^16: with their gradients and moments, training takes
    half the memory of the block in single precision, or a MiB.
    """
    smallest = max(4, round(3 * math.log2(network.base_resolution)))
    largest = min(max(smallest, math.ceil(math.log2(max(n_voxels, 2))) - 3), _LARGEST)
    dense = range(smallest, min(largest, _DENSE))
    tables = [*dense, *range(max(smallest, _DENSE), largest, 2), largest]
    options: list[SizeOption] = []
    for table in tables:
        base = network.base_resolution
        if table >= _FINER_FROM:
            base = round(_FINER * base)
        share = 2.0 if table >= _LONGER_FROM else min(1.0, 0.25 * 2 ** ((table - smallest) / 2))
        sized = replace(network, log2_hashmap_size=table, base_resolution=base)
        if options and sized.n_params > max(n_voxels // _VOXELS_PER_PARAMETER, _ALWAYS):
            break
        if not options or sized.n_params > options[-1].model.n_params:
            options.append(SizeOption(sized, share))
    return _that_pay(options, n_voxels) if corrected else options


def _that_pay(options: list[SizeOption], n_voxels: int) -> list[SizeOption]:
    """The sizes that are worthwhile where a residual may correct the error; at least one. The last
    one uses all training steps.

    Taylor-Green at 50 dB takes 332 kB as a network of 2^17 entries. A network of 2^13 entries with
    a residual takes a third of the bytes and a sixth of the time.
    """
    most = table_for(n_voxels) + 1  # twice that table
    sizes = (option.model.to_dict()["log2_hashmap_size"] for option in options)
    paying = [o for o, size in zip(options, sizes, strict=True) if size <= most] or options[:1]
    return [*paying[:-1], replace(paying[-1], share=max(paying[-1].share, 1.0))]


def table_for(n_voxels: int) -> int:
    """log2_hashmap_size of a table that suits a domain of `n_voxels`.

    4 sqrt(n_voxels) entries per level: detail is mostly on surfaces, which grow more slowly than
    the volume. That is 2^12 for the CloverLeaf example with 96^3 cells, where it reaches 40 dB at a
    ratio of 70 to 300, and 2^10 for 32^3.
    """
    return min(max(round(2 + math.log2(max(n_voxels, 1)) / 2), 5), 22)
