"""The report of a run: a line per recorded step, a table at the end, the timings as a file.

In: a StepReport at every recorded step, the Summary at the end.
Out: text on the terminal, `insitu_timings.csv`.
"""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from insitu.core.atomic_file import set_aside, temporary
from insitu.core.limits import byte_size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

TIMINGS_FILE = "insitu_timings.csv"
# Between samples, where it is estimated, the PSNR may be this much below the target.
_BETWEEN_DB = 0.3


@dataclass(frozen=True, kw_only=True)
class FieldReport:
    """How one field was recorded at one step, over all ranks."""

    name: str
    psnr_db: float
    """Decoded against raw data, over all ranks' owned samples; infinite if exact."""
    ratio: float
    """Raw bytes over compressed bytes, of all ranks."""
    seconds: float
    """Training time of the slowest rank."""
    iterations: int
    """Most iterations on any rank."""
    warm: bool
    """Training began with the weights of an earlier step."""
    nbytes: int
    """Compressed bytes of all ranks."""
    wanted_db: float | None = None
    """The PSNR that the run file asks for, if it does."""
    wanted_ratio: float | None = None
    """The ratio that the run file asks for, if it does."""
    max_error: float = math.nan
    """Largest error of any finite sample, decoded against raw data, in the field's unit."""
    max_error_of_range: float = math.nan
    """The same as a fraction of the global range, of vectors the largest one."""
    between_db: float = math.nan
    """PSNR halfway between samples, estimated, against trilinear values of the raw data."""
    gradient_db: float = math.nan
    """PSNR of the gradient relative to its largest length, by differences between samples."""
    normals_deg: float = math.nan
    """Mean angle in degrees between the normals of isosurfaces of the decoded and the raw data."""
    non_finite: int = 0
    """Number of NaN and Inf among the raw samples of all ranks; excluded from everything else."""
    resampled_db: float | None = None
    """Of a mesh of cells, at the field's first recorded step: the PSNR at the mesh's own points of
    the samples that the network is fitted to."""

    chosen: str = ""
    """Which models `model: auto` chose, and why; empty with a given model."""

    @property
    def short_db(self) -> float:
        """How far the PSNR is below what the run file asks for; 0 if it asks for none."""
        return 0.0 if self.wanted_db is None else max(0.0, self.wanted_db - self.psnr_db)

    @property
    def missed(self) -> str:
        """The target that was missed, as text for the line; usually nothing."""
        if self.wanted_db is not None and self.short_db > 0:
            return f" of the {self.wanted_db:g} dB wanted"
        if self.wanted_db is not None and self.between_db < self.wanted_db - _BETWEEN_DB:
            return f" ({decibels(self.between_db)} between samples)"
        if self.wanted_ratio is not None and self.ratio < self.wanted_ratio:
            return f" of the ratio {self.wanted_ratio:g} wanted"
        return ""


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What insitu did at one step; the same on every rank."""

    cycle: int
    time: float
    """Simulation time, in the simulation's unit."""
    fields: tuple[FieldReport, ...]
    window_nbytes: int
    """Bytes of all steps in the window, of all ranks."""
    seconds: float
    """Wall-clock time of `execute` on the slowest rank."""
    fired: tuple[str, ...] = ()
    """Names of the triggers that fired."""
    files: tuple[str, ...] = ()
    """Pictures written."""
    allowed: float = math.inf
    """Seconds that the budget allowed for the step."""
    skipped: bool = False
    """Nothing was recorded: the budget left no time for it."""
    deferred: tuple[str, ...] = ()
    """Scenes and extracts deferred for lack of time."""


@dataclass(frozen=True, kw_only=True)
class FieldSummary:
    """How one field was recorded over a run."""

    name: str
    steps: int
    psnr_min_db: float
    psnr_mean_db: float
    ratio: float
    """Raw bytes over compressed bytes, of all steps."""
    seconds_cold: float
    """Mean training time of steps that began with new weights; NaN if there were none."""
    seconds_warm: float
    """Mean training time of steps that began with earlier weights; NaN if there were none."""
    steps_short: int
    """Steps below the PSNR that the run file asks for."""
    short_db: float
    """How far the worst of them was below it."""
    max_error_of_range: float
    """Largest error of all steps, as a fraction of the range at its step."""
    gradient_db: float
    """Lowest PSNR of the gradient; NaN where it was not measured."""
    normals_deg: float
    """Largest mean angle of a step between normals, in degrees; NaN where it was not measured."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What insitu did in a run."""

    steps: int
    """Steps at which something was recorded."""
    seconds: float
    """Wall-clock time spent in insitu at those steps."""
    fields: tuple[FieldSummary, ...]
    files: tuple[str, ...]
    """All files and record folders written."""
    skipped: int = 0
    """Steps that were due and not recorded, because the budget left no time for them."""


