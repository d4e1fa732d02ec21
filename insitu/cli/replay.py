"""insitu replay: queries, triggers, scenes and extracts over the steps of a record.

In: a record or an insitu file, a file of actions. Out: what the actions write, in a folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.cli import output, record_source
from insitu.core.errors import ConfigError, nearest

if TYPE_CHECKING:
    from mpi4py import MPI

    from insitu.actions import Actions
    from insitu.session.replay import Moment, Report
    from insitu.store.shared_series import SharedSeries
    from insitu.store.time_series import StepCount

SUMMARY = "run actions on a record"
DESCRIPTION = (
    "Run queries, triggers, pipelines, scenes and extracts over the steps of a record, oldest "
    "first, as if the simulation ran again: each recorded step is the present in turn, the earlier "
    "ones the past. Works on any number of ranks."
)
COLLECTIVE = True
EXAMPLES = """\
examples:
  insitu replay out/record ascent_actions.yaml
  mpiexec -n 3 insitu replay out/record run.yaml --out pictures --steps 4..9
  insitu replay out/record run.yaml --results out/ascent_session.yaml
  insitu replay out/record run.yaml --skip-missing --fire shock@92
  insitu replay density.insitu actions.yaml --out pictures

Every recorded step is due, and scenes and extracts see all steps up to the present one. In a run
file, `actions`, `window.every` and `window.steps` apply. Queries and triggers are evaluated only at
recorded steps; the results of the run's queries at all steps are in its ascent_session.yaml.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    record_source.add_argument(parser)
    parser.add_argument(
        "actions", metavar="ACTIONS", help="a list of actions as for Ascent, or a run file"
    )
    parser.add_argument(
        "--out", metavar="FOLDER", help="folder for results; default: replay, next to RECORD"
    )
    parser.add_argument(
        "--steps",
        default="all",
        metavar="N|A..B|all",
        help="steps to replay, by index, negative from the end; earlier steps are still the past; "
        "default: all",
    )
    parser.add_argument(
        "--field",
        action="append",
        metavar="NAME",
        help="use only this field; may be repeated; default: all",
    )
    parser.add_argument(
        "--window",
        metavar="N|all",
        help="number of steps, up to the present one, in the window; default: window.steps of a "
        "run file, else all",
    )
    parser.add_argument(
        "--results",
        metavar="FILE",
        help="ascent_session.yaml of the run, for results of queries on fields that are not in the "
        "record",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="leave out whatever reads a field that is not recorded; default: an error",
    )
    parser.add_argument(
        "--fire",
        action="append",
        default=[],
        metavar="NAME@CYCLE",
        help="fire a trigger at a cycle, whatever its condition; may be repeated",
    )
    parser.add_argument(
        "--no-code",
        action="store_true",
        help="refuse actions that run Python: callbacks and scripts; for actions of others. The "
        "environment variable INSITU_NO_CODE=1 does this everywhere",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Collective over MPI's world.

    Raises ConfigError before any work; RemoteError after everything that could be done.
    """
    from insitu.core import code, launcher
    from insitu.core.parallel import cpu_share
    from insitu.engines import threads

    comm = launcher.world()
    if arguments.no_code:
        code.forbid()
    with threads.sharing(cpu_share(comm, threads.cpus())):
        return _run(comm, arguments)


def _run(comm: MPI.Comm, arguments: argparse.Namespace) -> bool:
    from insitu.core.parallel import RemoteError, together
    from insitu.session.replay import Replay

    with together(comm, arguments.input):
        job = Job.of(comm, arguments)
    tell = _teller(comm)
    for text in job.left_out:
        tell(f"left out: {text}")
    replay = Replay(
        comm,
        job.series,
        job.actions,
        job.folder,
        window=job.window,
        every=job.every,
        fire=job.fire,
        periodic=job.periodic,
        tell=tell,
    )
    with output.progress_bar("steps", comm.rank == 0) as progress:
        report = replay.run(job.steps, progress)
    if comm.rank == 0:
        _print(arguments, job, report)
    if report.failed:
        n = len(report.failed)
        things = "1 action" if n == 1 else f"{n} actions"
        raise RemoteError(f"{things} failed (see above); all others are complete", 0)
    return True


@dataclass(frozen=True)
class Job:
    """What to do, checked."""

    series: SharedSeries
    actions: Actions
    steps: Sequence[Moment]
    window: StepCount
    every: int
    fire: dict[str, set[int]]
    periodic: Sequence[str]
    folder: Path
    left_out: Sequence[str]

    @staticmethod
    def of(comm: MPI.Comm, arguments: argparse.Namespace) -> Job:
        """Raises ConfigError with what is wrong and what is valid. Not collective."""
        from insitu import actions, config
        from insitu.queries import known_results
        from insitu.session.replay import moments

        source = record_source.open_file(arguments.input)
        series = record_source.shared(comm, source, arguments.field)
        run, places = config.read_actions(Path(arguments.actions))
        n_components = {name: n for name, (_, n) in series.kinds.items()}
        units = record_source.units(source)
        found, left_out = actions.parse_for_record(run, places, n_components, units)
        cycles = [cycle for cycle, _ in moments(series)]
        fire = _fire(arguments.fire, [trigger.name for trigger in found.triggers], cycles)
        results = {} if arguments.results is None else known_results.read(Path(arguments.results))
        found, absent = actions.without_fields(found, series.names, fire, results)
        left_out = [*absent, *left_out]
        if left_out and not arguments.skip_missing:
            raise ConfigError([_missing(arguments, series.names, left_out, cycles)])
        if not (found.queries or found.triggers or found.due):
            raise ConfigError([f"{arguments.actions}: no action is left to run"])
        steps = moments(series, found.fields)
        if not steps:
            names = ", ".join(sorted(found.fields))
            raise ConfigError([f"{arguments.input}: no step has all of {names}"])
        chosen = record_source.chosen_steps(arguments.steps, len(steps), "--steps", arguments.input)
        folder = Path(arguments.out or Path(arguments.input).resolve().parent / "replay")
        if folder.exists() and not folder.is_dir():
            raise ConfigError([f"--out: {folder} is not a folder"])
        return Job(
            series=series,
            actions=found,
            steps=[steps[i] for i in chosen],
            window=run.window.steps if arguments.window is None else _window(arguments.window),
            every=run.window.every,
            fire=fire,
            periodic=run.periodic,
            folder=folder,
            left_out=left_out,
        )


def _fire(
    given: Sequence[str], triggers: Sequence[str], cycles: Sequence[int]
) -> dict[str, set[int]]:
    """NAME@CYCLE -> the cycles of each trigger."""
    found: dict[str, set[int]] = {}
    for text in given:
        name, at, cycle = text.rpartition("@")
        if not at or not cycle.lstrip("-").isdecimal():
            raise ConfigError([f"--fire: {text!r} is not of the form NAME@CYCLE, as in shock@92"])
        if name not in triggers:
            hint = nearest(name, triggers) or f" (there are {', '.join(triggers) or 'none'})"
            raise ConfigError([f"--fire: no trigger {name!r}{hint}"])
        if int(cycle) not in cycles:
            there = ", ".join(map(str, cycles))
            raise ConfigError([f"--fire: cycle {cycle} is not recorded; recorded cycles: {there}"])
        found.setdefault(name, set()).add(int(cycle))
    return found


def _missing(
    arguments: argparse.Namespace,
    names: Sequence[str],
    problems: Sequence[str],
    cycles: Sequence[int],
) -> str:
    lines = [f"{arguments.input} has the fields {', '.join(names)}; the actions read others:"]
    lines += [f"  {problem}" for problem in problems]
    if any(text.startswith("query ") for text in problems):
        lines.append("--results FILE reads results of queries from the run's ascent_session.yaml")
    triggers = [text.split()[1] for text in problems if text.startswith("trigger ")]
    if triggers:
        there = ", ".join(map(str, cycles))
        lines.append(
            f"--fire {triggers[0]}@CYCLE runs the actions of a trigger, whatever its condition "
            f"(cycles: {there})"
        )
    lines.append("--skip-missing leaves these out")
    return "\n".join(lines)


def _window(text: str) -> StepCount:
    if text == "all":
        return "all"
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError([f"--window: {text!r} is neither a number of steps nor all"])
    return int(text)


def _teller(comm: MPI.Comm) -> Callable[[str], None]:
    """Prints warnings on rank 0 as they occur."""

    def tell(text: str) -> None:
        if comm.rank == 0:
            print(f"insitu: {text}", file=sys.stderr, flush=True)

    return tell


def _print(arguments: argparse.Namespace, job: Job, report: Report) -> None:
    if arguments.json:
        output.print_json(
            {
                "output": str(job.folder),
                "fields": job.series.names,
                "cycles": report.cycles,
                "fired": [{"trigger": name, "cycle": cycle} for name, cycle in report.fired],
                "files": report.files,
                "left_out": job.left_out,
                "failed": report.failed,
            }
        )
        return
    from insitu.session.report import grouped

    cycles = report.cycles
    ends = f"{cycles[0]} to {cycles[-1]}, {len(cycles)} steps" if len(cycles) > 1 else f"{cycles}"
    fired = ", ".join(f"{name} at {cycle}" for name, cycle in report.fired)
    rows = {
        "fields": ", ".join(job.series.names),
        "cycles": ends.strip("[]"),
        "fired": fired or "no trigger",
        "files": "\n".join(grouped(list(dict.fromkeys(report.files)))) or "none",
    }
    output.print_table(str(job.folder), rows)
