"""One partition becomes one neural field.

In: a partition, the network for the whole domain, what is known of all ranks. Out: a NeuralField
whose quality was measured by evaluating it at every owned sample. No communication.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codec.options import Compression
from insitu.codec.weights import Weights
from insitu.fields.holes import Holes
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.models.base import Model, SizeOption
from insitu.training.block import Block, Fit
from insitu.training.bounds import allowed, extents
from insitu.training.measure import measure, measured
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange, block_range, grid_sampler
from insitu.training.ratio import fit_to_bytes
from insitu.training.residual import raised
from insitu.training.search import search
from insitu.training.size import Memory
from insitu.training.start import choose_start

Floats = NDArray[np.floating[Any]]

_COMPRESSION = Compression()
# Beyond the PSNR of an error as large as the bound.
_MORE_DB = 6.0


def train(
    partition: Partition,
    network: Model,
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
            Where no size reaches `target.psnr`, a residual makes up for it. One that keeps
            `target.max_error` is added in any case, where the network alone does not.
        memory: of this block over the steps, where there is one.
        cycle, time: the simulation's, kept with the field.

    Ctrl-C ends it between two slices of training. `target.seconds` has room for the pass over the
    block that measures the quality, and is exceeded where that pass leaves no time for a step.

    Non-finite samples are left out of training and counted. A block without a finite sample
    becomes a constant NaN; a constant block becomes exactly that constant, without a network. Where
    NaN means outside of the domain, the field has holes there.
    Raises `residual.TooTight` where rounding of the sum breaks `target.max_error`.
    """
    start = perf_counter()
    sampler = grid_sampler(partition)
    own = block_range(sampler)
    extent = own.range[:, 1] - own.range[:, 0]
    earlier = previous if options.warm_start else None
    bounds = allowed(target, whole)
    sized = sized_by_target and target.iterations is None
    of_block = network.for_block(partition.n_components, partition.n_voxels / whole.n_voxels)
    rungs = of_block.sizes(partition.n_voxels)
    goal = target
    if bounds is not None:
        goal = replace(target, psnr=max(target.psnr or 1.0, _worth(bounds, whole)))
    end = np.inf if target.seconds is None else start + target.seconds

    def block_for(network: Model) -> Block:
        first = choose_start(sampler, network, own.range, options.seed, earlier)
        return Block(partition, sampler, network, options, goal, compression, own, whole, first)

    def finish(block: Block | None, fit: Fit) -> NeuralField:
        warm, origin = False, own.range[:, 0]
        if block is not None:
            warm, origin = block.first.warm, block.first.origin
        seconds = perf_counter() - start
        return NeuralField(
            name=partition.field,
            association=partition.association,
            cells=partition.cells,
            nodes=partition.nodes,
            range=own.range,
            dtype=partition.components[0].dtype,
            network=fit.network,
            weights=fit.weights,
            metrics=measured(partition, own, fit.errors, fit.iterations, seconds, warm),
            domain_id=partition.domain_id,
            cycle=cycle,
            time=time,
            origin=origin,
            holes=_holes(partition),
        )

    if not np.nanmax(extent, initial=0.0) > 0:
        nothing = Weights.none()
        errors = measure(None, nothing.params, sampler, own.range[:, 0], np.nan_to_num(extent))
        field = finish(None, Fit(None, nothing, 0, errors))
    elif target.ratio is not None:
        most = partition.n_voxels * sum(c.dtype.itemsize for c in partition.components)
        rungs = rungs if sized else [SizeOption(of_block, 1.0)]
        return fit_to_bytes(block_for, finish, rungs, most / target.ratio, earlier, end)
    elif goal.psnr is not None and sized:
        before = None if previous is None else previous.network
        memory = memory or Memory()
        paying = of_block.sizes(partition.n_voxels, corrected=True)
        smaller = memory.smaller_is_due()
        block, fit = search(block_for, paying, before, end, smaller=smaller)
        memory.learn(fit.iterations, options.iterations(partition.n_voxels))
        field = finish(block, fit)
    else:
        block = block_for(of_block)
        field = finish(block, block.fit(end))
    if bounds is not None or (sized and perf_counter() < end):
        return raised(field, partition, target, own, whole, bounds)
    return field


def _holes(partition: Partition) -> Holes | None:
    if not partition.nan_is_outside:
        return None
    outside = np.any([np.isnan(component) for component in partition.owned], axis=0)
    return Holes.of(outside, partition.association == "vertex")


def _worth(bounds: Floats, whole: GlobalRange) -> float:
    """PSNR in dB to which training pays where a residual keeps these bounds.

    Measured on the volumes of `training.size` with bounds of 1e-3 to 3e-2 of the range: the fewest
    bytes are where small networks come close to this; larger ones do not pay.
    """
    extent = extents(whole)
    relative = [b / e for b, e in zip(bounds, extent, strict=True) if e > 0]
    return float(np.clip(_MORE_DB - 20 * np.log10(min(relative, default=1.0)), 1.0, 120.0))
