"""A clock that a test sets, so that what is due in time does not depend on the machine.

In: how long a look at it takes. Out: seconds.
"""

from __future__ import annotations


class Clock:
    """Time that passes when it is told to, by `now`, and `step` seconds with each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 100.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now
