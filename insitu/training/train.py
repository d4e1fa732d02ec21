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
from insitu.training.start import Start, choose_start

# Between slices Python gets to see a Ctrl-C.
SLICE_SECONDS = 0.05
# Adam as in DVNR, but for beta2 (0.999 there), which follows a short training: 0.3 to 0.6 dB.
ADAM = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "l2": 1e-9}
# Most weight of the past in the moving averages: about the last 50 steps count.
AVERAGE = 0.98
# So far above its target the learning rate begins to fall.
APPROACH_DB = 6.0
# Where the measured quality misses the target that the moving average promised, training aims
# higher by as much, and by this.
RETRY_DB = 0.1
# Samples of a block that tell whether measuring all of it is worthwhile.
_SOME = 2**14

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
    params, iterations = np.zeros(0, np.float32), 0
    warm, origin = False, own.range[:, 0]
    if np.nanmax(extent, initial=0.0) > 0:
        shape = network.for_block(partition.n_components, partition.n_voxels / whole.n_voxels)
        earlier = previous if options.warm_start else None
        first = choose_start(sampler, shape, own.range, options.seed, earlier)
        warm, origin = first.warm, first.origin
        block = _Block(partition, sampler, shape, options, target, own, whole, first)
        params, iterations, errors = block.fit()
    else:
        errors = _measure(None, params, sampler, origin, np.nan_to_num(extent))
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
        origin=origin,
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
    first: Start

    @property
    def extent(self) -> Floats:
        return np.nan_to_num(self.own.range[:, 1] - self.own.range[:, 0])  # (n_components,)

    @property
    def scale(self) -> Floats:
        """From units of the block's own range to the global range's, in which PSNR is defined."""
        extent = self.whole.range[:, 1] - self.whole.range[:, 0]
        return np.divide(self.extent, extent, out=np.zeros_like(extent), where=extent > 0)

    def fit(self) -> tuple[NDArray[np.float32], int, list[dict[str, Any]]]:
        """Train until the target, the last step, or the last second.

        -> rounded weights, steps, the errors of `_measure`.
        """
        psnr = self.target.psnr
        goal = 0.0 if psnr is None else 10 ** (-psnr / 20)
        trainer = lib.Trainer(
            self.network.native, self.first.params, self.sampler, self.first.origin, self.extent,
            self.scale, self._native_options(goal),
        )  # fmt: skip
        while True:
            while not trainer.run(SLICE_SECONDS):
                pass
            params = weights.half(trainer.params)
            # Whether it was the last step, or the threshold of the loss.
            over = trainer.exhausted or trainer.root_mean_square >= trainer.error_threshold
            error = 0.0 if over else self._error_of_some(params)
            if over or error <= goal:
                errors = _measure(
                    self.network, params, self.sampler, self.first.origin, self.extent
                )
                error = self._error(errors)
                if over or error <= goal:
                    return params, trainer.iteration, errors
            trainer.error_threshold *= goal / error * 10 ** (-RETRY_DB / 20)

    def _error_of_some(self, params: NDArray[np.float32]) -> float:
        """`_error` from so few samples that it costs little; 0 for a block that is small itself."""
        if self.partition.n_voxels < 4 * _SOME:
            return 0.0
        vertex = self.partition.association == "vertex"
        cells = np.array(self.partition.cells[::-1])
        index = np.random.default_rng(self.options.seed).integers(0, cells + vertex, (_SOME, 3))
        points = ((index + (0.0 if vertex else 0.5)) / cells).astype(np.float32)
        learnt = self.extent > 0
        outputs = lib.evaluate(self.network.native, params, points)[:, learnt]
        values = self.sampler.sample(points)[:, learnt]
        targets = (values - self.first.origin[learnt]) / self.extent[learnt]
        squares = np.square((outputs - targets) * self.scale[learnt])
        finite = np.isfinite(squares)
        return float(np.sqrt(squares[finite].mean())) if finite.any() else 0.0

    def _error(self, errors: list[dict[str, Any]]) -> float:
        """Root mean square error over all components, in units of their global ranges."""
        total, count = 0.0, 0
        for error, scale, extent in zip(errors, self.scale, self.extent, strict=True):
            if extent > 0:
                total += error["sum_of_squares"] * (scale / extent) ** 2
            count += error["finite"]
        return float(np.sqrt(total / count)) if count else 0.0

    def _native_options(self, goal: float) -> dict[str, Any]:
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
            "error_threshold": goal,
            "approach": APPROACH_DB,
            "average": AVERAGE,
            "huber": options.huber,
            "seed": options.seed,
            "boundary_share": options.lambda_boundary,
            "boundary_sigma": options.sigma,
            **ADAM,
        }


def _measure(
    network: Network | None,
    params: NDArray[np.float32],
    sampler: Any,
    origin: Floats,
    extent: Floats,
) -> list[dict[str, Any]]:
    """Errors per component at every owned sample, without a decoded copy of the block."""
    native = None if network is None else network.native
    return list(lib.measure(native, params, sampler, origin, extent))


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
