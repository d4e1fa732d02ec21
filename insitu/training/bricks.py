"""One partition becomes one field in bricks: SZ3, ZFP or SPERR instead of a network.

In: a partition, a target, what is known of all ranks. Out: a BrickField whose errors were measured
by decoding it. No communication.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from insitu.codec.bricks import Bricks
from insitu.fields.brick_field import BrickField
from insitu.fields.metrics import FieldMetrics
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.training.bounds import Floats, allowed, compare, extents, largest, smallest
from insitu.training.measure import measured
from insitu.training.options import Target
from insitu.training.ranges import GlobalRange, block_range, grid_sampler


def compress_bricks(
    partition: Partition,
    codec: str,
    target: Target,
    whole: GlobalRange,
    *,
    cycle: int = 0,
    time: float = 0.0,
) -> BrickField:
    """The block within `target.max_error`; or in as few bytes as its `psnr` allows; or as good as
    its `ratio` allows, and where that is out of reach, the fewest bytes. Not collective.

    codec: one of `codec.compressors.COMPRESSORS`. ValueError for a target without any of these.
    """
    start = perf_counter()
    bounds, extent = allowed(target, whole), extents(whole)

    def make(bounds: Floats) -> BrickField:
        return _field(partition, codec, bounds, cycle, time, start)

    def relative(bound: float) -> BrickField:
        tight = bound * extent
        return make(tight if bounds is None else np.minimum(tight, bounds))

    if target.psnr is not None:
        psnr = target.psnr

        def accurate(bound: float) -> BrickField | None:
            field = relative(bound)
            return field if field.metrics.psnr_db(extent.tolist()) >= psnr else None

        # Errors spread evenly within the bound.
        field = largest(accurate, np.sqrt(3) * 10 ** (-psnr / 20))
        return make(np.zeros(len(extent))) if field is None else field
    if target.ratio is not None:
        ratio = target.ratio
        most = partition.n_voxels * sum(c.dtype.itemsize for c in partition.components)

        def small(bound: float) -> BrickField | None:
            field = relative(bound)
            return field if field.nbytes * ratio <= most else None

        return smallest(small, 1e-3) or relative(1.0)
    if bounds is None:
        raise ValueError(f"codec {codec}: expected a target of psnr, ratio or max_error")
    return make(bounds)


def _field(
    partition: Partition, codec: str, bounds: Floats, cycle: int, time: float, start: float
) -> BrickField:
    vertex = partition.association == "vertex"  # whose faces carry samples of their own
    own = block_range(grid_sampler(partition))
    components = partition.owned if vertex else partition.components
    field = BrickField(
        name=partition.field,
        association=partition.association,
        cells=partition.cells,
        nodes=partition.nodes,
        range=own.range,
        dtype=components[0].dtype,
        metrics=FieldMetrics((0.0,) * len(components), own.n_finite, 0.0, 0, 0, 0),
        domain_id=partition.domain_id,
        cycle=cycle,
        time=time,
        bricks=Bricks.encode(components, codec, bounds.tolist()),
        ghost_layers=NO_LAYERS if vertex else partition.ghost_layers,
    )
    errors = compare(field.decode(), partition)
    return replace(field, metrics=measured(partition, own, errors, 0, perf_counter() - start))
