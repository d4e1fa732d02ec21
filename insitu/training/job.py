"""One block, and all that its compression needs to know.

In: a block measured once, a model, options, a target, the step before. Out: a `TrainingJob`, which
every part of training is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.options import Compression
from insitu.core.arrays import Floats
from insitu.engines import Engine, for_model
from insitu.engines.base import Sampler
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.error_bounds import allowed
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import BlockRange, GlobalRange, MeasuredBlock, local_ranges


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingJob:
    """One block of one field at one step. Not collective."""

    block: MeasuredBlock
    """Its arrays are read in place and not kept."""
    whole: GlobalRange
    """Voxels and range over all ranks."""
    model: Model
    """Shape for the whole domain, n_outputs aside; it is scaled to this block's share of the voxels
    (DVNR III-B)."""
    options: TrainingOptions = field(default_factory=TrainingOptions)
    target: Target = field(default_factory=Target)
    compression: Compression = field(default_factory=Compression)
    """How the weights are kept; the field's quality is theirs after decoding."""
    sized_by_target: bool = False
    """Whether the model is as large as the target of accuracy asks for (`Model.sizes`), instead of
    the given one; where `target.iterations` limits the steps, it is not. Where no size reaches
    `target.psnr`, a residual makes up for it."""
    previous: BlockField | None = None
    """The same block one step earlier; its weights are the start if its model has the same shape
    (III-E)."""
    memory: AdaptiveState = field(default_factory=AdaptiveState)
    """Of this block over the steps."""
    cycle: int = 0
    time: float = 0.0
    """The simulation's, kept with the field."""
    clock: Callable[[], float] = perf_counter
    """Seconds, by which `target.seconds` is kept and training is timed."""

    @staticmethod
    def of(
        partition: Partition,
        model: Model,
        *,
        whole: GlobalRange | None = None,
        engine: Engine | None = None,
        **others: Any,
    ) -> TrainingJob:
        """The job of a block that was not measured yet.

        whole: default: the block is all there is. engine: default: what supports the model.
        others: fields of the job.
        """
        block = MeasuredBlock.of(partition, for_model(model, engine))
        if whole is None:
            whole = local_ranges({"": [block]})[""]
        return TrainingJob(block=block, whole=whole, model=model, **others)

    def with_target(self, **changes: Any) -> TrainingJob:
        """The same job with some options of its target replaced."""
        return replace(self, target=replace(self.target, **changes))

    @property
    def partition(self) -> Partition:
        return self.block.partition

    @property
    def sampler(self) -> Sampler:
        return self.block.sampler

    @property
    def engine(self) -> Engine:
        return self.block.engine

    @property
    def own(self) -> BlockRange:
        return self.block.own

    @property
    def extent(self) -> NDArray[np.float64]:
        """(n_components,): own max - min; 0 where no sample is finite."""
        return np.nan_to_num(self.own.range[:, 1] - self.own.range[:, 0])

    @property
    def earlier(self) -> ModelField | None:
        """The step before, where that is a model."""
        return None if self.previous is None else self.previous.as_model

    @cached_property
    def bounds(self) -> Floats | None:
        """Largest error per component (n_components,) that the target allows; None: any."""
        return allowed(self.target, self.whole)

    @cached_property
    def of_block(self) -> Model:
        """The model scaled to the block."""
        share = self.partition.n_voxels / self.whole.n_voxels
        return self.model.for_block(self.partition.n_components, share)
