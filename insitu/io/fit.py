"""One block of an array, as small as the target allows.

In: a partition, the range of the whole array, a target, a codec. Out: a field that reaches the
target, or says how far it came.
"""

from __future__ import annotations

from dataclasses import replace

from insitu.fields.block_field import BlockField
from insitu.mesh.partition import Partition
from insitu.models import make
from insitu.models.registry import DEFAULT
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.select_codec import MODEL, compress_block

# A simulation's 800 steps leave blocks of less than 64^3 far from what their networks can do; here
# there is time, and training ends when the target is reached.
_OPTIONS = TrainingOptions(n_min=2000)


def fit(
    partition: Partition, value_range: GlobalRange, target: Target, codec: str = MODEL
) -> BlockField:
    """The block by its codec, for the target.

    value_range: of the whole array; `n_voxels` is not used, since a block is a domain of its own:
    the accuracy and the ratio of an array do not depend on how many blocks it has.
    """
    job = TrainingJob.of(
        partition,
        make(DEFAULT, {}).for_domain(partition.n_voxels),
        whole=replace(value_range, n_voxels=partition.n_voxels),
        options=_OPTIONS,
        target=target,
        sized_by_target=True,
    )
    return compress_block(job, codec)
