"""Every knob of training, with its default, unit and where it comes from.

In: the run file, or keyword arguments. Out: numbers checked for range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How one network is trained. Defaults: DVNR section III unless a line says otherwise."""

    learning_rate: float = 2e-2
    """Adam's first step size."""
    final_rate: float = 1 / 30
    """Last learning rate over the first. A rate that does not decay costs about 1 dB."""
    decay: Literal["exponential", "cosine"] = "cosine"
    batch: int = 4096
    """Samples per step. 2^12 to 2^13 reach a given quality soonest on a CPU."""
    n_min: int = 200
    """Fewest steps: N_train = max(n_min, ceil(N_vox / batch) * epochs)."""
    epochs: int = 16
    """Times that as many samples are drawn as the block has voxels."""
    seconds: float | None = None
    """Longest training of one block; the learning rate's decay is fitted into it."""
    loss_threshold: float = 0.0
    """Training ends when the moving average of the L1 loss, in units of the block's own range,
    is below this; 0 never."""
    psnr: float | None = None
    """dB against the field's global range at which training ends; None trains to the end."""
    boundary_share: float = 0.15
    """lambda: share of the batch that is drawn next to the faces."""
    boundary_sigma: float = 0.005
    """sigma of the half-Gaussian of eq. (2), in units of the owned box."""
    warm_start: bool = True
    """Begin with the weights of the step before (III-E, weight caching)."""
    seed: int = 0

    def iterations(self, n_voxels: int) -> int:
        """N_train of DVNR for a block of `n_voxels` owned voxels."""
        return max(self.n_min, -(-n_voxels // self.batch) * self.epochs)
