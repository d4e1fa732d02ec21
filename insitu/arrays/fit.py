"""One block of an array, as small as the target allows.

In: a partition, the range of the whole array, a target, a codec. Out: a field that reaches the
target, or says how far it came.
"""

from __future__ import annotations

from dataclasses import replace

from insitu.codec.options import Compression
from insitu.fields.block_field import BlockField
from insitu.mesh.partition import Partition
from insitu.models.hash_grid.model import HashGrid
from insitu.training.choose import Codec, compress_block
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.size import Memory

# A simulation's 800 steps leave blocks of less than 64^3 far from what their networks can do; here
# there is time, and training ends when the target is reached.
_OPTIONS = TrainingOptions(n_min=2000)


def fit(
    partition: Partition, value_range: GlobalRange, target: Target, codec: Codec = "inr"
) -> BlockField:
    """The block by its codec, for the target.

    value_range: of the whole array; `n_voxels` is not used, since a block is a domain of its own:
    the accuracy and the ratio of an array do not depend on how many blocks it has.
    """
    return compress_block(
        partition,
        codec,
        target,
        replace(value_range, n_voxels=partition.n_voxels),
        None,
        Memory(),
        cycle=0,
        time=0.0,
        network=HashGrid().with_table_for(partition.n_voxels),
        options=_OPTIONS,
        compression=Compression(),
        sized_by_target=True,
    )
