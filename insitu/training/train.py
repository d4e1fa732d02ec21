"""One partition becomes one neural field.

In: a partition, the network for the whole domain, what is known of all ranks. Out: a NeuralField
whose quality was measured by evaluating it at every owned sample. No communication.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.codec.compress import compress
from insitu.codec.options import Compression
from insitu.codec.weights import Weights
from insitu.engines.native import lib
from insitu.engines.network import Network
from insitu.engines.threads import threads
from insitu.fields.metrics import FieldMetrics
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import BlockRange, GlobalRange, block_range, grid_sampler

# Between slices Python gets to see a Ctrl-C; well within the 50 ms in which one feels prompt.
SLICE_SECONDS = 0.02
# Adam as in DVNR.
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "l2": 1e-9}
# Weight of the past in the moving averages: about the last 20 steps count.
AVERAGE = 0.95
# Where the measured quality misses the target that the moving average promised, training goes on
# towards a target so much higher.
RETRY_DB = 0.5
_MAX_RETRIES = 7
# Samples whose error tells one try to compress from another, and how many tries there are mostly.
_SAMPLES = 2**17
_TRIES = 5
# Samples measured in one go, 10 to 30 ms; a multiple of the engine's chunks of 128.
_SLICE_SAMPLES = 2**20
# Points at which the weights of an earlier step are tried.
_PROBES = 2048
_COMPRESSION = Compression()

Floats = NDArray[np.float64]


def train(
    partition: Partition,
    network: Network,
    options: TrainingOptions,
    target: Target,
    whole: GlobalRange,
    previous: NeuralField | None = None,
    compression: Compression = _COMPRESSION,
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
        compression: how the weights are kept; the field's quality is theirs after decoding.
        cycle, time: the simulation's, kept with the field.

    Ctrl-C ends it between two slices of training. `target.seconds` has room for the pass over the
    block that measures the quality, and is exceeded where that pass leaves no time for a step.

    Non-finite samples are left out of training and counted. A block without a finite sample
    becomes a constant NaN; a constant block becomes exactly that constant, without a network.
    """
    start = perf_counter()
    sampler = grid_sampler(partition)
    own = block_range(sampler)
    extent = own.range[:, 1] - own.range[:, 0]
    shape: Network | None = None
    weights, iterations, warm = Weights.none(), 0, False
    if np.nanmax(extent, initial=0.0) > 0:
        shape = network.for_block(partition.n_components, partition.n_voxels / whole.n_voxels)
        block = _Block(partition, sampler, shape, options, target, compression, own, whole)
        warm = options.warm_start and previous is not None and block.is_useful(previous)
        end = np.inf if target.seconds is None else start + target.seconds
        weights, iterations, errors = block.fit(previous if warm else None, end)
    else:
        errors = _measure(None, weights.params, sampler, own.range[:, 0], np.nan_to_num(extent))
    return NeuralField(
        name=partition.field,
        association=partition.association,
        cells=partition.cells,
        nodes=partition.nodes,
        range=own.range,
        dtype=partition.components[0].dtype,
        network=shape,
        weights=weights,
        metrics=_metrics(partition, own, errors, iterations, perf_counter() - start, warm),
        domain_id=partition.domain_id,
        cycle=cycle,
        time=time,
    )


class _Fit(NamedTuple):
    """What training comes to: weights as they will be read back, steps, errors measured."""

    weights: Weights
    iterations: int
    errors: list[dict[str, Any]]


