"""All training options, with default, unit and source.

In: the run file, or keyword arguments. Out: checked numbers for training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from insitu.core.limits import Range, Section
from insitu.engines.points import batch_size


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


QUALITY_DB = {"draft": 40.0, "visual": 55.0, "fine": 70.0}
"""PSNR in dB of each word for a quality (docs/benchmarks.md, Qualities in words)."""


@dataclass(frozen=True, kw_only=True)
class Target(Section):
    """What a block has to reach, and the limits of its training.

    Targets hold for the stored result: it is decoded and compared with the raw data before it is
    accepted.
    """

    psnr: Annotated[float, Range(1, 120, "dB")] | None = None
    """Target accuracy relative to the field's global range. It determines the model's size, unless
    `network.log2_hashmap_size` is given. Default: none; a network is trained to the last step, a
    sparse grid kept at 55 dB. Sparse grids keep smooth blocks with a small range of their own
    better: to 1/12 of that range, or 1/16 of the field's error."""

    ratio: Annotated[float, Range(1, 10**6)] | None = None
    """Target compression ratio of every block, raw bytes over compressed bytes; the accuracy is
    then the best possible."""

    max_error: Annotated[float | Relative | None, Bound()] = None
    """Guaranteed bound on the error of every finite decoded value, in the field's unit, or relative
    to its global range as in `{rel: 1e-3}`. NaN and infinities are restored exactly."""

    iterations: Annotated[int, Range(1, 10**7)] | None = None
    """Number of training steps; default: from `training.epochs` and `training.n_min`."""

    seconds: Annotated[float, Range(0.001, 10**5, "s")] | None = None
    """Wall-clock time per block; default: unlimited."""

    @property
    def is_goal(self) -> bool:
        """Whether there is an accuracy or a size to reach."""
        return (self.psnr, self.ratio, self.max_error) != (None, None, None)


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Section):
    """How a model is trained on a block; as in DVNR, section III, unless noted."""

    learning_rate: Annotated[float, Range(1e-6, 1)] = 0.02
    """Initial step size of Adam. 0.01 and 0.03 are within 0.5 dB of the default at equal time."""

    decay: Literal["exponential", "cosine"] = "cosine"
    """Learning-rate schedule; cosine gains 0.5 to 1.3 dB. With a PSNR target, the rate falls
    earlier as training approaches the target."""

    final_rate: Annotated[float, Range(1e-6, 1)] = 1 / 30
    """Final learning rate as a fraction of the initial one. 1/10 and 1/100 are within 0.3 dB of the
    default."""

    batch: Annotated[int, Range(64, 2**22, "samples")] = 1024
    """Samples per step. At equal time, 2^10 gains 1 to 4 dB over 2^12, most for short trainings;
    smaller batches are dominated by the fixed cost of a step, and miss rare values."""

    huber: Annotated[float, Range(0, 1)] = 0.02
    """Threshold of the Huber loss as a fraction of the block's own range: smaller errors count
    quadratically, larger ones linearly; 0: the L1 loss of DVNR. Gains 0.5 to 1 dB."""

    n_min: Annotated[int, Range(1, 10**6, "steps")] = 800
    """Minimum number of training steps: N_train = max(n_min, ceil(N_vox / batch) * epochs)."""

    epochs: Annotated[int, Range(1, 10**4)] = 16
    """Number of samples drawn in training, in multiples of the block's number of voxels."""

    lambda_boundary: Annotated[float, Range(0, 1)] = 0.15
    """Fraction of each batch that is drawn near the faces of the block."""

    sigma: Annotated[float, Range(1e-6, 0.5)] = 0.005
    """Standard deviation of these samples' half-Gaussian distance from the face (DVNR, eq. 2), as a
    fraction of the owned box."""

    candidates: Annotated[float, Range(1, 64, "batches")] = 1.0
    """Samples that are evaluated in a step, in units of `batch`; of these, `hardest` are learned
    from (hard-sample mining). Off: docs/benchmarks.md, Hard samples, has what it gains where."""

    hardest: Annotated[float, Range(0.01, 1)] = 1.0
    """Fraction of the samples evaluated in a step, those with the largest errors, that the gradient
    is computed from; 1: all of them."""

    plateau: Annotated[int, Range(0, 10**6, "steps")] = 0
    """Divide the learning rate by ten where the mean loss of this many steps is not 0.01 % below
    the lowest before, and end training at the third time (AMGSRN's ensembles: 500); 0: never."""

    transform: Literal["none", "negate", "zero_mean", "standardise", "power", "asinh"] = "none"
    """Map of each block's values that the model learns instead, inverted wherever the field is
    read; targets hold in the field's own units. `negate`; `zero_mean` (without a transform, too,
    the mean is subtracted); `standardise`: to a standard deviation of 1; `power`: the power `power`
    of the values from 0 to 1; `asinh`: logarithmic far from the mean. docs/benchmarks.md,
    Transformations, has what they gain."""

    power: Annotated[float, Range(0.1, 10)] = 0.5
    """Exponent of `transform: power`: below 1, small values count for more."""

    loss_threshold: Annotated[float, Range(0, 1)] | None = None
    """Stop training when the moving average of the loss (mean absolute error as a fraction of the
    block's own range) falls below this; default: never."""

    warm_start: bool = True
    """Start from the weights of the previous step (DVNR, III-E, weight caching)."""

    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """Random seed of the samples and the initial weights."""

    def iterations(self, n_voxels: int) -> int:
        """N_train for a block of `n_voxels` owned voxels."""
        return max(self.n_min, -(-n_voxels // self.batch) * self.epochs)

    def point_iterations(self, n_points: int) -> int:
        """The same for a model that is trained on points: its batches are larger, and a quarter of
        `n_min` is enough, since it begins with a fit."""
        batch = batch_size(n_points, self.batch)
        return max(-(-self.n_min // 4), -(-n_points // batch) * self.epochs)
