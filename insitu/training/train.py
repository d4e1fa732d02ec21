"""One partition becomes one neural field.

In: a partition, the network for the whole domain, what is known of all ranks. Out: a NeuralField
whose quality was measured by evaluating it at every owned sample. No communication.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.codec import weights
from insitu.engines.native import lib
from insitu.engines.network import Network
from insitu.fields.metrics import FieldMetrics
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import BlockRange, GlobalRange, block_range, grid_sampler

# Between slices Python gets to see a Ctrl-C.
SLICE_SECONDS = 0.05
# Adam as in DVNR.
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "l2": 1e-9}
# Weight of the past in the moving averages: about the last 20 steps count.
AVERAGE = 0.95
# Where the measured quality misses the target that the moving average promised, training goes on
# towards a target so much higher.
RETRY_DB = 0.5
_MAX_RETRIES = 7
# Points at which the weights of an earlier step are tried.
_PROBES = 2048

Floats = NDArray[np.float64]


def train(
    partition: Partition,
    network: Network,
    options: TrainingOptions,
    target: Target,
    whole: GlobalRange,
    previous: NeuralField | None = None,
    *,
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
        cycle, time: the simulation's, kept with the field.

    Non-finite samples are left out of training and counted. A block without a finite sample
    becomes a constant NaN; a constant block becomes exactly that constant, without a network.
    """
    start = perf_counter()
    sampler = grid_sampler(partition)
    own = block_range(sampler)
    extent = own.range[:, 1] - own.range[:, 0]
    shape: Network | None = None
    params, iterations, warm = np.zeros(0, np.float32), 0, False
    if np.nanmax(extent, initial=0.0) > 0:
        shape = network.for_block(partition.n_components, partition.n_voxels / whole.n_voxels)
        block = _Block(partition, sampler, shape, options, target, own, whole)
        warm = options.warm_start and previous is not None and block.is_useful(previous)
        first = previous.params if warm and previous else shape.initial_params(options.seed)
        params, iterations = block.fit(first)
    low, extent = own.range[:, 0], np.nan_to_num(extent)
    errors = _measure(shape, params, sampler, low, extent)
    params.flags.writeable = False
    return NeuralField(
        name=partition.field,
        association=partition.association,
        cells=partition.cells,
        nodes=partition.nodes,
        range=own.range,
        dtype=partition.components[0].dtype,
        network=shape,
        params=params,
        metrics=_metrics(partition, own, errors, iterations, perf_counter() - start, warm),
        domain_id=partition.domain_id,
        cycle=cycle,
        time=time,
    )


@dataclass(frozen=True)
class _Block:
    """A block that has something to learn, with all that its training needs."""

    partition: Partition
    sampler: Any
    network: Network
    options: TrainingOptions
    target: Target
    own: BlockRange
    whole: GlobalRange

    @property
    def low(self) -> Floats:
        return np.nan_to_num(self.own.range[:, 0])  # (n_components,)

    @property
    def extent(self) -> Floats:
        return np.nan_to_num(self.own.range[:, 1] - self.own.range[:, 0])  # (n_components,)

    @property
    def scale(self) -> Floats:
        """From units of the block's own range to the global range's, in which PSNR is defined."""
        extent = self.whole.range[:, 1] - self.whole.range[:, 0]
        return np.divide(self.extent, extent, out=np.zeros_like(extent), where=extent > 0)

    def is_useful(self, previous: NeuralField) -> bool:
        """Whether the weights of the step before are a better start than none.

        They are not where they say less of this block than one constant would: after a quiet
        phase a network may have lost all its ReLUs, and then no gradient brings them back.
        """
        if previous.network != self.network:
            return False
        points = lib.draw(self.options.seed, 0.0, 1.0, 0, _PROBES)
        inverse = np.divide(1, self.extent, out=np.zeros_like(self.extent), where=self.extent > 0)
        values = self.sampler.sample(points)
        valid = np.isfinite(values).all(axis=1)
        if not valid.any():
            return False
        targets = (values[valid] - self.low) * inverse  # (n, n_components)
        outputs = lib.evaluate(self.network.native, previous.params, points[valid])
        # Squares, not absolute values: where most of a block is constant, the constant's absolute
        # error is small, and what a network knows of the rest would not count.
        return bool(np.square(outputs - targets).mean() < targets.var(axis=0).mean())

    def fit(self, first: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
        """Train until the target, the last step, or the last second -> rounded weights, steps."""
        psnr = self.target.psnr
        error = None if psnr is None else 10 ** (-psnr / 20)
        trainer = lib.Trainer(
            self.network.native, first, self.sampler, self.low, self.extent, self.scale,
            self._native_options(),
        )  # fmt: skip
        for retry in range(_MAX_RETRIES + 1):
            if error is not None:
                trainer.error_threshold = error * 10 ** (-RETRY_DB * retry / 20)
            while not trainer.run(SLICE_SECONDS):
                pass
            params = weights.half(trainer.params)
            if error is None or trainer.exhausted or self._error(params) <= error:
                break
        return params, trainer.iteration

    def _error(self, params: NDArray[np.float32]) -> float:
        """Root mean square error over all components, in units of their global ranges."""
        errors = _measure(self.network, params, self.sampler, self.low, self.extent)
        total, count = 0.0, 0
        for error, scale, extent in zip(errors, self.scale, self.extent, strict=True):
            if extent > 0:
                total += error["sum_of_squares"] * (scale / extent) ** 2
            count += error["finite"]
        return float(np.sqrt(total / count)) if count else 0.0

    def _native_options(self) -> dict[str, Any]:
        options, target = self.options, self.target
        n_train = options.iterations(self.partition.n_voxels)
        return {
            "batch": options.batch,
            "learning_rate": options.learning_rate,
            "final_rate": options.final_rate,
            "decay": options.decay,
            "iterations": n_train if target.iterations is None else target.iterations,
            "seconds": np.inf if target.seconds is None else target.seconds,
            "loss_threshold": options.loss_threshold or 0.0,
            "error_threshold": 0.0,
            "approach": 0.0,
            "average": AVERAGE,
            "huber": 0.0,
            "seed": options.seed,
            "boundary_share": options.lambda_boundary,
            "boundary_sigma": options.sigma,
            **ADAM,
        }


def _measure(
    network: Network | None,
    params: NDArray[np.float32],
    sampler: Any,
    low: Floats,
    extent: Floats,
) -> list[dict[str, Any]]:
    """Errors per component at every owned sample, without a decoded copy of the block."""
    native = None if network is None else network.native
    return list(lib.measure(native, params, sampler, low, extent))


def _metrics(
    partition: Partition,
    own: BlockRange,
    errors: list[dict[str, Any]],
    iterations: int,
    seconds: float,
    warm: bool,
) -> FieldMetrics:
    return FieldMetrics(
        sum_of_squares=tuple(e["sum_of_squares"] for e in errors),
        n_finite=tuple(e["finite"] for e in errors),
        max_error=max(e["max"] for e in errors),
        nan_count=own.nan_count,
        inf_count=own.inf_count,
        raw_nbytes=partition.n_voxels * sum(c.dtype.itemsize for c in partition.components),
        iterations=iterations,
        seconds=seconds,
        warm=warm,
    )
