"""Compresses one block of an array, as small as the target allows.

In: a partition, the range of the whole array, a target, a model, a codec. Out: a field that reaches
the target, or comes as close as it can; its metrics tell which.
"""

from __future__ import annotations

from dataclasses import replace

from insitu.fields.block_field import BlockField
from insitu.mesh.partition import Partition
from insitu.models.choice import AUTO, ModelChoice
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.select_codec import MODEL, compress_block

# With the 800 steps used during a simulation, blocks below 64^3 are far from converged; offline
# there is more time, and training stops once the target is reached.
_OPTIONS = TrainingOptions(n_min=2000)


def fit(
    partition: Partition,
    value_range: GlobalRange,
    target: Target,
    choice: ModelChoice,
    codec: str = MODEL,
    plateau: int = 0,
) -> BlockField:
    """Compress the block with `codec` to reach the target.

    value_range: of the whole array. Its `n_voxels` is ignored: each block is treated as a domain
    of its own, so that accuracy and ratio do not depend on the number of blocks. choice: the model,
    with a kind. plateau: see `TrainingOptions`.
    """
    model, automatic = choice.with_network()
    job = TrainingJob.of(
        partition,
        model.for_domain(partition.n_voxels) if automatic else model,
        whole=replace(value_range, n_voxels=partition.n_voxels),
        options=replace(_OPTIONS, plateau=plateau),
        target=target,
        sized_by_target=automatic,
        any_model=choice.kind == AUTO,
    )
    return compress_block(job, codec)
