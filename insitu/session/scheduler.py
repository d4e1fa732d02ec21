"""Scenes and extracts, run at the steps that ask for them, or later when the budget has time.

In: the actions of a step, the window, the budget. Out: the files written; what is deferred.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from insitu.actions import Action
from insitu.core.parallel import RemoteError, together
from insitu.queries.scalars import Result
from insitu.render.picture.scene import Scene
from insitu.session.budget import Budget
from insitu.store import timestep
from insitu.store.time_series import TimeSeries

if TYPE_CHECKING:
    from mpi4py import MPI

# What waits for time keeps its steps in memory.
_MOST_DEFERRED = 16


class _Deferred(NamedTuple):
    action: Action
    cycle: int
    steps: list[timestep.TimeStep]


class Reports(Protocol):
    """Receives what was skipped and why, on every rank alike; what `failed` raises ends the
    step."""

    def failed(self, what: str, error: Exception) -> None: ...

    def warn(self, text: str) -> None: ...


class ActionScheduler:
    """Runs actions in order. Under a budget, an action that took longer than what is left of the
    step waits for a step with more time, or for the end of the run; an action that has not run yet
    counts as nothing. Methods are collective, and what fails is skipped by all ranks."""

    def __init__(
        self,
        comm: MPI.Comm,
        window: TimeSeries,
        budget: Budget,
        folder: Path,
        reporter: Reports,
        results: Mapping[str, Sequence[Result]],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """folder: where files go. reporter: receives what was skipped and why, and what the budget
        never had time for. results: of all queries, the same on every rank, as they come. clock: a
        clock in seconds."""
        self.comm, self.window, self.budget, self.folder = comm, window, budget, folder
        self._reporter, self._results, self._clock = reporter, results, clock
        self._deferred: deque[_Deferred] = deque()
        self._seconds: dict[tuple[str, str], float] = {}  # of each action, for one step
        self._doubted: set[str] = set()  # scenes, by name

    @property
    def deferred(self) -> list[str]:
        """The names of the deferred actions, in order."""
        return [entry.action.name for entry in self._deferred]

    def expected(self, actions: Sequence[Action]) -> float:
        """Seconds that actions are known to take, at the present step. Not collective."""
        return sum(self._seconds.get((a.what, a.name), 0.0) for a in actions)

    def act(self, actions: Sequence[Action], cycle: int) -> list[Path]:
        """Run what was deferred and then `actions`, as far as there is time -> files written."""
        started = self._clock()
        for action in actions:
            found = self._steps(action)
            if found:
                self._deferred.append(_Deferred(action, cycle, found))
        files: list[Path] = []
        left: deque[_Deferred] = deque()
        while self._deferred:
            next_one = self._deferred.popleft()
            action, at = next_one.action, next_one.steps
            seconds = self._seconds.get((action.what, action.name), 0.0) * len(at)
            if self.budget.affords(self.comm, seconds):
                files += self._run(action, at)
            else:
                left.append(next_one._replace(steps=[step.kept() for step in at]))
        while len(left) > _MOST_DEFERRED:
            dropped = left.popleft()
            self._reporter.warn(
                f"{dropped.action.what} {dropped.action.name} of cycle {dropped.cycle} dropped: "
                f"{_MOST_DEFERRED} others wait for time in the budget"
            )
        self._deferred = left
        self.budget.acted(self._clock() - started)
        return files

    def finish(self) -> list[Path]:
        """Run what is still deferred, at the end of the simulation -> files written."""
        files = [file for entry in self._deferred for file in self._run(entry.action, entry.steps)]
        self._deferred.clear()
        return files

    def _steps(self, action: Action) -> list[timestep.TimeStep]:
        found: list[timestep.TimeStep] = []
        try:
            with together(self.comm, "window"):
                found = timestep.newest(
                    self.window, action.reads or (), action.window, self._results
                )
        except RemoteError as error:
            self._skipped(action, error)
        return found

    def _run(self, action: Action, at: Sequence[timestep.TimeStep]) -> list[Path]:
        started = self._clock()
        try:
            files = action.run(self.comm, at, self.folder)
            self._doubt(action, at[-1])
            return files
        except RemoteError as error:
            self._skipped(action, error)
        except ValueError as error:  # the same on every rank
            self._reporter.failed("skipped", ValueError(f"{action.what} {action.name}: {error}"))
        finally:
            self._seconds[action.what, action.name] = (self._clock() - started) / len(at)
        return []

    def _doubt(self, action: Action, step: timestep.TimeStep) -> None:
        """Warn, once for each scene, where its pictures show errors."""
        if isinstance(action, Scene) and action.name not in self._doubted:
            texts = action.doubts(step)
            self._doubted |= {action.name} if texts else set()
            for text in texts:
                self._reporter.warn(f"{action.what} {action.name}: {text}")

    def _skipped(self, action: Action, error: RemoteError) -> None:
        named = RemoteError(f"{action.what} {action.name}: {error}", error.rank)
        named.__cause__ = error.__cause__
        self._reporter.failed("skipped", named)
