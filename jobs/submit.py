"""Submits scaling series as jobs of a machine.

In: a machine, series, numbers of nodes. Out: the jobs' scripts in the output folder, submitted;
with --dry-run printed, and nothing done.

    python jobs/submit.py --machine polaris --account PROJECT            # 1 to 128 nodes
    python jobs/submit.py --machine polaris --account PROJECT --dry-run
    python jobs/submit.py --machine here --nodes 1 2 4 8 16 --cells 32   # ranks of this machine
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from machines import MACHINES, Job, Machine, jobs_for

ROOT = Path(__file__).resolve().parents[1]
NODES = (1, 2, 4, 8, 16, 32, 64, 128)  # as in figure 6 of the paper
DIRECTIVES = {"polaris": "#PBS", "slurm": "#SBATCH"}


def scripts(machine: Machine, arguments: argparse.Namespace) -> dict[str, str]:
    """The jobs' scripts by file name. Raises ValueError for what the machine does not take."""
    jobs = jobs_for(machine, arguments.nodes, arguments.queue, arguments.minutes)
    ends = "pbs.sh" if machine.name == "polaris" else "sh"
    return {f"{_name(job, arguments)}.{ends}": _script(machine, job, arguments) for job in jobs}


def _name(job: Job, arguments: argparse.Namespace) -> str:
    series = arguments.series[0] if len(arguments.series) == 1 else "scaling"
    return f"insitu-{series}-{'-'.join(map(str, job.nodes))}"


def _script(machine: Machine, job: Job, arguments: argparse.Namespace) -> str:
    """The machine's template with this job's values.

    Raises ValueError for more cores than a node has.
    """
    ranks, depth = (
        arguments.ranks_per_node or machine.ranks_per_node,
        arguments.depth or machine.depth,
    )
    if machine.cores and ranks * depth > machine.cores:
        raise ValueError(
            f"depth: {ranks} ranks of {depth} cores; a node of {machine.name} has {machine.cores}"
        )
    values = {
        "NAME": _name(job, arguments),
        "ACCOUNT": arguments.account,
        "QUEUE": job.queue,
        "SELECT": job.select,
        "WALLTIME": f"{arguments.minutes // 60:02d}:{arguments.minutes % 60:02d}:00",
        "FILESYSTEMS": arguments.filesystems,
        "ROOT": ROOT,
        "VENV": arguments.venv.resolve(),
        "RANKS_PER_NODE": ranks,
        "DEPTH": depth,
        "NODES": " ".join(map(str, job.nodes)),
        "SERIES": " ".join(arguments.series),
        "CELLS": arguments.cells,
        "STEPS": arguments.steps,
        "ENGINE": arguments.engine,
        "OUTPUT": arguments.output.resolve(),
    }
    lines: list[str] = []
    for line in (Path(__file__).parent / machine.template).read_text().splitlines():
        if line == "@DIRECTIVES@":
            lines += [f"{DIRECTIVES[machine.name]} {text}" for text in arguments.directive]
            continue
        for key, value in values.items():
            line = line.replace(f"@{key}@", str(value))
        if not (line.startswith("#SBATCH") and line.endswith("=")):  # not given: SLURM's default
            lines.append(line)
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--machine", choices=MACHINES, required=True)
    parser.add_argument("--account", default="", help="project; required on polaris")
    parser.add_argument(
        "--queue", default="auto", help="queue or partition; default: the smallest that fits"
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=NODES)
    both = ("strong", "weak")
    parser.add_argument("--series", nargs="+", choices=both, default=list(both))
    parser.add_argument(
        "--cells", type=int, default=256, help="weak: along a side of each rank's cube (256)"
    )
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument(
        "--engine", choices=("auto", "cpu", "cuda", "torch", "tinycudann"), default="auto",
        help="insitu's engine; on GPUs, each rank has its own (auto: cpu)",
    )  # fmt: skip
    parser.add_argument("--minutes", type=int, default=30, help="walltime of each job")
    parser.add_argument("--ranks-per-node", type=int, help="default: the machine's, 4")
    parser.add_argument("--depth", type=int, help="cores of a rank; default: the machine's, 8")
    parser.add_argument("--filesystems", default="home:eagle", help="of polaris")
    parser.add_argument(
        "--directive",
        action="append",
        default=[],
        help="a further line for the queueing system, as in --directive=--constraint=gpu",
    )
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--output", type=Path, default=ROOT / "out/scaling", help="folder")
    parser.add_argument("--dry-run", action="store_true", help="print the scripts, do nothing")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: that of the last submission that failed, else 0; 2 for a wrong command line."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    machine = MACHINES[arguments.machine]
    if machine.name == "polaris" and not arguments.account:
        parser.error("--account: is required on polaris, the name of your project")
    try:
        made = scripts(machine, arguments)
    except ValueError as error:
        parser.error(str(error))
    if arguments.dry_run:
        for name, text in made.items():
            print(f"==> {name} <==\n{text}")
        return 0
    if shutil.which(machine.submit[0]) is None:
        parser.error(
            f"--machine {machine.name}: there is no {machine.submit[0]} here; submit from a login "
            "node, or look at the scripts with --dry-run"
        )
    arguments.output.mkdir(parents=True, exist_ok=True)
    status = 0
    for name, text in made.items():
        path = arguments.output / name
        path.write_text(text)
        print(*machine.submit, path, flush=True)
        status = subprocess.run([*machine.submit, path]).returncode or status
    return status


if __name__ == "__main__":
    sys.exit(main())
