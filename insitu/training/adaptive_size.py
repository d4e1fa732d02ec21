"""Where to go next among the sizes of a model.

In: how far training ended from the target. Out: the next size.

The size was a guess in DVNR, its first limitation. Here a block begins with the smallest network
and a fraction of the steps. That pilot is cheap, and where it reaches the target it is the result;
else what it missed says how far to climb. Blocks choose for themselves: nothing is communicated.
"""

from __future__ import annotations

from dataclasses import dataclass

# What one more rung gains.
_DB_PER_RUNG = 2.25
# A step was easy if it took this share of the usual steps; after so many in a row a smaller
# network is tried.
_EASY = 0.05
_EASY_STEPS = 5


def steps_up(missing_db: float) -> int:
    """How many rungs to go up from one that ended `missing_db` > 0 below the target."""
    return max(1, min(int(missing_db / _DB_PER_RUNG), 4))


@dataclass
class AdaptiveState:
    """What the steps so far taught of one block; one object for all steps."""

    easy_steps: int = 0
    """Steps in a row that took next to no training."""
    codec: str | None = None
    """What took the fewest bytes when all were tried last, for `codec: auto`."""
    codec_age: int = 0
    """Steps since then."""

    def smaller_is_due(self) -> bool:
        """Whether one rung down is worth a try: the block has been easy for a while."""
        return self.easy_steps >= _EASY_STEPS

    def update(self, iterations: int, usual: int) -> None:
        """iterations: what the step took; usual: all the steps it might have taken."""
        due = self.smaller_is_due()
        self.easy_steps = self.easy_steps + 1 if iterations <= _EASY * usual and not due else 0
