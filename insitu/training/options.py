"""Every knob of training, with its default, unit and where it comes from.

In: the run file, or keyword arguments. Out: numbers that training reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from insitu.limits import Range, Section


@dataclass(frozen=True, kw_only=True)
class Target(Section):
    """When the training of a block ends: at the first of these that is reached."""

    psnr: Annotated[float, Range(1, 120, "dB")] | None = None
    """Accuracy against the field's global range; default: none, train to the last step."""

    iterations: Annotated[int, Range(1, 10**7)] | None = None
    """Training steps; default: from `training.epochs` and `training.n_min`."""

    seconds: Annotated[float, Range(0.001, 10**5, "s")] | None = None
    """Wall-clock time per block; default: unlimited."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Section):
    """How a network is fitted to a block. DVNR section III where a line says nothing else."""

    learning_rate: Annotated[float, Range(1e-6, 1)] = 0.02
    """Adam's step size at the start. On CloverLeaf blocks 0.02 gains 2-3 dB over 0.005 at equal
    time; beyond it some blocks are lost."""

    decay: Literal["exponential", "cosine"] = "cosine"
    """How the learning rate falls over the steps; cosine gains 1-4 dB on CloverLeaf blocks."""

    final_rate: Annotated[float, Range(1e-6, 1)] = 1 / 30
    """Learning rate at the end, as a fraction of the one at the start."""

    batch: Annotated[int, Range(64, 2**22, "samples")] = 4096
    """Samples per step. 2^12 to 2^13 reach a given quality soonest on a CPU."""

    n_min: Annotated[int, Range(1, 10**6, "steps")] = 200
    """Fewest steps: N_train = max(n_min, ceil(N_vox / batch) * epochs)."""

    epochs: Annotated[int, Range(1, 10**4)] = 16
    """Times that as many samples are drawn as the block has voxels."""

    lambda_boundary: Annotated[float, Range(0, 1)] = 0.15
    """Share of the batch that is drawn next to the faces of the block."""

    sigma: Annotated[float, Range(1e-6, 0.5)] = 0.005
    """Standard deviation of their half-Gaussian distance from the face, eq. (2), as a fraction of
    the owned box."""

    loss_threshold: Annotated[float, Range(0, 1)] | None = None
    """Training ends when the moving average of the loss, the mean absolute error as a fraction of
    the block's own range, falls below this; default: never."""

    warm_start: bool = True
    """Begin with the weights of the step before (III-E, weight caching)."""

    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """Of the samples and of the first weights."""

    def iterations(self, n_voxels: int) -> int:
        """N_train for a block of `n_voxels` owned voxels."""
        return max(self.n_min, -(-n_voxels // self.batch) * self.epochs)
