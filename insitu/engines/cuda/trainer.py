"""Training on the device: one launch for many steps of one network, or of several.

In: a model, its initial parameters, a block, options. Out: trained parameters. The loop itself is
`kernels/train.hpp`; after a launch, the host reads its progress.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from insitu.engines.base import Doubles, Singles
from insitu.engines.cuda import layout
from insitu.engines.cuda.arrays import params_of
from insitu.engines.cuda.device import Device, Launch, Program
from insitu.engines.cuda.layout import TILE, Shape
from insitu.engines.cuda.sampler import GridSampler, sampling_of
from insitu.engines.options import TrainerOptions
from insitu.models.base import Model

_FIRST_STEPS = 16  # until the averages are reliable, as in train.hpp
_LONG = 1 << 62

REFUSED = ("candidates", "hardest", "plateau")
"""`Engine.refused_options`."""


class CudaTrainer:
    """Implements `insitu.engines.base.Trainer`."""

    def __init__(
        self,
        model: Model,
        params: Singles,
        block: GridSampler,
        origin: Doubles,
        extent: Doubles,
        error_scale: Doubles,
        options: TrainerOptions,
    ) -> None:
        shape = layout.shape_of(model)
        if shape is None:
            raise ValueError(f"model {model.kind!r}: the engine cuda does not support it")
        _check(model, block, options, origin=origin, extent=extent, error_scale=error_scale)
        values = params_of(model, params)
        self.shape, self.device, self._block = shape, block.device, block
        self.error_threshold, self._options = options.error_threshold, options
        self.elapsed = 0.0
        self.n_params = model.n_params
        padded = -(-model.n_params // 4) * 16  # bytes
        with self.device.current():
            # Parameters, gradient, first and second moment.
            memory = self.device.allocate(4 * padded)
            self.device.zero(memory)
            self._vectors = [memory.part(i * padded, 4 * model.n_params) for i in range(4)]
            self.device.upload(self._vectors[0], values)
        self.progress = np.zeros((), layout.PROGRESS)
        self.progress["beta1_power"] = self.progress["beta2_power"] = 1.0
        self._record = self._filled(model, origin, extent, error_scale)

    def _filled(self, model: Model, origin: Any, extent: Any, error_scale: Any) -> np.ndarray:
        """A record of `Shape.training`; its pointers to the launch are set by `launched`."""
        options, block = self._options, self._block
        record = np.zeros((), self.shape.training)
        names = ("params", "gradient", "first", "second")
        for name, vector in zip(names, self._vectors, strict=True):
            record[name] = vector.address
        record["n_params"] = self.n_params
        record["grid"], record["parts"] = block.grid, block.parts
        record["origin"], record["error_scale"] = origin, error_scale
        record["scale"] = [
            _inverse(float(e), a.dtype) for e, a in zip(extent, block.arrays, strict=True)
        ]
        record["sampling"] = sampling_of(
            options.seed, options.boundary_share, options.boundary_sigma, options.batch
        )
        record["cosine"] = options.decay == "cosine"
        record["exact_beta1"], record["exact_beta2"] = options.beta1, options.beta2
        record["levels"] = layout.levels_of(model)
        for name in (
            "batch", "huber", "l2", "beta1", "beta2", "epsilon", "iterations", "learning_rate",
            "final_rate", "seconds", "loss_threshold", "approach", "average",
        ):  # fmt: skip
            record[name] = getattr(options, name)
        return record

    @property
    def record(self) -> np.ndarray:
        self._record["error_threshold"] = self.error_threshold
        return self._record

    @property
    def batch(self) -> int:
        return self._options.batch

    @property
    def iteration(self) -> int:
        return int(self.progress["iteration"])

    @property
    def exhausted(self) -> bool:
        options = self._options
        return self.iteration >= options.iterations or self.elapsed >= options.seconds

    @property
    def done(self) -> bool:
        """Whether training has ended, as `run` returns it."""
        if self.exhausted:
            return True
        if self.iteration < _FIRST_STEPS:
            return False
        below = self.loss < self._options.loss_threshold
        return below or self.root_mean_square < self.error_threshold

    @property
    def loss(self) -> float:
        return self._average("loss")

    @property
    def root_mean_square(self) -> float:
        return math.sqrt(self._average("squares"))

    def _average(self, name: str) -> float:
        weight = float(self.progress["weight"])
        return float(self.progress[name]) / weight if weight else math.nan

    @property
    def params(self) -> Singles:
        return self._downloaded(0)

    @property
    def gradient(self) -> Singles:
        return self._downloaded(1)

    def _downloaded(self, vector: int) -> Singles:
        with self.device.current():
            return self.device.downloaded(self._vectors[vector], (self.n_params,), np.float32)

    def run(self, seconds: float) -> bool:
        if not self.done:
            launched([self], seconds)
        return self.done

    def step(self) -> None:
        launched([self], math.inf, steps=1)

    def compute_gradient(self) -> None:
        launched([self], math.inf, update=False)


def run_together(trainers: Sequence[CudaTrainer], seconds: float) -> bool:
    """`Trainer.run` of several trainers of a device at the same time: those of the same shape in
    one launch. Returns True when all are done."""
    groups: dict[Shape, list[CudaTrainer]] = {}
    for trainer in trainers:
        if not trainer.done:
            groups.setdefault(trainer.shape, []).append(trainer)
    for group in groups.values():
        while group:
            n = _most_rows(group[0].device, group[0].shape)
            launched(group[:n], seconds)
            group = group[n:]
    return all(trainer.done for trainer in trainers)


def launched(
    trainers: Sequence[CudaTrainer], seconds: float, steps: int = _LONG, update: bool = True
) -> None:
    """One launch for trainers of the same shape; their progress is read back. At least one step.

    Collective over nothing: it waits for the device alone.
    """
    start = perf_counter()
    device, shape, n = trainers[0].device, trainers[0].shape, len(trainers)
    control = np.zeros((), _control(shape, n))
    with device.current():
        memory = device.allocate(control.nbytes)
        control["trainings"] = [trainer.record for trainer in trainers]
        control["progress"] = [trainer.progress for trainer in trainers]
        control["progress"]["elapsed"] = [trainer.elapsed for trainer in trainers]
        for name in ("progress", "sums", "now", "barrier"):
            field = control[name]
            first = memory.address + control.dtype.fields[name][1]
            control["trainings"][name] = first + field.strides[0] * np.arange(n)
        device.upload(memory, control)
        arguments = np.array((memory.address, min(seconds, 1e18), steps, int(update)), layout.TRAIN)
        program = Program.of("train.hpp", shape.constants())
        blocks = max(1, min(max(map(_blocks, trainers)), _capacity(device, shape) // n))
        device.launch(program, "train", _launch(shape, blocks, n), arguments)
        offset, size = control.dtype.fields["progress"][1], control["progress"].nbytes
        progress = device.downloaded(memory.part(offset, size), (n,), layout.PROGRESS)
    spent = perf_counter() - start
    for trainer, after in zip(trainers, progress, strict=True):
        trainer.progress = after
        if update:
            trainer.elapsed += spent


def _blocks(trainer: CudaTrainer) -> int:
    """Blocks of threads that a network can use: one for each tile of a batch, and for updating the
    parameters as many as there are multiprocessors, if there is one for each thread."""
    threads = 32 * trainer.shape.warps
    updating = min(-(-trainer.n_params // (4 * threads)), trainer.device.multiprocessors)
    return max(-(-trainer.batch // TILE), updating)


def _control(shape: Shape, n: int) -> np.dtype[Any]:
    """What a launch of n rows reads and writes besides the networks. Each row's barrier has a cache
    line of its own."""
    return np.dtype(
        [
            ("trainings", shape.training, (n,)), ("progress", layout.PROGRESS, (n,)),
            ("sums", "f8", (n, 8)), ("now", "f8", (n,)), ("barrier", "u4", (n, 32)),
        ],
        align=True,
    )  # fmt: skip


def _launch(shape: Shape, blocks: int, rows: int) -> Launch:
    return Launch(blocks, 32 * shape.warps, rows, shape.shared_bytes, together=True)


def _capacity(device: Device, shape: Shape) -> int:
    """Blocks of threads that the device runs at once."""
    program = Program.of("train.hpp", shape.constants())
    resident = device.resident_blocks(program, "train", _launch(shape, 1, 1))
    return resident * device.multiprocessors


def _most_rows(device: Device, shape: Shape) -> int:
    return max(1, _capacity(device, shape))


def _check(model: Model, block: GridSampler, options: TrainerOptions, **figures: Doubles) -> None:
    if block.components != model.n_outputs:
        raise ValueError(
            f"sampler: {block.components} components, the model has {model.n_outputs} outputs"
        )
    for name, values in figures.items():
        if len(values) != model.n_outputs:
            raise ValueError(
                f"{name}: {len(values)} values, expected one value per component, of which there "
                f"are {model.n_outputs}"
            )
    if options.batch < 1:
        raise ValueError(f"batch: {options.batch}, expected at least 1")
    plain = TrainerOptions.__dataclass_fields__
    for name in REFUSED:
        value = getattr(options, name)
        if value != plain[name].default:
            raise ValueError(
                f"{name}: {value}, which the engine cuda does not support; use the engine torch, "
                f"or leave it out"
            )


def _inverse(extent: float, dtype: np.dtype[Any]) -> float:
    """1 / extent; 0 for a constant component, or a range that has no inverse in the precision of
    the data: there is nothing to learn."""
    return 1 / extent if extent >= np.finfo(dtype).tiny else 0.0
