"""One block of an array becomes a neural field, with a network as small as the target allows.

In: a partition, the range of the whole array, a target. Out: the best field of a few tries.

A simulation has seconds, and one network shape for all its steps; whoever compresses a file can
try several. Tables grow by factors of four until the target is reached.
"""

from __future__ import annotations

from dataclasses import replace

from insitu.engines.network import Network
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train

# A simulation's 200 steps leave blocks of less than 64^3 far from what their networks can do; here
# there is time, and training ends when the target is reached.
_OPTIONS = TrainingOptions(n_min=2000)
# Binary logarithm of the factor between the tables of two tries.
_STEP = 2
_LEAST = 5  # smaller tables save nothing
# The default table reaches 40 to 50 dB on most fields; below, tries begin with smaller ones.
_USUAL_DB, _DB_PER_STEP, _MOST_STEPS_DOWN = 50.0, 10.0, 2


def fit(partition: Partition, value_range: GlobalRange, target: Target) -> NeuralField:
    """The smallest network found that reaches `target.psnr`, else the most accurate one.

    value_range: of the whole array; `n_voxels` is not used, since a block is a domain of its own:
    the accuracy and the ratio of an array do not depend on how many blocks it has.

    Without `psnr`, or with `iterations` or `seconds`, which say what may be spent, there is one
    try. Larger tables get more epochs. Tries end where the next network would be the same, or have
    about as many bytes as the block.
    """
    whole = replace(value_range, n_voxels=partition.n_voxels)
    usual = Network().with_table_for(partition.n_voxels).log2_hashmap_size
    if target.psnr is None or target.iterations is not None or target.seconds is not None:
        return train(partition, _with_table(usual), _OPTIONS, target, whole)
    extent = [float(value_range.range[0, 1] - value_range.range[0, 0])]
    steps_down = min(max(round((_USUAL_DB - target.psnr) / _DB_PER_STEP), 0), _MOST_STEPS_DOWN)
    table = max(usual - _STEP * steps_down, _LEAST)
    best: NeuralField | None = None
    while True:
        network = _with_table(table)
        epochs = _OPTIONS.epochs * 2 ** max((table - usual) // _STEP, 0)
        field = train(partition, network, replace(_OPTIONS, epochs=epochs), target, whole)
        quality = field.metrics.psnr_db(extent)
        if best is None or quality > best.metrics.psnr_db(extent):
            best = field
        table += _STEP
        same = _with_table(table).n_params == network.n_params  # all grids are dense
        large = field.nbytes * 2**_STEP > field.metrics.raw_nbytes
        if quality >= target.psnr or field.network is None or same or large:
            return best


def _with_table(log2_size: int) -> Network:
    """The default network with tables of that size, and a coarsest grid that one holds unhashed.

    With all grids hashed, 128^3 cells of CloverLeaf density reach 30 dB in ten times the steps, and
    blocks of 42^3 lose 6 dB.
    """
    network = Network()
    dense = int(2 ** (log2_size / 3) + 1e-9)
    base = min(network.base_resolution, dense)
    return replace(network, log2_hashmap_size=log2_size, base_resolution=base)