@dataclass
class Tally:
    """Adds up step reports. Not collective; keeps a few numbers per field and step."""

    steps: int = 0
    skipped: int = 0
    seconds: float = 0.0
    fields: dict[str, list[FieldReport]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def add(self, report: StepReport) -> None:
        self.steps += not report.skipped
        self.skipped += report.skipped
        self.seconds += report.seconds
        for entry in report.fields:
            self.fields.setdefault(entry.name, []).append(entry)
        self.files += report.files

    def summary(self, more_files: Sequence[str] = ()) -> Summary:
        """The run so far; `more_files` were written by others than the steps, e.g. the record."""
        return Summary(
            steps=self.steps,
            seconds=self.seconds,
            fields=tuple(_field_summary(name, entries) for name, entries in self.fields.items()),
            # What is opened by a double click comes first.
            files=tuple(
                sorted((*self.files, *more_files), key=lambda name: Path(name).suffix != ".html")
            ),
            skipped=self.skipped,
        )


def _field_summary(name: str, entries: Sequence[FieldReport]) -> FieldSummary:
    compressed = sum(entry.nbytes for entry in entries)
    raw = sum(entry.ratio * entry.nbytes for entry in entries)
    return FieldSummary(
        name=name,
        steps=len(entries),
        psnr_min_db=min(entry.psnr_db for entry in entries),
        psnr_mean_db=_mean([entry.psnr_db for entry in entries]),
        ratio=raw / compressed if compressed else math.nan,
        seconds_cold=_mean([entry.seconds for entry in entries if not entry.warm]),
        seconds_warm=_mean([entry.seconds for entry in entries if entry.warm]),
        steps_short=sum(entry.short_db > 0 for entry in entries),
        short_db=max(entry.short_db for entry in entries),
        max_error_of_range=max(entry.max_error_of_range for entry in entries),
        gradient_db=min(entry.gradient_db for entry in entries),
        normals_deg=max(entry.normals_deg for entry in entries),
    )


class Terminal:
    """Prints the progress of the run on rank 0, and writes the timings. For rank 0 only.

    Lines are plain; with `progress`, a bar stays below them where standard output is a terminal.
    The timings are collected in a hidden file, from the first recorded step on, which `close`
    renames when it is complete.
    """

    def __init__(
        self,
        output: Path,
        *,
        quiet: bool = False,
        progress: bool = False,
        steps: int | None = None,
    ) -> None:
        """output: the folder, which is made when there is something to write. steps: of the whole
        run, for the bar. Raises OSError if the folder cannot be made or written to."""
        from rich.console import Console

        # What is no terminal has no width, and its lines are not to be broken.
        width = None if sys.stdout.isatty() else 120
        self.console: Console = Console(quiet=quiet, highlight=False, width=width)
        self.path = output / TIMINGS_FILE
        _check_writable(output)
        self._tmp = temporary(self.path)
        self._file: TextIO | None = None
        self._progress: Progress | None = None
        if progress and self.console.is_terminal and not quiet:
            self._progress = _progress_bar(self.console, steps)

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(self._shown(text), markup=False, soft_wrap=True)

    def step(self, report: StepReport | None) -> None:
        """The simulation has done a step; report: what insitu did at it, if anything. Raises
        OSError if the timings cannot be written."""
        import csv  # here: rank 0 alone writes it

        if self._progress:
            self._progress.advance(self._progress.task_ids[0])
        if report is None:
            return
        self.say(step_line(report))
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._tmp.open("w", newline="", encoding="utf-8")
            csv.writer(self._file).writerow(_COLUMNS)
        csv.writer(self._file).writerows(_rows(report))
        self._file.flush()

    def close(self, summary: Summary | None) -> None:
        """Finish the timings file; print the table and the files if the run came to its end. Raises
        OSError."""
        if self._progress:
            self._progress.stop()
        timings: tuple[str, ...] = ()
        if self._file is not None:
            self._file.close()
            self._file = None
            aside = set_aside(self.path)
            os.replace(self._tmp, self.path)
            timings = (str(self.path),)
            if aside is not None:
                self.say(f"{self.path} of an earlier run is now {aside}")
        if summary is None:
            return
        if summary.fields:
            self.console.print(_table(summary, self._shown))
        files = (*summary.files, *timings)
        if files:
            self.say("Wrote:")
        for line in grouped(files):
            self.say(f"  {line}")

    def _shown(self, text: str) -> str:
        """The text with "?" for what the terminal's encoding lacks: no name may end a step."""
        encoding = self.console.encoding
        return text.encode(encoding, "replace").decode(encoding)


def _check_writable(folder: Path) -> None:
    """Raise OSError where `folder` could not be made, or nothing be written to it."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


def step_line(report: StepReport) -> str:
    """One line on a recorded step: when, what was trained and how well, what it cost."""
    parts = [f"cycle {report.cycle:>6}  time {report.time:<10.4g}"]
    for entry in report.fields:
        short = (entry.missed, "") if entry.wanted_ratio is None else ("", entry.missed)
        quality = f"{decibels(entry.psnr_db)}{short[0]} {times(entry.ratio)}{short[1]}"
        start = "warm" if entry.warm else "cold"
        chosen = f", {entry.chosen}" if entry.chosen else ""
        masked = f", {entry.non_finite} NaN or Inf" if entry.non_finite else ""
        resampled = ""
        if entry.resampled_db is not None:
            resampled = f", resampled {decibels(entry.resampled_db)}"
        parts.append(
            f"{entry.name} {quality} {entry.seconds:.2f} s {start}{chosen}{masked}{resampled}"
        )
    if report.skipped:
        parts.append(f"skipped: the budget of {max(report.allowed, 0):.2g} s leaves no time")
    parts.append(f"{report.seconds:.2f} s, window {byte_size(report.window_nbytes)}")
    if report.fired:
        parts.append(f"fired {', '.join(report.fired)}")
    if report.deferred:
        parts.append(f"deferred: {', '.join(dict.fromkeys(report.deferred))}")
    if report.files:
        parts.append(f"{len(report.files)} pictures" if len(report.files) > 1 else "1 picture")
    return " | ".join(parts)


def decibels(psnr_db: float) -> str:
    """ "41.2 dB", "exact", or "-" where it is not known."""
    if math.isnan(psnr_db):
        return "-"
    return "exact" if psnr_db == math.inf else f"{psnr_db:.1f} dB"


def times(ratio: float) -> str:
    """ "212x", "4.3x"."""
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.1f}x"


_COLUMNS = (
    "cycle",
    "time",
    "field",
    "psnr_db",
    "max_error",
    "between_db",
    "gradient_db",
    "normals_deg",
    "ratio",
    "nbytes",
    "iterations",
    "warm",
    "non_finite",
    "short_db",
    "train_seconds",
    "step_seconds",
    "allowed_seconds",
    "skipped",
    "window_nbytes",
    "fired",
)


def _rows(report: StepReport) -> list[tuple[Any, ...]]:
    """The lines of the timings for one step: one per field, or one without a field."""
    fired = " ".join(report.fired)
    after = (
        f"{report.seconds:.6f}",
        f"{report.allowed:.6f}",
        int(report.skipped),
        report.window_nbytes,
        fired,
    )
    before = (report.cycle, repr(report.time))
    return [
        (
            *before,
            entry.name,
            f"{entry.psnr_db:.4f}",
            f"{entry.max_error:.6g}",
            f"{entry.between_db:.4f}",
            f"{entry.gradient_db:.4f}",
            f"{entry.normals_deg:.4f}",
            f"{entry.ratio:.4f}",
            entry.nbytes,
            entry.iterations,
            int(entry.warm),
            entry.non_finite,
            f"{entry.short_db:.4f}",
            f"{entry.seconds:.6f}",
            *after,
        )
        for entry in report.fields
    ] or [(*before, *[""] * 13, *after)]


def _progress_bar(console: Console, steps: int | None) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("step"), MofNCompleteColumn(), BarColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True)
    progress.add_task("steps", total=steps)
    progress.start()
    return progress


def _table(summary: Summary, shown: Callable[[str], str]) -> Any:
    from rich.table import Table

    skipped = f" ({summary.skipped} more skipped by the budget)" if summary.skipped else ""
    title = f"recorded steps: {summary.steps}{skipped}, {summary.seconds:.1f} s in insitu"
    table = Table(title=title, title_justify="left")
    table.add_column("field")
    heads = ["steps", "PSNR min", "PSNR mean", "max error", "gradient", "normals"]
    heads += ["ratio", "s cold", "s warm"]
    short = any(entry.steps_short for entry in summary.fields)
    for head in [*heads, "short of target"] if short else heads:
        table.add_column(head, justify="right")
    for entry in summary.fields:
        table.add_row(
            shown(entry.name),
            str(entry.steps),
            decibels(entry.psnr_min_db),
            decibels(entry.psnr_mean_db),
            f"{entry.max_error_of_range:.2%}",
            decibels(entry.gradient_db),
            "-" if math.isnan(entry.normals_deg) else f"{entry.normals_deg:.1f} deg",
            times(entry.ratio),
            _seconds(entry.seconds_cold),
            _seconds(entry.seconds_warm),
            *([_shortfall(entry)] if short else []),
        )
    return table


def _shortfall(entry: FieldSummary) -> str:
    """ "3 steps, by 1.2 dB" at most, or nothing."""
    return f"{entry.steps_short} steps, by {entry.short_db:.1f} dB" if entry.steps_short else ""


def grouped(files: Sequence[str]) -> list[str]:
    """File names, those of long series shortened to the first and the last."""
    series: dict[str, list[str]] = {}
    for name in dict.fromkeys(files):
        series.setdefault("".join(c for c in name if not c.isdigit()), []).append(name)
    lines = []
    for names in series.values():
        long = len(names) > 4
        lines += [f"{names[0]} ... {names[-1]} ({len(names)} files)"] if long else names
    return lines


def _seconds(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{seconds:.2f}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
