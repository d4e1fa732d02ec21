"""The time budget of insitu: seconds per step, and a fraction of the simulation's own time.

In: when insitu is entered and left, and how long what follows training took before. Out: how long
the training of the present step may take.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi4py import MPI

# Steps whose time before and after training is remembered.
_REMEMBERED = 10
# A step for which there was no time is tried again after so many: it may have been a busy moment.
_TRY_AGAIN = 10
# What is remembered of it fades so with every step that it has ruled out.
_FADE = 0.9
# Kept free while none is: of all that the step may take.
_KEPT_FREE = 0.25


class Budget:
    """The clock of one run. Ranks agree on the budget of a step; each measures its own time.

    `seconds` bounds a step from when all ranks have come to it. `fraction` bounds it by what the
    simulation took since the last step that insitu recorded, less what insitu took in between to
    see whether something was due, and what that step took too long. The first step is not bounded
    by it: nobody knows yet how long the simulation takes.
    """

    def __init__(
        self,
        seconds: float | None,
        fraction: float | None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """Not collective. None: no limit. clock: a clock in seconds."""
        self.seconds, self.fraction, self._clock = seconds, fraction, clock
        self.allowed = math.inf
        """Seconds that the present step may take, the same on all ranks."""
        self._before: deque[float] = deque(maxlen=_REMEMBERED)
        self._after: deque[float] = deque(maxlen=_REMEMBERED)
        self._end = math.inf  # when training is to be over
        self._wanted = False  # whether there was something to train
        self._given_up = 0  # steps in a row
        self._simulated = self._spent = 0.0  # since the last recorded step
        self._acting = 0.0  # of what followed training
        self._begun = self._prepared = self._trained = self._left = math.nan
        self._first = True

    @property
    def bounded(self) -> bool:
        return self.seconds is not None or self.fraction is not None

    def enter(self) -> None:
        """The simulation has called insitu. Not collective."""
        now = self._clock()
        if not math.isnan(self._left):
            self._simulated += now - self._left
        self._begun = now

    def begin(self, comm: MPI.Comm) -> None:
        """All ranks have come to this step: those that were early have waited, which was not
        insitu's doing. Collective; without a bound, nothing is communicated."""
        if not self.bounded:
            return
        from mpi4py import MPI

        allowed = math.inf if self.seconds is None else self.seconds
        if self.fraction is not None and not self._first:
            allowed = min(allowed, self.fraction * self._simulated - self._spent)
        self.allowed = comm.allreduce(allowed, op=MPI.MIN)
        self._begun = self._clock()

    @property
    def left(self) -> float:
        """Seconds left of the present step, on this rank; negative when it takes too long."""
        return self.allowed - (self._clock() - self._begun)

    def hopeless(self, comm: MPI.Comm) -> bool:
        """Whether what comes before and after training takes all that is left, as it did at the
        last steps at least: then even to begin is too much. Collective."""
        if self.allowed == math.inf:
            return False
        from mpi4py import MPI

        self._wanted = True
        least = min(self._before, default=0.0) + min(self._after, default=0.0)
        hopeless = comm.allreduce(self.left < least, op=MPI.LOR)
        self._given_up = self._given_up + 1 if hopeless else 0
        if self._given_up == _TRY_AGAIN:
            self._given_up = 0
            return False
        return hopeless

    def for_training(self, acting: float = 0.0) -> float:
        """Seconds left less what has to follow: the longest of the last ten steps, and what scenes
        and extracts are expected to take, of which at most half of the step counts. To be asked
        when training begins."""
        if self.allowed == math.inf:
            return math.inf
        now = self._clock()
        self._before.append(now - self._prepared)
        after = max(self._after) if self._after else _KEPT_FREE * self.allowed
        seconds = self.left - after - min(acting, self.allowed / 2)
        self._end = now + seconds
        return seconds

    def prepare(self) -> None:
        """What comes before training begins, and is remembered. Not collective."""
        self._prepared = self._clock()

    def affords(self, comm: MPI.Comm, seconds: float) -> bool:
        """Whether so much is left on all ranks. Collective; without a bound, it always is."""
        if self.allowed == math.inf:
            return True
        from mpi4py import MPI

        return comm.allreduce(self.left >= seconds, op=MPI.LAND)

    def acted(self, seconds: float) -> None:
        """What scenes and extracts took, which comes and goes. Not collective."""
        self._acting += seconds

    def trained(self) -> None:
        """Training is over; what follows, and how late it was, is remembered when the step is left.
        Not collective."""
        self._trained = min(self._clock(), self._end)

    def leave(self) -> None:
        """insitu returns to the simulation. Not collective."""
        now = self._clock()
        took = now - self._begun
        if math.isnan(self._trained):
            self._spent += took
            if self._wanted:  # a busy moment is not to rule out all steps after it
                self._after = deque((_FADE * s for s in self._after), maxlen=_REMEMBERED)
        else:
            self._after.append(max(0.0, now - self._trained - self._acting))
            late = 0.0 if self.allowed == math.inf else max(0.0, took - self.allowed)
            self._simulated, self._spent = 0.0, late
            self._first = False
        self._trained, self._left, self._acting, self._wanted = math.nan, now, 0.0, False
