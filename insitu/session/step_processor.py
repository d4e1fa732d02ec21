"""One step of a run: what is published becomes models, pictures, a record and a report.

In: the mesh of a step. Out: the fields that are needed, trained and kept in the window; what the
triggers that fire and the regular actions make of them; a `StepReport`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mpi4py import MPI

from insitu.actions import Action, Actions
from insitu.config import RunConfig
from insitu.core.parallel import RemoteError
from insitu.fields.distributed_field import DistributedField
from insitu.queries.triggers import Trigger, TriggerEngine
from insitu.session.budget import Budget
from insitu.session.check import reads_any
from insitu.session.field_trainer import FieldTrainer
from insitu.session.listeners import Listeners
from insitu.session.needed import needed_fields
from insitu.session.presence import Presence
from insitu.session.recorder import Failure, Recorder
from insitu.session.report import StepReport
from insitu.session.reporter import Reporter
from insitu.session.scheduler import ActionScheduler
from insitu.session.step_fields import StepFields, StepReader
from insitu.store.window import Window


class StepProcessor:
    """What a run keeps from step to step, and what it does at each of them."""

    def __init__(
        self,
        comm: MPI.Comm,
        run: RunConfig,
        actions: Actions,
        reporter: Reporter,
        clock: Callable[[], float],
    ) -> None:
        """Collective. The communicator is the session's own; the clock is in seconds."""
        self.comm, self.run, self.actions = comm, run, actions
        self._reporter, self._clock = reporter, clock
        self.window = Window(run.window.steps, run.window.memory, run.window.key_every)
        self.reactions = TriggerEngine(
            comm, actions.queries, actions.triggers, self.window, reporter.failed, run.periodic
        )
        self.listeners = Listeners(comm, self.reactions, reporter)
        self.budget = Budget(run.budget.seconds, run.budget.fraction, clock)
        results = self.reactions.results
        self.scheduler = ActionScheduler(
            comm, self.window, self.budget, Path(run.output), reporter, results, clock
        )
        self.recorder = Recorder(comm, run, self.window, self.reactions, reporter)
        self.trainer = FieldTrainer(comm, run, self.budget, reporter)
        self._reader = StepReader(comm, run, reporter, (*run.fields, *sorted(actions.fields)))
        self._presence = Presence(comm, run, actions)
        self._looked = self._resumed = False
        self._resampling_reported: set[str] = set()
        self._cycle = -1

    def check(self, mesh: Any) -> None:
        """Compare a mesh and the registered callbacks with the run file. Collective.

        Raises: ConfigError and RemoteError, on every rank.
        """
        self._presence.require_all(self._reader.read(mesh))
        self.listeners.check()

    def run_step(self, mesh: Any) -> StepReport | None:
        """Process one published mesh -> the report, the same on every rank but for the seconds;
        None if nothing was due. Collective.

        Raises: RemoteError on every rank, if the step cannot be processed.
        """
        start = self._clock()
        step = self._reader.read(mesh)
        self._cycle = self._cycle + 1 if step.cycle is None else step.cycle
        cycle, time = self._cycle, float(self._cycle) if step.time is None else step.time
        absent = self._absent(step)
        self.budget.begin(self.comm)
        fired, not_evaluated = self._evaluate(cycle, time, step, absent)
        due = cycle % self.run.window.every == 0
        needed = [name for name in self._needed(due, fired) if name not in absent]
        if not needed and not fired:
            self._report(not_evaluated)
            self._reporter.idle(cycle)
            return None
        acts = [*(self.actions.due if due else ()), *(a for t in fired for a in t.actions)]
        acts = [action for action in acts if not reads_any(action, absent)]
        fields = self.trainer.train(needed, step, cycle, time, self.scheduler.expected(acts))
        self._report(not_evaluated)  # now: what is wrong with the mesh has dropped the step by then
        if fields:
            self._keep(fields)
        resampled = self._resampling_errors(step, fields or {})
        # Without its fields a picture would show some earlier step.
        files = self.scheduler.act([] if fields is None else acts, cycle)
        if fired:
            failures = self.recorder.triggered()
            self.listeners.call(fired, cycle, time)
            for what, error in failures:
                self._reporter.failed(what, error)
        return self._reporter.step(
            cycle=cycle,
            time=time,
            fields=fields,
            resampled_db=resampled,
            window_nbytes=self.window.nbytes,
            seconds=self._clock() - start,
            fired=[trigger.name for trigger in fired],
            files=files,
            allowed=self.budget.allowed,
            deferred=self.scheduler.deferred,
        )

    def _evaluate(
        self, cycle: int, time: float, step: StepFields, absent: frozenset[str]
    ) -> tuple[tuple[Trigger[Action], ...], RemoteError | None]:
        """The triggers that fire, and why none was evaluated: the step is recorded all the same.
        Collective."""
        try:
            if not self._resumed:
                self._resumed = True
                self.recorder.resume(cycle)
            step.prepare(sorted(self.actions.fields - absent))
            return self.reactions.evaluate(cycle, time, step, absent), None
        except RemoteError as error:
            return (), error

    def _report(self, not_evaluated: RemoteError | None) -> None:
        if not_evaluated is not None:
            self._reporter.failed("queries and triggers not evaluated", not_evaluated)

    def _absent(self, step: StepFields) -> frozenset[str]:
        """Fields of the run file that are not there at this step, which is told once. Collective
        where others are missing than before."""
        if self.run.on_error == "raise":
            if not self._looked or self._presence.missing(step):
                self._presence.require_all(step)
        else:
            for text in self._presence.look(step):
                self._reporter.warn(text)
        if not self._looked:
            self.listeners.check()
            self._looked = True
        return self._presence.absent

    def _needed(self, due: bool, fired: Sequence[Trigger[Action]]) -> list[str]:
        """The fields to train at this step."""
        return needed_fields(
            self.run,
            self.actions,
            due=due,
            fired=fired,
            live=self.reactions.live,
            called={t.name for t in self.actions.triggers if self.listeners.of(t)},
            past=self.reactions.past,
        )

    def _keep(self, fields: Mapping[str, DistributedField]) -> None:
        """Store fields of the step in the window. Collective."""
        dropped = self.window.add(self.comm, fields.values())
        self._reporter.dropped(dropped, self.window.memory)
        self.recorder.recorded(fields.values())

    def _resampling_errors(self, step: StepFields, names: Mapping[str, Any]) -> dict[str, float]:
        """PSNR of resampling for fields that are recorded for the first time. Collective."""
        new = [name for name in names if name not in self._resampling_reported]
        self._resampling_reported.update(new)
        return step.resampling_errors(new)

    def finish(self) -> tuple[list[str], list[Failure]]:
        """Write the window and complete movies -> files and folders written; what failed.
        Collective."""
        written, failures = self.recorder.close()
        # Last: a picture that fails under `on_error: raise` then costs nothing else.
        return [*written, *(str(file) for file in self.scheduler.finish())], failures

    def clear(self) -> None:
        """Free the models. Not collective."""
        self.window.clear()
        self.trainer.clear()
