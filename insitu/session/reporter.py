"""What a session reports: log lines, failures as `on_error` says, a report of every step.

In: what was done at a step, what went wrong. Out: a StepReport, a Summary at the end, the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.config import RunConfig
from insitu.core.parallel import rank_logger
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.session import report
from insitu.session.report import FieldReport, StepReport, Tally

if TYPE_CHECKING:
    from mpi4py import MPI


class Reporter:
    """Reports for all ranks: rank 0 logs. Methods are called on every rank alike."""

    def __init__(self, comm: MPI.Comm, run: RunConfig) -> None:
        """Not collective."""
        self.comm, self.run = comm, run
        self.log = rank_logger(comm)
        self._tally = Tally()

    def failed(self, what: str, error: Exception) -> None:
        """Raise a failure, the same on every rank, or log it and continue, as `on_error` says. Not
        collective."""
        if self.run.on_error == "raise":
            raise error
        self.warn(f"{what}: {error}")

    def warn(self, text: str) -> None:
        """Not collective."""
        if self.comm.rank == 0:
            self.log.warning("%s", text)

    def info(self, text: str) -> None:
        """Not collective."""
        self.log.info("%s", text)  # the logger is quiet on the other ranks

    def dropped(self, steps: Sequence[Summary], memory: int | None) -> None:
        """The window has dropped steps to stay within its memory limit. Not collective."""
        if steps:
            names = ", ".join(f"{step.name} of cycle {step.cycle}" for step in steps)
            self.warn(f"window: memory of {memory} bytes is full: dropped {names}")

    def step(
        self,
        *,
        cycle: int,
        time: float,
        fields: Mapping[str, DistributedField] | None,
        resampled_db: Mapping[str, float],
        window_nbytes: int,
        seconds: float,
        fired: Sequence[str],
        files: Sequence[Path],
        allowed: float,
        deferred: Sequence[str],
    ) -> StepReport:
        """The report of a step. Collective: one reduction.

        Args:
            fields: what was recorded; None: nothing, for lack of time.
            resampled_db: of fields whose error of resampling was measured, its PSNR.
            window_nbytes: held by this rank.
            The others as in `StepReport`.
        """
        total = np.empty(1, np.int64)
        self.comm.Allreduce(np.array([window_nbytes], np.int64), total)
        found = StepReport(
            cycle=cycle,
            time=time,
            fields=tuple(
                self._field(field.summary, resampled_db.get(name))
                for name, field in (fields or {}).items()
            ),
            window_nbytes=int(total[0]),
            seconds=seconds,
            fired=tuple(fired),
            files=tuple(map(str, files)),
            allowed=allowed,
            skipped=fields is None,
            deferred=tuple(deferred),
        )
        self._tally.add(found)
        return found

    def summary(self, files: Sequence[str]) -> report.Summary:
        """The run so far; files: those written besides the steps' own. Not collective."""
        return self._tally.summary(files)

    def _field(self, summary: Summary, resampled_db: float | None) -> FieldReport:
        wanted, metrics = self.run.fields[summary.name], summary.metrics
        return FieldReport(
            name=summary.name,
            psnr_db=summary.psnr_db,
            ratio=summary.ratio,
            seconds=metrics.seconds,
            iterations=metrics.iterations,
            warm=metrics.warm,
            nbytes=summary.nbytes,
            wanted_db=wanted.psnr,
            wanted_ratio=wanted.ratio,
            max_error=metrics.max_error,
            non_finite=metrics.nan_count + metrics.inf_count,
            resampled_db=resampled_db,
        )
