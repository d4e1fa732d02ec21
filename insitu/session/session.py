"""The main loop: publish, execute, close.

In: a run configuration, a communicator, and the simulation's mesh at every step.
Out: compressed fields in a window, pictures when a trigger fires, a record; a report per step.
"""

from __future__ import annotations

import signal
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from mpi4py import MPI

from insitu import actions as action_files
from insitu import config
from insitu.actions import Actions
from insitu.config import RunConfig
from insitu.core import launcher
from insitu.queries.triggers import Callback
from insitu.session.recording import with_a_record
from insitu.session.report import StepReport, Summary, Terminal
from insitu.session.reporter import Reporter, terminal
from insitu.session.resources import Resources
from insitu.session.signals import EndSignals
from insitu.session.step_processor import StepProcessor
from insitu.store.window import Window

_NOT_CLOSED = (
    "the session was not closed: nothing of the window was written at the end. Call "
    "session.close(), or use `with insitu.open(...) as session`; `insitu recover` finds what the "
    "crash files kept"
)


def open(
    source: str | Path | Mapping[str, Any] | RunConfig,
    comm: MPI.Comm | None = None,
    *,
    quiet: bool = False,
) -> Session:
    """Attach insitu to a simulation. Collective.

        with insitu.open("run.yaml", comm) as session:
            for cycle in range(n):
                ...  # the simulation's step
                session.publish(mesh)
                session.execute()

    Args:
        source: a run file, its content as a mapping, or a configuration already checked. Rank 0
            reads it; the others get plain data.
        comm: the simulation's communicator, by default the world; insitu works on a duplicate.
        quiet: print no line for each recorded step and no table at the end. The timings are
            written, to `insitu_timings.csv` in the output folder, in any case.

    Raises: ConfigError on every rank, with all problems of the run file; because the record cannot
        be written where it should be, or another run writes there; or because mpiexec belongs to
        another MPI, so that every process is rank 0 of 1.
    """
    launcher.check()
    comm = MPI.COMM_WORLD if comm is None else comm
    if isinstance(source, RunConfig):
        run, actions = source, action_files.parse(source)
    else:
        run, actions = config.broadcast(comm, lambda: action_files.load(source))
    session = Session(run, actions, comm, terminal=terminal(comm, run.output, quiet=quiet))
    session.warn_if_not_closed()
    return session


