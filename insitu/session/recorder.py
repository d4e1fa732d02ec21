"""The files that outlive a run: the record, the crash copy, the results of queries.

In: recorded steps, the window, the queries' results. Out: files, as the run file asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.config import RunConfig
from insitu.core.parallel import RemoteError, together
from insitu.fields.distributed_field import DistributedField
from insitu.queries import session_file
from insitu.queries.scalars import Result
from insitu.queries.triggers import Query
from insitu.session.reporter import Reporter
from insitu.store.crash_log import CrashLog
from insitu.store.record_writer import RecordWriter, Units
from insitu.store.window import Window

if TYPE_CHECKING:
    from mpi4py import MPI


class Recorder:
    """Writes only what the run file asks for. Methods are collective; failures go to the reporter,
    which raises them or lets the run continue."""

    def __init__(
        self,
        comm: MPI.Comm,
        run: RunConfig,
        window: Window,
        queries: Sequence[Query],
        results: Mapping[str, Sequence[Result]],
        reporter: Reporter,
    ) -> None:
        """results: of each query, by its name; read when they are written."""
        self.comm, self.run, self.window, self.reporter = comm, run, window, reporter
        self._queries, self._results = queries, results
        self._steps_written = 0  # of the queries' results
        self._record: RecordWriter | None = None
        self._crash_log: CrashLog | None = None
        self._told = ""  # the last failure of the crash copy

    def recorded(self, fields: Iterable[DistributedField]) -> None:
        """Write the crash copy of a step that was added to the window."""
        if self._records_on("crash"):
            self._write_crash_copy(fields)

    def triggered(self) -> None:
        """A trigger has fired: write the record, and the results if they have grown by a tenth
        since the last time (the file is written as a whole)."""
        if self._records_on("trigger"):
            self._save()
        if self._n_results >= 1.1 * self._steps_written:
            self._save_results()

    def close(self) -> list[str]:
        """Write the window and the results -> files and folders written."""
        written = []
        try:
            if self._records_on("end"):
                self._save()
            written += [] if self._record is None else [str(self._record.path)]
        except RemoteError as error:
            if self._crash_log is not None:
                self._crash_log.close(remove=False)
                folder, self._crash_log = self._crash_log.folder, None
                self.reporter.warn(f"the window stays in {folder}: insitu recover {folder}")
            self.reporter.failed("record not completed", error)
        if self._crash_log is not None:
            self._crash_log.close(remove=True)
        try:
            written += self._save_results()
        except RemoteError as error:
            self.reporter.failed(f"{session_file.SESSION_FILE} not written", error)
        return written

    def _write_crash_copy(self, fields: Iterable[DistributedField]) -> None:
        record = self.run.record
        assert record is not None
        window = self.window.counts
        try:
            if self._crash_log is None:
                self._crash_log = CrashLog(
                    self.comm, Path(record.scratch), Path(record.path), self._units
                )
            self._crash_log.store(fields, window)
        except RemoteError as error:
            # Reported once, not at every step.
            if self.run.on_error == "raise" or str(error) != self._told:
                self._told = str(error)
                self.reporter.failed("crash copy failed", error)

    @property
    def _units(self) -> Units:
        record = self.run.record
        assert record is not None
        fields = {name: field.unit for name, field in self.run.fields.items() if field.unit}
        return Units(record.length_unit, record.time_unit, fields)

    def _records_on(self, occasion: str) -> bool:
        return self.run.record is not None and occasion in self.run.record.on

    def _save(self) -> None:
        if self._record is None:
            record = self.run.record
            assert record is not None
            self._record = RecordWriter(self.comm, Path(record.path), self._units)
        self._record.append([e for name in self.window.names for e in self.window.entries(name)])

    @property
    def _n_results(self) -> int:
        return max(map(len, self._results.values()), default=0)

    def _save_results(self) -> list[str]:
        if not self._queries:
            return []
        self._steps_written = self._n_results
        path = Path(self.run.output) / session_file.SESSION_FILE
        with together(self.comm, f"write {path}"):
            if self.comm.rank == 0:
                kinds = {query.name: query.expression.kind for query in self._queries}
                session_file.write(path, self._results, kinds)
        return [str(path)]
