"""What a session reports: log lines, failures as `on_error` says, a report of every step.

In: what was done at a step, what went wrong. Out: a StepReport, a Summary at the end, the log.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.config import RunConfig
from insitu.core.errors import ConfigError
from insitu.core.limits import byte_size
from insitu.core.parallel import rank_logger
from insitu.fields.distributed_field import Choice, DistributedField, Summary
from insitu.models.registry import NETWORK
from insitu.models.sparse_grid.model import SparseGrid
from insitu.session import report
from insitu.session.report import FieldReport, StepReport, Tally, Terminal

if TYPE_CHECKING:
    from mpi4py import MPI


def terminal(comm: MPI.Comm, output: str, **options: Any) -> Terminal | None:
    """Where steps are shown: a Terminal on rank 0, nothing on the others. Collective.

    options: as `Terminal` takes them. Raises ConfigError on every rank if `output` cannot be
    written to.
    """
    found: Terminal | None = None
    refusal = ""
    if comm.rank == 0:
        try:
            found = Terminal(Path(output), **options)
        except OSError as error:
            refusal = f"output: cannot write to {output!r}: {error.strerror}"
    refusal = comm.bcast(refusal)
    if refusal:
        raise ConfigError([refusal])
    return found


class Reporter:
    """Reports for all ranks: rank 0 logs. Methods are called on every rank alike."""

    def __init__(self, comm: MPI.Comm, run: RunConfig, terminal: Terminal | None = None) -> None:
        """terminal: where rank 0 shows the steps; by default nowhere. Not collective."""
        self.comm, self.run = comm, run
        self.log = rank_logger(comm)
        self._tally, self._terminal = Tally(), terminal
        self._failures: dict[str, int] = {}
        self._cycles: list[int] = []  # the first and the last at which nothing was due

    def failed(self, what: str, error: Exception) -> None:
        """Raise a failure, the same on every rank, or log it and continue, as `on_error` says. What
        fails again in the same words is logged once, and counted. Not collective."""
        if self.run.on_error == "raise":
            raise error
        text = f"{what}: {error}"
        self._failures[text] = self._failures.get(text, 0) + 1
        if self._failures[text] == 1:
            self.warn(text)

    def say(self, text: str) -> None:
        """Show a line, or log it where nothing is shown. Not collective."""
        if self._terminal is not None:
            self._terminal.say(text)
        else:
            self.info(text)

    def idle(self, cycle: int) -> None:
        """Nothing was due at this step. Not collective."""
        self._cycles = [*self._cycles[:1], cycle]

    def show(self, report: StepReport | None) -> None:
        """Show a step, and write its timings. Not collective."""
        self._on_terminal(lambda terminal: terminal.step(report))

    def end(self, summary: report.Summary | None) -> None:
        """Show the end of the run: `summary`, or, after an exception, nothing but the timings. Not
        collective."""
        for text, count in self._failures.items():
            if count > 1:
                self.warn(f"{text} ({count} times in all)")
        if summary is not None and self.run.fields and not summary.steps:
            self._explain_nothing()
        self._on_terminal(lambda terminal: terminal.close(summary))

    def _explain_nothing(self) -> None:
        """Warn where nothing was recorded because no cycle was one of the window's."""
        every = self.run.window.every
        if self._cycles and -(-self._cycles[0] // every) * every > self._cycles[-1]:
            self.warn(
                f"nothing was recorded: no cycle from {self._cycles[0]} to {self._cycles[-1]} is a "
                f"multiple of {every} (window.every)"
            )

    def _on_terminal(self, act: Callable[[Terminal], None]) -> None:
        """A full disk costs the timings, not the step."""
        if self._terminal is None:
            return
        try:
            act(self._terminal)
        except OSError as error:
            self._terminal = None
            self.warn(f"{report.TIMINGS_FILE} not written: {error}")

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
        fidelity = summary.fidelity
        extent = float(np.max(summary.extents, initial=0.0))
        return FieldReport(
            name=summary.name,
            psnr_db=summary.psnr_db,
            ratio=summary.ratio,
            seconds=metrics.seconds,
            iterations=metrics.iterations,
            warm=metrics.warm,
            nbytes=summary.nbytes,
            wanted_db=wanted.wanted_db,
            wanted_ratio=wanted.ratio,
            max_error=metrics.max_error,
            max_error_of_range=metrics.max_error / extent if extent > 0 else 0.0,
            between_db=summary.psnr_db - fidelity.lost_between_db if fidelity else math.nan,
            gradient_db=fidelity.gradient.psnr_db if fidelity else math.nan,
            normals_deg=fidelity.gradient.normals_deg if fidelity else math.nan,
            non_finite=metrics.nan_count + metrics.inf_count,
            resampled_db=resampled_db,
            chosen="; ".join(map(_chosen, summary.choices)),
        )


def _chosen(choice: Choice) -> str:
    """ "sparse_grid 4 blocks (1.2 KiB, hash_grid about 3.4 KiB)"."""
    (other,) = {SparseGrid.kind, NETWORK} - {choice.kind}
    blocks = "1 block" if choice.n_blocks == 1 else f"{choice.n_blocks} blocks"
    against = f", {other} about {byte_size(choice.other_nbytes)}" if choice.other_nbytes else ""
    return f"{choice.kind} {blocks} ({byte_size(choice.nbytes)}{against})"
