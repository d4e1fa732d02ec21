"""Training of all fields of one time step on all ranks.

In: this rank's partitions of each field, a specification per field, the previous step's fields.
Out: distributed fields. Two small reductions; training itself never communicates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from mpi4py import MPI

from insitu.codecs.options import Compression
from insitu.core.parallel import together
from insitu.engines import Engine, for_model
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import Choice, DistributedField
from insitu.fields.fidelity import Fidelity, measure_fidelity
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.deadline import Deadline, least_seconds
from insitu.training.error_bounds import extents
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import MeasuredBlock, global_ranges, local_ranges
from insitu.training.select_codec import MODEL, compress_block


@dataclass(frozen=True)
class FieldSpec:
    """How one field is compressed: the model for the whole domain, its training, its target, and
    the compression of its weights."""

    model: Model
    options: TrainingOptions
    target: Target
    automatic: bool = False
    """Whether the model's size is chosen for each block from the target, or, without a target or
    with `iterations`, from the number of voxels."""
    compression: Compression = field(default_factory=Compression)
    codec: str = MODEL
    any_model: bool = False
    """Whether each block is a sparse grid instead, where that takes fewer bytes."""

    @property
    def sized_by_target(self) -> bool:
        """Whether the size of each block's model is chosen from the target."""
        target = self.target
        return self.automatic and target.iterations is None and target.is_goal

    def model_for(self, n_voxels: int) -> Model:
        """The model for a domain of `n_voxels`."""
        return self.model.for_domain(n_voxels) if self.automatic else self.model


def train_fields(
    comm: MPI.Comm,
    partitions: Mapping[str, Sequence[Partition]],
    recipes: Mapping[str, FieldSpec],
    previous: Mapping[str, DistributedField],
    *,
    memories: MutableMapping[tuple[str, int], AdaptiveState] | None = None,
    engine: Engine | None = None,
    seconds: float = math.inf,
    cycle: int,
    time: float,
) -> dict[str, DistributedField] | None:
    """Train every field of `recipes` on every rank's blocks. Collective.

    partitions: this rank's blocks, by field; with the same keys on all ranks. previous: the
    previous step, if any; training of a block starts from the weights of the same domain.
    memories: adaptive state of this rank's blocks by field and domain, kept by the caller between
    steps. engine: used where it supports a field's model; default: the process-wide one. seconds:
    time limit for this rank; training stops in time, even short of its target. Returns None, and
    does nothing, where the limit is too short on any rank.

    Fields without a block on any rank are left out. Raises RemoteError on all ranks if one fails.
    """
    memories = {} if memories is None else memories
    measured: dict[str, list[MeasuredBlock]] = {}
    with together(comm, "range of the fields"):
        for name, blocks in partitions.items():
            by = for_model(recipes[name].model, engine) if name in recipes else engine
            model = recipes[name].model if name in recipes else None
            measured[name] = [MeasuredBlock.of(block, by, model) for block in blocks]
        closed = {
            name
            for name, recipe in recipes.items()
            if recipe.any_model or isinstance(recipe.model, SparseGrid)
        }
        local = local_ranges(measured, closed)
    whole = global_ranges(comm, local)

    def job_of(name: str, block: MeasuredBlock) -> TrainingJob:
        recipe = recipes[name]
        return TrainingJob(
            block=block,
            whole=whole[name],
            model=recipe.model_for(whole[name].n_voxels),
            options=recipe.options,
            target=recipe.target,
            compression=recipe.compression,
            sized_by_target=recipe.sized_by_target,
            any_model=recipe.any_model,
            previous=_earlier(previous, name, block.partition),
            memory=memories.setdefault((name, block.partition.domain_id), AdaptiveState()),
            cycle=cycle,
            time=time,
        )

    deadline = None
    if seconds < math.inf:
        deadline = Deadline(seconds, (block for name in recipes for block in partitions[name]))
        with together(comm, "time for training"):
            least = sum(
                least_seconds(job_of(name, block)) for name in recipes for block in measured[name]
            )
        if comm.allreduce(perf_counter() + least > deadline.end, op=MPI.LOR):
            return None
    trained: dict[str, list[BlockField]] = {name: [] for name in recipes}
    choices: dict[str, list[Choice]] = {name: [] for name in recipes}
    fidelity = {name: Fidelity() for name in recipes}
    unknown: set[str] = set()
    for name, recipe in recipes.items():
        with together(comm, f"training of {name}"):
            for block in measured[name]:
                job = job_of(name, block)
                if deadline is not None:
                    own = math.inf if recipe.target.seconds is None else recipe.target.seconds
                    job = job.with_target(seconds=min(own, deadline.next(block.partition)))
                compressed = compress_block(job, recipe.codec)
                compressed.to_bytes()  # cached; errors are raised here, not in a reduction
                trained[name].append(compressed)
                if block.partition.scattered is not None:  # there are no samples to compare
                    unknown.add(name)
                else:
                    extent = extents(whole[name]).tolist()
                    fidelity[name] += measure_fidelity(compressed, block.partition.owned, extent)
                if job.memory.choice is not None:
                    choices[name].append(job.memory.choice)
    fields = {
        name: DistributedField.gather(
            comm, blocks, choices[name], None if name in unknown else fidelity[name]
        )
        for name, blocks in trained.items()
    }
    return {name: gathered for name, gathered in fields.items() if gathered is not None}


def _earlier(
    previous: Mapping[str, DistributedField], name: str, block: Partition
) -> BlockField | None:
    """The same domain's block at the previous step, if any."""
    fields = previous[name].fields if name in previous else ()
    return next((field for field in fields if field.domain_id == block.domain_id), None)
