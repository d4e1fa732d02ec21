"""Signals that ask a run to end: Ctrl-C, and those that batch systems send before they kill.

In: SIGINT, SIGTERM and SIGUSR1. Out: a request that all ranks learn of at the end of a step, so
that the step is finished and the record written.

Batch systems and mpiexec often send a signal twice, or to some ranks only. A repetition is ignored
for `GRACE_SECONDS`; one that comes later insists, and ends the process at once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py import MPI

GRACE_SECONDS = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class EndSignals:
    """The request to end, while the signals are caught; on every rank alike."""

    def __init__(self, comm: MPI.Comm, told: str, clock: Callable[[], float] = monotonic) -> None:
        """Not collective. told: what happens now, for whoever sent the signal. clock: seconds."""
        self.comm, self.told = comm, told
        self._clock = clock
        self._before: dict[int, signal.Handlers | Callable[..., object] | int] = {}
        self._first: dict[int, float] = {}
        self.came = 0
        """The first signal that came to this rank; 0: none."""

    def catch(self) -> None:
        """Catch the signals. Those that the program, or MPI, handles itself are left to it. Not
        collective. Raises ValueError outside of the main thread."""
        for number in SIGNALS:
            handler = signal.getsignal(number)
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, self._handle)
                self._before[number] = handler

    def release(self) -> None:
        """Have the signals handled as before. Not collective."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def agreed(self) -> int:
        """The signal that came to any rank, 0 if none did. Collective: one reduction."""
        from mpi4py import MPI

        mine, found = np.array(self.came, np.int32), np.empty((), np.int32)
        self.comm.Allreduce(mine, found, op=MPI.MAX)
        if found and not self.came:
            self.came = int(found)
            self._tell(self.came)
        return int(found)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = self._clock()
        first = self._first.setdefault(number, now)
        if now - first > GRACE_SECONDS:
            raise KeyboardInterrupt
        if not self.came:
            self.came = number
            self._tell(number)

    def _tell(self, number: int) -> None:
        if self.comm.rank == 0:  # nothing that could wait for a lock: this may be in a handler
            name = signal.Signals(number).name
            text = f"insitu: {name}: {self.told}; a second {name} is ignored for "
            os.write(2, f"{text}{GRACE_SECONDS:.0f} s, then ends at once\n".encode())
