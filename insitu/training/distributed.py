"""All fields of one time step, trained on all ranks.

In: this rank's partitions of each field, a recipe per field, the fields of the step before.
Out: distributed fields. Two small reductions; training itself never communicates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from mpi4py import MPI

from insitu.codec.options import Compression
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.parallel import together
from insitu.training.choose import Codec, compress_block
from insitu.training.deadline import Deadline, least_seconds
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange, global_ranges, local_ranges
from insitu.training.size import Memory


@dataclass(frozen=True)
class Recipe:
    """How one field is compressed: the network for the whole domain, its training, its target,
    and how its weights are kept."""

    network: HashGrid
    options: TrainingOptions
    target: Target
    automatic: bool = False
    """Whether the network's table is replaced by what the target asks for, block by block; without
    a target, or with `iterations`, by what fits the number of voxels."""
    compression: Compression = field(default_factory=Compression)
    codec: Codec = "inr"

    @property
    def sized_by_target(self) -> bool:
        """Whether each block's network is as large as its target asks for."""
        target = self.target
        wanted = (target.psnr, target.ratio, target.max_error)
        return self.automatic and target.iterations is None and wanted != (None, None, None)

    def network_for(self, n_voxels: int) -> HashGrid:
        """The network for a domain of `n_voxels`."""
        return self.network.with_table_for(n_voxels) if self.automatic else self.network


def train_fields(
    comm: MPI.Comm,
    partitions: Mapping[str, Sequence[Partition]],
    recipes: Mapping[str, Recipe],
    previous: Mapping[str, DistributedField],
    *,
    memories: MutableMapping[tuple[str, int], Memory] | None = None,
    seconds: float = math.inf,
    cycle: int,
    time: float,
) -> dict[str, DistributedField] | None:
    """Train every field of `recipes` on every rank's blocks. Collective.

    partitions: this rank's blocks, by field; the keys are the same on all ranks. previous: the
    step before, where there is one; a block's weights start from the same domain's. memories: of
    this rank's blocks by field and domain, kept by the caller from step to step. seconds: for all
    of it on this rank; training ends in time, short of its target if need be. None is returned, and
    nothing done, where that is too little on any rank.

    Fields of which no rank has a block are left out. Raises RemoteError on all ranks if one fails.
    """
    memories = {} if memories is None else memories
    with together(comm, "range of the fields"):
        local = local_ranges(partitions)
    whole = global_ranges(comm, local)
    deadline = None
    if seconds < math.inf:
        deadline = Deadline(seconds, (block for name in recipes for block in partitions[name]))
        with together(comm, "time for training"):
            least = sum(
                _least_seconds(block, recipe, whole[name], _earlier(previous, name, block))
                for name, recipe in recipes.items()
                for block in partitions[name]
            )
        if comm.allreduce(perf_counter() + least > deadline.end, op=MPI.LOR):
            return None
    trained: dict[str, list[BlockField]] = {name: [] for name in recipes}
    for name, recipe in recipes.items():
        with together(comm, f"training of {name}"):
            for block in partitions[name]:
                target = recipe.target
                if deadline is not None:
                    own = math.inf if target.seconds is None else target.seconds
                    target = replace(target, seconds=min(own, deadline.next(block)))
                field = compress_block(
                    block,
                    recipe.codec,
                    target,
                    whole[name],
                    _earlier(previous, name, block),
                    memories.setdefault((name, block.domain_id), Memory()),
                    cycle=cycle,
                    time=time,
                    network=recipe.network_for(whole[name].n_voxels),
                    options=recipe.options,
                    compression=recipe.compression,
                    sized_by_target=recipe.sized_by_target,
                )
                field.to_bytes()  # kept by the field: what can fail fails here, not in a reduction
                trained[name].append(field)
    fields = {name: DistributedField.gather(comm, blocks) for name, blocks in trained.items()}
    return {name: field for name, field in fields.items() if field is not None}


def _earlier(
    previous: Mapping[str, DistributedField], name: str, block: Partition
) -> BlockField | None:
    """The same domain's block one step earlier, if there is one."""
    fields = previous[name].fields if name in previous else ()
    return next((field for field in fields if field.domain_id == block.domain_id), None)


def _least_seconds(
    block: Partition, recipe: Recipe, whole: GlobalRange, before: BlockField | None
) -> float:
    network: Model = recipe.network_for(whole.n_voxels).for_block(
        block.n_components, block.n_voxels / whole.n_voxels
    )
    if recipe.sized_by_target:
        network = network.sizes(block.n_voxels)[0].model
    return least_seconds(block, network, recipe.compression.compression != "half", before)
