"""Scenes and extracts, done at the steps that ask for them, or when the budget leaves time.

In: what is to be done at a step, the window, the budget. Out: the files written; what is put off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from insitu.actions import Action
from insitu.budget import Budget
from insitu.history import steps
from insitu.parallel import RemoteError, together
from insitu.store.time_series import TimeSeries

if TYPE_CHECKING:
    from mpi4py import MPI

# What waits for time keeps its steps in memory.
_WAITING = 16


class _Waiting(NamedTuple):
    action: Action
    cycle: int
    steps: list[steps.Step]


class Acting:
    """Does what a run asks for, in order. Under a budget, what took longer than is left of the
    step waits for one that has more, or for the end of the run; the first time, nobody knows how
    long it takes. Methods are collective, and what fails is skipped by all ranks."""

    def __init__(
        self,
        comm: MPI.Comm,
        window: TimeSeries,
        budget: Budget,
        folder: Path,
        failed: Callable[[str, Exception], None],
        warn: Callable[[str], None],
    ) -> None:
        """failed: told what was skipped and why; what it raises ends the step. warn: told what the
        budget never left time for."""
        self.comm, self.window, self.budget, self.folder = comm, window, budget, folder
        self._failed, self._warn = failed, warn
        self._waiting: deque[_Waiting] = deque()
        self._seconds: dict[tuple[str, str], float] = {}  # of each action, for one step

    @property
    def waiting(self) -> list[str]:
        """The names of what was put off, in order."""
        return [put_off.action.name for put_off in self._waiting]

    def expected(self, actions: Sequence[Action]) -> float:
        """Seconds that actions are known to take, at the present step. Not collective."""
        return sum(self._seconds.get((a.what, a.name), 0.0) for a in actions)

    def act(self, actions: Sequence[Action], cycle: int) -> list[Path]:
        """Do what was put off and then `actions`, as far as there is time -> files written."""
        started = perf_counter()
        for action in actions:
            found = self._steps(action)
            if found:
                self._waiting.append(_Waiting(action, cycle, found))
        files: list[Path] = []
        left: deque[_Waiting] = deque()
        while self._waiting:
            next_one = self._waiting.popleft()
            action, at = next_one.action, next_one.steps
            seconds = self._seconds.get((action.what, action.name), 0.0) * len(at)
            if self.budget.affords(self.comm, seconds):
                files += self._run(action, at)
            else:
                left.append(next_one._replace(steps=[step.kept() for step in at]))
        while len(left) > _WAITING:
            dropped = left.popleft()
            self._warn(
                f"{dropped.action.what} {dropped.action.name} of cycle {dropped.cycle} dropped: "
                f"{_WAITING} others wait for time in the budget"
            )
        self._waiting = left
        self.budget.acted(perf_counter() - started)
        return files

    def finish(self) -> list[Path]:
        """Do what still waits: the simulation has come to its end -> files written."""
        files = [file for put_off in self._waiting for file in self._run(*put_off[::2])]
        self._waiting.clear()
        return files

    def _steps(self, action: Action) -> list[steps.Step]:
        found: list[steps.Step] = []
        try:
            with together(self.comm, "window"):
                found = steps.newest(self.window, action.reads or (), action.window)
        except RemoteError as error:
            self._skipped(action, error)
        return found

    def _run(self, action: Action, at: Sequence[steps.Step]) -> list[Path]:
        started = perf_counter()
        try:
            return action.run(self.comm, at, self.folder)
        except RemoteError as error:
            self._skipped(action, error)
        except ValueError as error:  # the same on every rank
            self._failed("skipped", ValueError(f"{action.what} {action.name}: {error}"))
        finally:
            self._seconds[action.what, action.name] = (perf_counter() - started) / len(at)
        return []

    def _skipped(self, action: Action, error: RemoteError) -> None:
        named = RemoteError(f"{action.what} {action.name}: {error}", error.rank)
        named.__cause__ = error.__cause__
        self._failed("skipped", named)
