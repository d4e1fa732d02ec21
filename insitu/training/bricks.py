"""Compression of one partition in bricks, by SZ3, ZFP or SPERR instead of a model.

In: a job, the name of a compressor. Out: a BrickField whose errors were measured by decoding it. No
communication.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from insitu.codecs.chunks import Chunks
from insitu.core.arrays import Floats
from insitu.core.box import Box, overlap
from insitu.engines.options import Errors
from insitu.fields.brick_field import BrickField
from insitu.fields.metrics import FieldMetrics
from insitu.mesh.partition import NO_LAYERS
from insitu.training.error_bounds import errors_of, extents, largest, smallest
from insitu.training.job import TrainingJob
from insitu.training.measure import measured


def compress_bricks(job: TrainingJob, codec: str) -> BrickField:
    """Compress the block within `target.max_error`, or in as few bytes as `target.psnr` allows, or
    as accurately as `target.ratio` allows; if the ratio cannot be reached, in the fewest bytes. Not
    collective.

    codec: one of `codecs.compressors.names()`. Raises ValueError for a target without any of these.
    """
    start = job.clock()
    bounds, extent, target, partition = job.bounds, extents(job.whole), job.target, job.partition

    def make(bounds: Floats) -> BrickField:
        return _field(job, codec, bounds, start)

    def relative(bound: float) -> BrickField:
        tight = bound * extent
        return make(tight if bounds is None else np.minimum(tight, bounds))

    before = job.memory.bounds.setdefault(codec, [])
    if target.psnr is not None:
        psnr = target.psnr

        def accurate(bound: float) -> BrickField | None:
            field = relative(bound)
            return field if field.metrics.psnr_db(extent.tolist()) >= psnr else None

        # For errors that are uniformly distributed within the bound.
        field = largest(accurate, np.sqrt(3) * 10 ** (-psnr / 20), before)
        return make(np.zeros(len(extent))) if field is None else field
    if target.ratio is not None:
        ratio = target.ratio
        most = partition.n_voxels * sum(c.dtype.itemsize for c in partition.components)

        def small(bound: float) -> BrickField | None:
            field = relative(bound)
            return field if field.nbytes * ratio <= most else None

        return smallest(small, 1e-3, before) or relative(1.0)
    if bounds is None:
        raise ValueError(f"codec {codec}: expected a target of psnr, ratio or max_error")
    return make(bounds)


def _field(job: TrainingJob, codec: str, bounds: Floats, start: float) -> BrickField:
    partition, own = job.partition, job.own
    vertex = partition.association == "vertex"  # vertex data have samples on the faces
    components = partition.owned if vertex else partition.components
    owned = partition.owned
    nz, ny, nx = partition.shape
    inside = (slice(0, nz), slice(0, ny), slice(0, nx)) if vertex else partition.owned_box
    errors = [Errors(0.0, 0.0, 0)] * len(components)

    def decoded(c: int, box: Box, values: Floats) -> None:
        if meet := overlap(box, inside):  # not only ghosts
            errors[c] += errors_of(values[meet[1]], owned[c][meet[0]])

    chunks = Chunks.encode(components, codec, bounds.tolist(), decoded)
    field = BrickField(
        name=partition.field,
        association=partition.association,
        cells=partition.cells,
        nodes=partition.nodes,
        range=own.range,
        dtype=components[0].dtype,
        metrics=FieldMetrics((0.0,) * len(components), own.n_finite, 0.0, 0, 0, 0),
        domain_id=partition.domain_id,
        dimension=partition.dimension,
        cycle=job.cycle,
        time=job.time,
        chunks=chunks,
        ghost_layers=NO_LAYERS if vertex else partition.ghost_layers,
    )
    return replace(field, metrics=measured(partition, own, errors, 0, job.clock() - start))
