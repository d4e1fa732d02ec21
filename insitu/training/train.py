"""One partition becomes one neural field.

In: a partition, the network for the whole domain, what is known of all ranks. Out: a NeuralField
whose quality was measured by evaluating it at every owned sample. No communication.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from insitu.codec.options import Compression
from insitu.codec.weights import Weights
from insitu.engines.network import Network
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.training.block import Block
from insitu.training.measure import measure, measured
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange, block_range, grid_sampler
from insitu.training.search import search
from insitu.training.size import Memory, ladder
from insitu.training.start import choose_start

_COMPRESSION = Compression()


def train(
    partition: Partition,
    network: Network,
    options: TrainingOptions,
    target: Target,
    whole: GlobalRange,
    previous: NeuralField | None = None,
    compression: Compression = _COMPRESSION,
    *,
    sized_by_target: bool = False,
    memory: Memory | None = None,
    cycle: int = 0,
    time: float = 0.0,
) -> NeuralField:
    """Fit a network to one partition (DVNR section III). Not collective.

    Args:
        partition: the block; its arrays are read in place and not kept.
        network: shape for the whole domain, n_outputs aside; it is scaled to this block's share
            of the voxels (III-B).
        options, target: see there.
        whole: voxels and range over all ranks.
        previous: the same field one step earlier; its weights are the start if its network has
            the same shape (III-E).
        compression: how the weights are kept; the field's quality is theirs after decoding.
        sized_by_target: whether the table is what a target of PSNR asks for (`training.size`),
            instead of the given one; where `target.iterations` limits the steps, it is not.
        memory: of this block over the steps, where there is one.
        cycle, time: the simulation's, kept with the field.

    Ctrl-C ends it between two slices of training. `target.seconds` has room for the pass over the
    block that measures the quality, and is exceeded where that pass leaves no time for a step.

    Non-finite samples are left out of training and counted. A block without a finite sample
    becomes a constant NaN; a constant block becomes exactly that constant, without a network.
    """
    start = perf_counter()
    sampler = grid_sampler(partition)
    own = block_range(sampler)
    extent = own.range[:, 1] - own.range[:, 0]
    shape: Network | None = None
    weights, iterations = Weights.none(), 0
    warm, origin = False, own.range[:, 0]
    if np.nanmax(extent, initial=0.0) > 0:
        of_block = network.for_block(partition.n_components, partition.n_voxels / whole.n_voxels)
        earlier = previous if options.warm_start else None

        def block_for(network: Network) -> Block:
            first = choose_start(sampler, network, own.range, options.seed, earlier)
            return Block(
                partition, sampler, network, options, target, compression, own, whole, first
            )

        end = np.inf if target.seconds is None else start + target.seconds
        if sized_by_target and target.psnr is not None and target.iterations is None:
            rungs = ladder(of_block, partition.n_voxels)
            before = None if previous is None else previous.network
            memory = memory or Memory()
            smaller = memory.smaller_is_due()
            block, fit = search(block_for, rungs, before, end, smaller=smaller)
            memory.learn(fit.iterations, options.iterations(partition.n_voxels))
        else:
            block = block_for(of_block)
            fit = block.fit(end)
        shape, weights, iterations, errors = fit
        warm, origin = block.first.warm, block.first.origin
    else:
        errors = measure(None, weights.params, sampler, origin, np.nan_to_num(extent))
    return NeuralField(
        name=partition.field,
        association=partition.association,
        cells=partition.cells,
        nodes=partition.nodes,
        range=own.range,
        dtype=partition.components[0].dtype,
        network=shape,
        weights=weights,
        metrics=measured(partition, own, errors, iterations, perf_counter() - start, warm),
        domain_id=partition.domain_id,
        cycle=cycle,
        time=time,
        origin=origin,
    )
