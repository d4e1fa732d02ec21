"""All training options, with default, unit and source.

In: the run file, or keyword arguments. Out: checked numbers for training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from insitu.core.limits import Range, Section


@dataclass(frozen=True, kw_only=True)
class Relative:
    """A bound in units of the field."""

    rel: float
    """Fraction of each component's global range (max - min), 1e-12..1."""


class Bound:
    """A number or `{rel: number}`, with the check applied when a run file is read."""

    relative = Range(1e-12, 1)
    absolute = Range(1e-300, 1e300)

    def check(self, value: Any) -> float | Relative | None:
        """Raises ValueError where `value` is neither, or out of range."""
        if value is None or isinstance(value, Relative):
            return value
        if isinstance(value, Mapping) and value.keys() == {"rel"}:
            return Relative(rel=self.relative.check(value["rel"], _number))
        return float(self.absolute.check(value, _number))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        share = {"type": "number", "minimum": self.relative.low, "maximum": self.relative.high}
        relative = {
            "type": "object",
            "properties": {"rel": share},
            "required": ["rel"],
            "additionalProperties": False,
        }
        absolute = {"type": "number", "exclusiveMinimum": 0}
        title = "number, or `{rel: number}`"
        return {"anyOf": [absolute, relative, {"type": "null"}], "title": title}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"expected a number or {{rel: 1e-3}}, found {value!r}") from None


@dataclass(frozen=True, kw_only=True)
class Target(Section):
    """What a block has to reach, and the limits of its training.

    Targets hold for the stored result: it is decoded and compared with the raw data before it is
    accepted.
    """

    psnr: Annotated[float, Range(1, 120, "dB")] | None = None
    """Accuracy relative to the field's global range; default: none, train to the last step. The
    network's size follows from it, unless `network.log2_hashmap_size` is given."""

    ratio: Annotated[float, Range(1, 10**6)] | None = None
    """Compression ratio, raw bytes over compressed bytes, that every block has to reach. Accuracy
    is maximized within it."""

    max_error: Annotated[float | Relative | None, Bound()] = None
    """Largest error of any finite value, in the field's unit or as `{rel: 1e-3}` of its global
    range. Guaranteed for what `decode` returns. NaN and infinities are preserved."""

    iterations: Annotated[int, Range(1, 10**7)] | None = None
    """Number of training steps; default: from `training.epochs` and `training.n_min`."""

    seconds: Annotated[float, Range(0.001, 10**5, "s")] | None = None
    """Wall-clock time per block; default: unlimited."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Section):
    """How a network is fitted to a block. Follows DVNR, section III, unless noted otherwise."""

    learning_rate: Annotated[float, Range(1e-6, 1)] = 0.02
    """Adam's initial step size. 0.01 and 0.03 are within 0.5 dB of the default at equal time."""

    decay: Literal["exponential", "cosine"] = "cosine"
    """How the learning rate decays over the steps; cosine gains 0.5 to 1.3 dB. With a PSNR target
    the rate decays earlier, as training approaches the target (`training.train`)."""

    final_rate: Annotated[float, Range(1e-6, 1)] = 1 / 30
    """Final learning rate, as a fraction of the initial one. 1/10 and 1/100 are within 0.3 dB."""

    batch: Annotated[int, Range(64, 2**22, "samples")] = 1024
    """Samples per step. At equal time 2^10 gains 1 to 4 dB over 2^12, most for short training.
    With fewer samples the fixed cost of a step dominates, and rare values are missed."""

    huber: Annotated[float, Range(0, 1)] = 0.02
    """Threshold of the Huber loss (Huber 1964), as a fraction of the block's own range: quadratic
    for smaller errors, linear for larger ones. 0 is the L1 loss of DVNR. Gains 0.5 to 1 dB."""

    n_min: Annotated[int, Range(1, 10**6, "steps")] = 800
    """Minimum number of steps: N_train = max(n_min, ceil(N_vox / batch) * epochs)."""

    epochs: Annotated[int, Range(1, 10**4)] = 16
    """Number of epochs; one epoch draws as many samples as the block has voxels."""

    lambda_boundary: Annotated[float, Range(0, 1)] = 0.15
    """Fraction of the batch that is drawn close to the faces of the block."""

    sigma: Annotated[float, Range(1e-6, 0.5)] = 0.005
    """Standard deviation of the half-Gaussian distance of these samples from the face, eq. (2), as
    a fraction of the owned box."""

    loss_threshold: Annotated[float, Range(0, 1)] | None = None
    """Training ends when the moving average of the loss, the mean absolute error as a fraction of
    the block's own range, falls below this; default: never."""

    warm_start: bool = True
    """Start from the weights of the previous step (III-E, weight caching)."""

    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """Random seed of the samples and of the initial weights."""

    def iterations(self, n_voxels: int) -> int:
        """N_train for a block of `n_voxels` owned voxels."""
        return max(self.n_min, -(-n_voxels // self.batch) * self.epochs)