class Session:
    """insitu attached to one simulation; made by `open`.

    A failure inside insitu, on any rank, is the same failure on all ranks: by default it is
    logged, what was due at that step is dropped, and the simulation goes on; with
    `on_error: raise` it is raised. A process may have several sessions.
    """

    def __init__(
        self,
        run: RunConfig,
        actions: Actions,
        comm: MPI.Comm,
        clock: Callable[[], float] = perf_counter,
        terminal: Terminal | None = None,
    ) -> None:
        """Collective; the same configuration on every rank.

        Args:
            clock: a clock in seconds.
            terminal: on rank 0, where steps are shown and timings written; by default nowhere.
        """
        run, recording = with_a_record(run, actions)
        self.run = run
        self.comm = comm.Dup()
        self._reporter = Reporter(self.comm, run, terminal)
        if recording:
            self._reporter.say(recording)
        self.log = self._reporter.log
        self._steps = StepProcessor(self.comm, run, actions, self._reporter, clock)
        self._resources = Resources(self.comm, self._steps.trainer.engine, run.brick_cache)
        self._mesh: Any = None
        self._not_closed: weakref.finalize[..., Session] | None = None
        self._summary: Summary | None = None  # once it is closed
        self.dropped = ""
        """Why what was due at the last step was dropped; else empty. The same on every rank."""
        self._signals: EndSignals | None = None
        if run.signals:
            self._signals = EndSignals(self.comm, "the record is written after this step")
            self._signals.catch()

    @property
    def window(self) -> Window:
        """The temporal window: compressed fields of the last steps."""
        return self._steps.window

    @property
    def actions(self) -> Actions:
        """What the run does; regular actions may be replaced between steps, on all ranks alike."""
        return self._steps.actions

    @actions.setter
    def actions(self, actions: Actions) -> None:
        self._steps.actions = actions

    def warn_if_not_closed(self) -> None:
        """Have rank 0 say so if the process ends, or the session is lost, before `close`. Not
        collective."""
        if self.comm.rank == 0:
            self._not_closed = weakref.finalize(self, self.log.warning, _NOT_CLOSED)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """`close`; after an exception, with several ranks, `abandon`, since the other ranks may not
        come here."""
        if error is None or self.comm.size == 1:
            self.close()
        else:
            self.abandon()

    def on(self, name: str, function: Callback) -> None:
        """Register a Python function. Not collective, but to be called on every rank alike.

        Args:
            name: a trigger, when it fires; or the `callback` of triggers in the run file.
            function: called with an `insitu.queries.triggers.Event`, on every rank. As the callback
                of a trigger without a condition it returns whether the trigger fires, and rank
                0's answer counts. It may communicate, but must then fail on all ranks or none.
                Its exceptions are handled as `on_error` says.

        Raises: ConfigError if there is no trigger or callback of this name.
        """
        self._steps.listeners.add(name, function)

    def check(self, mesh: Any) -> None:
        """Compare a mesh with the run file, before the first step. Collective.

        `execute` does this at its first step; calling `check` finds mistakes earlier.

        Raises: ConfigError on every rank, with the fields that are not published;
            RemoteError on every rank, with the path in the tree that is wrong; RuntimeError after
            `close`.
        """
        if self._summary is not None:
            raise RuntimeError("check: this session is closed; open another one")
        with self._resources.in_use():
            self._steps.check(mesh)

    def publish(self, mesh: Any) -> None:
        """Publish this rank's part of the present step. Not collective.

        mesh: a Blueprint tree: nested mappings or a conduit node, one domain or several, or None
        on a rank without any; or an `insitu.mesh.PublishedStep`. `execute` reads its arrays in
        place and never writes to them; they must not change until it returns.
        """
        self._mesh = mesh

    def execute(self) -> StepReport | None:
        """Process the published step. Collective.

        Returns a report, the same on every rank except for the seconds; None if nothing was due,
        or if the step failed and was logged.

        Raises: with `on_error: raise`, the failure, on every rank (usually RemoteError).
        """
        if self._summary is not None:
            self._refuse("execute")
            return None
        self._steps.budget.enter()
        report, self.dropped = None, ""
        try:
            with self._resources.in_use():
                report = self._steps.run_step(self._mesh)
        except Exception as error:
            self.dropped = str(error)
            self._reporter.failed("step dropped", error)
        finally:
            self._steps.budget.leave()
            self._mesh = None
        self._reporter.show(report)
        if self._signals is not None and (number := self._signals.agreed()):
            self._end_by(number)
        return report

    def close(self) -> Summary:
        """Write the window to the record and the results of queries to `ascent_session.yaml`, and
        free everything. Collective.

        A second call does nothing and returns the same again.

        Raises: RemoteError on every rank, if writing failed and `on_error` is `raise`.
        """
        if self._summary is not None:
            return self._summary
        self._ends()
        try:
            with self._resources.in_use():
                written, failures = self._steps.finish()
            self._summary = self._reporter.summary(written)
            self._reporter.end(self._summary)
            for what, error in failures:
                self._reporter.failed(what, error)
        finally:
            self._summary = self._summary or self._reporter.summary([])
            self._steps.clear()
            if self._signals is not None:
                self._signals.release()
            self.comm.Free()
        return self._summary

    def abandon(self) -> None:
        """Finish the timings of a run that an exception ends. Not collective. What was recorded
        stays in the crash files, for `insitu recover`."""
        self._ends()
        self._reporter.end(None)

    @property
    def record_problem(self) -> str:
        """After `close`: why there is no complete record though the run file asks for one; else
        empty. The same on every rank."""
        return self._steps.recorder.problem

    def _end_by(self, number: int) -> None:
        """Close, on all ranks; then let a signal take its course. Collective."""
        everyone = self.comm.Dup()
        try:
            self.close()
            everyone.Barrier()  # the first rank to die takes the others with it
        finally:
            everyone.Free()
            signal.raise_signal(number)

    def _refuse(self, what: str) -> None:
        text = f"{what}: this session is closed; open another one"
        if self.run.on_error == "raise":
            raise RuntimeError(text)
        if self.log.rank == 0:
            self.log.warning("%s", text)

    def _ends(self) -> None:
        if self._not_closed is not None:
            self._not_closed.detach()
