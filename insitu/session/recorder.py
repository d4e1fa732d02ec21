"""The files that outlive a run: the record, the crash copy, the results of queries.

In: recorded steps, the window, the queries' results. Out: files, as the run file asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.actions import Action
from insitu.config import RunConfig
from insitu.core.parallel import RemoteError, together
from insitu.fields.distributed_field import DistributedField
from insitu.queries.evaluation import on_root
from insitu.queries.restart import Earlier, SessionFile
from insitu.queries.triggers import TriggerEngine
from insitu.session import record_page
from insitu.session.reporter import Reporter
from insitu.store.crash_log import CrashLog
from insitu.store.manifest import Units
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window

if TYPE_CHECKING:
    from mpi4py import MPI

_INCOMPLETE = "record not completed"

Failure = tuple[str, Exception]
"""What went wrong and how, the same on every rank; for `Reporter.failed`."""


class Recorder:
    """Writes only what the run file asks for. Methods are collective; failures go to the reporter,
    which raises them or lets the run continue, or to the caller."""

    def __init__(
        self,
        comm: MPI.Comm,
        run: RunConfig,
        window: Window,
        reactions: TriggerEngine[Action],
        reporter: Reporter,
    ) -> None:
        """reactions: whose results and states are read when they are written.

        Raises ConfigError on every rank if the record cannot be written where it should be, or
        another run writes there.
        """
        self.comm, self.run, self.window, self.reporter = comm, run, window, reporter
        self._reactions = reactions
        self._steps_written = 0  # of the queries' results
        overwrite = run.record is not None and run.record.overwrite
        self._session_file = SessionFile(
            self._results_path,
            {query.name: query.expression for query in reactions.queries},
            overwrite=overwrite,
        )
        self._record: RecordWriter | None = None
        if run.record is not None and not {"trigger", "end"}.isdisjoint(run.record.on):
            self._record = RecordWriter(
                comm,
                Path(run.record.path),
                self._units,
                overwrite=run.record.overwrite,
                key_every=run.record.key_every,
            )
        self._unsaved = False  # the last attempt to write the record failed
        self._crash_log: CrashLog | None = None
        self._had_crash_log = False
        self._told = ""  # the last failure of the crash copy
        self.problem = ""
        """Why there is no complete record at the end, though the run file asks for one."""

    def resume(self, cycle: int) -> None:
        """Before the first step is evaluated: queries and triggers go on from what an earlier run
        left of the time before this cycle."""
        reactions = self._reactions
        if not (reactions.queries or reactions.states):
            return
        conditions = {name: condition for name, (condition, _) in reactions.states.items()}
        earlier: Earlier = on_root(
            self.comm,
            str(self._results_path),
            lambda: self._session_file.resume(cycle, conditions),
        )
        reactions.resume(earlier.results, earlier.states)
        if earlier.problem:
            self.reporter.warn(earlier.problem)
        if earlier.told:
            self.reporter.say(earlier.told)
            if reactions.past:
                names = ", ".join(sorted(reactions.past))
                self.reporter.warn(
                    f"earlier steps of {names} are not read from the record: an expression that "
                    "needs one has no value until this run has recorded it"
                )

    def recorded(self, fields: Iterable[DistributedField]) -> None:
        """Write the crash copy of a step that was added to the window."""
        if self._records_on("crash"):
            self._write_crash_copy(list(fields))

    def triggered(self) -> list[Failure]:
        """A trigger has fired: write the record, and the results if they have grown by a tenth
        since the last time (the file is written as a whole). Returns what failed."""
        failures: list[Failure] = []
        if self._records_on("trigger"):
            failures += self._attempt("record not written", self._save)
        if self._n_results >= 1.1 * self._steps_written:
            failures += self._attempt(self._no_results, self._save_results)
        return failures

    def close(self) -> tuple[list[str], list[Failure]]:
        """Write the window and the results -> files and folders written; what failed."""
        written: list[str] = []
        failures: list[Failure] = []
        if self._record is not None:
            if self._records_on("end") or self._unsaved:
                failures += self._attempt(_INCOMPLETE, self._save)
            again = self._attempt(_INCOMPLETE, self._record.close)
            failures += [] if failures else again
            if failures:
                self.problem = f"record not completed: {failures[0][1]}"
            elif not self._record.empty:
                written.append(str(self._record.path))
            elif self._records_on("end"):
                self.problem = f"no step was recorded, so there is no record {self._record.path}"
        if self._crash_log is not None:
            folder = self._crash_log.folder
            if failures:
                self.reporter.warn(f"the window stays in {folder}: insitu recover {folder}")
            remove = not failures
            failures += self._attempt(
                "crash files not removed", lambda: self._end_crash_log(remove)
            )
        failures += self._attempt(self._no_results, self._save_results)
        written += [str(self._results_path)] if self._has_results else []
        page = None if self._record is None or self._record.empty else self._page
        if page is not None:
            unwritten = self._attempt(f"{page} not written", self._save_page)
            failures += unwritten
            written = written if unwritten else [str(page), *written]
        return written, failures

    @property
    def _page(self) -> Path | None:
        """Where the record is to be written as a page."""
        record = self.run.record
        return None if record is None or not record.html else Path(record.html)

    def _save_page(self) -> None:
        path, record = self._page, self._record
        assert path is not None and record is not None
        with together(self.comm, str(path)):
            if self.comm.rank == 0:
                record_page.write(path, record.path, self._results_path)

    @property
    def _results_path(self) -> Path:
        return Path(self.run.output) / f"{self.run.session_name}.yaml"

    def _attempt(self, what: str, write: Callable[[], None]) -> list[Failure]:
        try:
            write()
        except RemoteError as error:
            return [(what, error)]
        return []

    def _write_crash_copy(self, fields: Sequence[DistributedField]) -> None:
        try:
            if self._crash_log is None:
                self._start_crash_log()
                return
            try:
                self._crash_log.store(fields, self.window.counts)
            except RemoteError as error:
                if not self._crash_log.gone():
                    raise
                self.reporter.warn(f"{error}; the crash files are made again")
                self._end_crash_log(remove=False)
                self._start_crash_log()
        except RemoteError as error:
            # Reported once, not at every step.
            if self.run.on_error == "raise" or str(error) != self._told:
                self._told = str(error)
                self.reporter.failed("crash copy failed", error)

    def _start_crash_log(self) -> None:
        """Make the crash files, with all of the window, which has the step already."""
        record = self.run.record
        assert record is not None
        scratch, path = Path(record.scratch), Path(record.path)
        log = CrashLog(self.comm, scratch, path, self._units, remake=self._had_crash_log)
        self._crash_log, self._had_crash_log = log, True
        counts = self.window.counts
        for entry in (e for name in self.window.names for e in self.window.entries(name)):
            held: list[DistributedField] = []
            with together(self.comm, "window"):
                held = [entry.open()]
            log.store(held, counts)

    def _end_crash_log(self, remove: bool) -> None:
        log, self._crash_log = self._crash_log, None
        assert log is not None
        with together(self.comm, f"crash files in {log.folder}"):
            log.close(remove=remove)

    @property
    def _units(self) -> Units:
        record = self.run.record
        assert record is not None
        fields = {name: field.unit for name, field in self.run.fields.items() if field.unit}
        return Units(record.length_unit, record.time_unit, fields)

    def _records_on(self, occasion: str) -> bool:
        return self.run.record is not None and occasion in self.run.record.on

    def _save(self) -> None:
        assert self._record is not None
        self._unsaved = True
        entries = [e for name in self.window.names for e in self.window.entries(name)]
        if told := self._record.append(entries):
            self.reporter.warn(told)
        self._unsaved = False

    @property
    def _no_results(self) -> str:
        return f"{self.run.session_name}.yaml not written"

    @property
    def _has_results(self) -> bool:
        """Whether there are queries, or triggers whose past matters."""
        return bool(self._reactions.queries or self._reactions.states)

    @property
    def _n_results(self) -> int:
        return max(map(len, self._reactions.results.values()), default=0)

    def _save_results(self) -> None:
        if not self._has_results:
            return
        self._steps_written = self._n_results
        told = ""
        with together(self.comm, f"write {self._results_path}"):
            if self.comm.rank == 0:
                told = self._session_file.write(self._reactions.results, self._reactions.states)
        if told:
            self.reporter.warn(told)