@dataclass(frozen=True)
class _Block:
    """A block that has something to learn, with all that its training needs."""

    partition: Partition
    sampler: Any
    network: Network
    options: TrainingOptions
    target: Target
    compression: Compression
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

    def fit(self, previous: NeuralField | None, end: float) -> _Fit:
        """Train until the target, the last step, or just in time to be measured before `end`.

        previous: where the weights start; None: from the seed. The target is met by what the kept
        weights decode to.
        """
        psnr, codec = self.target.psnr, self.compression
        lossy = codec.compression != "half"
        if end < np.inf:
            passes = 1 + lossy * _TRIES * min(1.0, _SAMPLES / self.sampler.samples)
            end -= passes * self._seconds_to_measure()
        goal = 0.0 if psnr is None else 10 ** (-psnr / 10)
        # What a codec may lose has to be gained first.
        margin = codec.compression_loss if lossy else 0.0
        trainer = self._trainer(previous, max(end - perf_counter(), 1e-9))  # one step at least
        for retry in range(_MAX_RETRIES + 1):
            if goal > 0:
                trainer.error_threshold = np.sqrt(goal) * 10 ** (-(margin + RETRY_DB * retry) / 20)
            while not trainer.run(min(SLICE_SECONDS, end - perf_counter())):
                if perf_counter() >= end:
                    break
            params = trainer.params
            before = self._sampled(params) if lossy else 0.0
            over = trainer.exhausted or perf_counter() >= end
            last = goal == 0 or over or retry == _MAX_RETRIES
            if not last and before * 10 ** (margin / 10) > goal:
                continue
            weights = compress(
                self.network, params, codec, self._sampled,
                before=before, goal=goal, scale=self.scale, seed=self.options.seed,
            )  # fmt: skip
            errors = _measure(self.network, weights.params, self.sampler, self.low, self.extent)
            if last or self._mean(errors) <= goal or perf_counter() >= end:
                break
        return _Fit(weights, trainer.iteration, errors)

    def _seconds_to_measure(self) -> float:
        """What a pass over the block will take, from a pass over its lowest layer."""
        whole = self.partition
        samples = sum(whole.ghost_layers[0]) + (2 if whole.association == "vertex" else 1)
        layer = replace(
            whole,
            components=tuple(c[:samples] for c in whole.components),
            nodes=(*whole.nodes[:2], whole.nodes[2][:2]),
        )
        params = np.ones(self.network.n_params, np.float32)  # zeros would all be one page
        start = perf_counter()
        _measure(self.network, params, grid_sampler(layer), self.low, self.extent)
        return (perf_counter() - start) * whole.n_voxels / layer.n_voxels

    def _trainer(self, previous: NeuralField | None, seconds: float) -> Any:
        first = previous.params if previous else self.network.initial_params(self.options.seed)
        return lib.Trainer(
            self.network.native, first, self.sampler, self.low, self.extent, self.scale,
            self._native_options(seconds),
        )  # fmt: skip

    def _sampled(self, params: NDArray[np.float32]) -> float:
        """Mean squared error over all components, in units of their global ranges; of a large block
        at a part of its samples, which is enough to compare one codec's try with another."""
        errors = _measure(
            self.network, params, self.sampler, self.low, self.extent,
            every=max(1, self.sampler.samples // _SAMPLES) | 1,  # odd: not the same rows' halves
        )  # fmt: skip
        return self._mean(errors)

    def _mean(self, errors: list[dict[str, Any]]) -> float:
        total, count = 0.0, 0
        for error, scale, extent in zip(errors, self.scale, self.extent, strict=True):
            if extent > 0:
                total += error["sum_of_squares"] * (scale / extent) ** 2
            count += error["finite"]
        return total / count if count else 0.0

    def _native_options(self, seconds: float) -> dict[str, Any]:
        options, target = self.options, self.target
        n_train = options.iterations(self.partition.n_voxels)
        return {
            "batch": options.batch,
            "learning_rate": options.learning_rate,
            "final_rate": options.final_rate,
            "decay": options.decay,
            "iterations": n_train if target.iterations is None else target.iterations,
            "seconds": seconds,
            "loss_threshold": options.loss_threshold or 0.0,
            "error_threshold": 0.0,
            "average": AVERAGE,
            "seed": options.seed,
            "threads": threads(),
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
    every: int = 1,
) -> list[dict[str, Any]]:
    """Errors per component at the owned samples, or each `every`th 128 of them; without a decoded
    copy of the block, and in slices between which Python gets to see a Ctrl-C."""
    native = None if network is None else network.native
    totals: list[dict[str, Any]] = []
    for begin in range(0, sampler.samples, _SLICE_SAMPLES * every):
        end = min(begin + _SLICE_SAMPLES * every, sampler.samples)
        errors = lib.measure(native, params, sampler, low, extent, begin, end, every, threads())
        totals = [_add(*pair) for pair in zip(totals, errors, strict=True)] if totals else errors
    return totals


def _add(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    return {
        "sum_of_squares": a["sum_of_squares"] + b["sum_of_squares"],
        "max": max(a["max"], b["max"]),
        "finite": a["finite"] + b["finite"],
    }


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
