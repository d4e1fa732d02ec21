"""Every knob of training, with its default, unit and where it comes from.

In: the run file, or keyword arguments. Out: numbers that training reads.
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
    """A number or `{rel: number}`, with the check that reading a run file makes of it."""

    relative = Range(1e-12, 1)
    absolute = Range(1e-300, 1e300)

    def check(self, value: Any) -> float | Relative | None:
        """ValueError where it is neither, or out of range."""
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
    """What a block has to reach, and when its training ends at the latest.

    Each is met by what is kept: it is decoded and compared with the raw data before it is accepted.
    """

    psnr: Annotated[float, Range(1, 120, "dB")] | None = None
    """Accuracy against the field's global range; default: none, train to the last step. The
    network's size follows, unless `network.log2_hashmap_size` is given."""

    ratio: Annotated[float, Range(1, 10**6)] | None = None
    """Raw bytes over compressed bytes that every block has to reach, at the best accuracy."""

    max_error: Annotated[float | Relative | None, Bound()] = None
    """Largest error of any finite value, in the field's unit or as `{rel: 1e-3}` of its global
    range: a guarantee for what `decode` returns. NaN and the infinities come back as they were."""

    iterations: Annotated[int, Range(1, 10**7)] | None = None
    """Training steps; default: from `training.epochs` and `training.n_min`."""

    seconds: Annotated[float, Range(0.001, 10**5, "s")] | None = None
    """Wall-clock time per block; default: unlimited."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Section):
    """How a network is fitted to a block. DVNR section III where a line says nothing else."""

    learning_rate: Annotated[float, Range(1e-6, 1)] = 0.02
    """Adam's step size at the start. 0.01 and 0.03 are within 0.5 dB of it at equal time."""

    decay: Literal["exponential", "cosine"] = "cosine"
    """How the learning rate falls over the steps; cosine gains 0.5 to 1.3 dB. Towards
    a target of PSNR the rate falls earlier, with what is missing (`training.train`)."""

    final_rate: Annotated[float, Range(1e-6, 1)] = 1 / 30
    """Learning rate at the end, as a fraction of the one at the start. 1/10 and 1/100 are within
    0.3 dB."""

    batch: Annotated[int, Range(64, 2**22, "samples")] = 1024
    """Samples per step. At equal time 2^10 gains 1 to 4 dB over 2^12, most in the shortest time;
    with fewer the step's own cost shows, and rare values are lost."""

    huber: Annotated[float, Range(0, 1)] = 0.02
    """Errors below this, as a fraction of the block's own range, count by their square, larger ones
    by their size (Huber 1964); 0: all by their size, the L1 loss of DVNR. Gains 0.5 to 1 dB."""

    n_min: Annotated[int, Range(1, 10**6, "steps")] = 800
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
