"""One block, with everything needed for its compression.

In: a block measured once, a model, options, a target, the previous step. Out: a `TrainingJob`, the
common argument of all parts of training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from insitu.engines.points import PointSampler
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.transform import Transform
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.error_bounds import allowed
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import (
    BlockRange,
    GlobalRange,
    MeasuredBlock,
    grid_sampler,
    local_ranges,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingJob:
    """One block of one field at one step. Not collective."""

    block: MeasuredBlock
    """The raw block; its arrays are read in place."""
    whole: GlobalRange
    """Number of voxels and range over all ranks."""
    model: Model
    """Model for the whole domain, except for n_outputs; it is scaled to this block's fraction of
    the voxels (DVNR III-B)."""
    options: TrainingOptions = field(default_factory=TrainingOptions)
    target: Target = field(default_factory=Target)
    compression: Compression = field(default_factory=Compression)
    """Compression of the weights; the field's quality is measured after decoding them."""
    sized_by_target: bool = False
    """Whether the size of the model is chosen from the accuracy target (`Model.sizes`), instead of
    the given one; has no effect with `target.iterations`. Where no size reaches `target.psnr`, a
    residual is added."""
    any_model: bool = False
    """Whether a sparse grid stands in for `model` where that takes fewer bytes."""
    previous: BlockField | None = None
    """The same block at the previous step; training starts from its weights if its model has the
    same architecture (III-E)."""
    memory: AdaptiveState = field(default_factory=AdaptiveState)
    """Adaptive state of this block over the time steps."""
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
        """The job of a block that has not been measured yet.

        whole: by default, the block is the whole domain. engine: by default, one that supports the
        model. others: fields of the job.
        """
        block = MeasuredBlock.of(partition, for_model(model, engine), model)
        if whole is None:
            whole = local_ranges({"": [block]})[""]
        return TrainingJob(block=block, whole=whole, model=model, **others)

    def with_target(self, **changes: Any) -> TrainingJob:
        """The same job with some options of the target replaced."""
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

    @cached_property
    def extent(self) -> NDArray[np.float64]:
        """(n_components,): max - min of the block; 0 where no sample is finite."""
        return np.nan_to_num(self.own.range[:, 1] - self.own.range[:, 0])

    @cached_property
    def transform(self) -> Transform | None:
        """The map of values that `options.transform` asks for; None where there is none, or nothing
        to train."""
        options = self.options
        if options.transform == "none" or not np.max(self.extent, initial=0.0) > 0:
            return None
        components: Sequence[Floats] = self.partition.owned
        if isinstance(self.sampler, PointSampler):
            components = self.sampler.values[: self.sampler.samples].T
        return Transform.of(options.transform, components, options.power)

    @cached_property
    def trained(self) -> Sampler:
        """What the model learns: the block, behind the map of values."""
        if self.transform is None:
            return self.sampler
        if isinstance(self.sampler, PointSampler):
            return self.sampler.mapped(self.transform)
        values = np.stack(self.partition.components, axis=-1)
        mapped = np.moveaxis(self.transform(values).astype(values.dtype), -1, 0)
        return grid_sampler(replace(self.partition, components=tuple(mapped)), self.engine)

    @cached_property
    def unit(self) -> NDArray[np.float64]:
        """(n_components,): what output 1 stands for, in units of `trained`; 0 for a constant."""
        return self.extent if self.transform is None else np.asarray(np.sign(self.extent))

    @property
    def earlier(self) -> ModelField | None:
        """The block at the previous step, if it is a model."""
        return None if self.previous is None else self.previous.as_model

    def probes(self, n: int) -> tuple[Floats, Floats]:
        """About n points of the block's unit cube, and what the model learns there, (n,
        n_components)."""
        if isinstance(self.trained, PointSampler):
            points, values = self.trained.some(n)
            return points, values.astype(np.float64)
        points = self.engine.draw(self.options.seed, 0.0, 1.0, 0, n)
        return points, self.trained.sample(points).astype(np.float64)

    @cached_property
    def bounds(self) -> Floats | None:
        """Largest error per component (n_components,) that the target allows; None: no limit."""
        return allowed(self.target, self.whole)

    @cached_property
    def of_block(self) -> Model:
        """The model scaled to the block."""
        share = self.sampler.samples / self.whole.n_voxels
        return self.model.for_block(self.partition.n_components, share)
