"""Adaptive choice of the next model size.

In: the difference between the reached accuracy and the target. Out: the next size.

In DVNR the size has to be guessed, which is the first limitation it names. Here a block starts with
the smallest network and a fraction of the steps. This pilot run is cheap. Where it reaches the
target, it is the result; otherwise the missing accuracy determines the next size. Blocks choose
independently: there is no communication.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from insitu.fields.distributed_field import Choice

# Gain of one size step.
_DB_PER_SIZE = 2.25
# A time step is easy if it needs at most this fraction of the usual training steps. After this many
# easy ones in a row, a smaller network is tried.
_EASY = 0.05
_EASY_STEPS = 5


def steps_up(missing_db: float) -> int:
    """Number of sizes to go up from one that ended `missing_db` > 0 below the target."""
    return max(1, min(int(missing_db / _DB_PER_SIZE), 4))


@dataclass
class AdaptiveState:
    """Experience from previous steps of one block; one object for all steps."""

    easy_steps: int = 0
    """Number of consecutive time steps that needed little training."""
    codec: str | None = None
    """The codec with the fewest bytes at the last comparison, for `codec: auto`."""
    codec_age: int = 0
    """Number of time steps since then."""
    model: str | None = None
    """The kind of model with the fewest bytes at the last comparison, for `model: auto`; None:
    there was none."""
    model_age: int = 0
    """Number of time steps since then."""
    other_nbytes: int = 0
    """About the bytes of the other kind then."""
    choice: Choice | None = None
    """What `model: auto` chose at the last step."""
    beyond_expected: float | None = None
    """By how many dB the last sparse grid was better than the sizes of its coefficients let expect
    (`insitu.training.step_search`)."""
    bounds: dict[str, list[float]] = field(default_factory=dict)
    """By codec, or `residual`: the error bound of the last time step that met the target."""

    def smaller_is_due(self) -> bool:
        """Whether to try the next smaller size: the block has been easy for a while."""
        return self.easy_steps >= _EASY_STEPS

    def update(self, iterations: int, usual: int) -> None:
        """iterations: training steps of this time step; usual: the full number of steps."""
        due = self.smaller_is_due()
        self.easy_steps = self.easy_steps + 1 if iterations <= _EASY * usual and not due else 0
