"""How well a step keeps to its budget: the CloverLeaf example with less and less time for insitu.

In: the CloverLeaf example on the ranks it is started with. Out: a table.

    mpiexec -n 4 python benchmarks/budget.py [--cycles 400] [--every 2] [--cells 96]
        [--seconds 1 0.3 0.1 ...] [--fractions 0.2 0.05 ...] [--json FILE]

A step's cost is the wall-clock time from when all ranks have come to it until the last of them goes
on: two barriers around `Session.execute`. It is compared with what the budget allowed that step.
Fields and targets are the example's; there are no pictures. With fewer cores than ranks, barriers
add some milliseconds of their own.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: the ranks are enough

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from mpi4py import MPI

import insitu

COMM = MPI.COMM_WORLD
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"
NETWORK = {"model": "hash_grid"}  # which a budget interrupts
FIELDS = {
    "density": {"psnr": 40, **NETWORK},
    "energy": {"psnr": 40, **NETWORK},
    "velocity": {"psnr": 38, **NETWORK},
}


def run(budget: dict[str, float], arguments: argparse.Namespace, folder: str) -> dict[str, Any]:
    """One run under a budget: what its steps took and were allowed. Collective."""
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    simulation = CloverLeaf(EXAMPLE / "clover.in", COMM, cells=(arguments.cells,) * 3)
    options = {
        "fields": FIELDS,
        "window": {"steps": 6, "every": arguments.every},
        "budget": budget,
        "ghosts": "exchange",
        "record": {"path": f"{folder}/record"},
        "output": folder,
        "on_error": "raise",
    }
    session = insitu.open(options, COMM)
    costs, allowed, short = [], [], []
    simulating = 0.0
    while simulation.cycle < arguments.cycles:
        start = perf_counter()
        simulation.step()
        session.publish(simulation.mesh())
        COMM.Barrier()
        begin = perf_counter()
        report = session.execute()
        COMM.Barrier()
        simulating += begin - start
        if report is not None:
            costs.append(perf_counter() - begin)
            allowed.append(report.allowed)
            short += [entry.short_db for entry in report.fields]
    summary = session.close()
    slowest = np.empty(len(costs))
    COMM.Allreduce(np.array(costs), slowest, op=MPI.MAX)
    return {
        "budget": budget,
        "costs": slowest.tolist(),
        "allowed": allowed,
        "recorded": summary.steps,
        "skipped": summary.skipped,
        "short": short,
        "psnr": {entry.name: entry.psnr_min_db for entry in summary.fields},
        "share": sum(costs) / simulating,
    }


def line(figures: dict[str, Any]) -> str:
    (kind, value) = next(iter(figures["budget"].items()), ("none", math.inf))
    # The first step is not bounded by a fraction.
    pairs = [(c, a) for c, a in zip(figures["costs"], figures["allowed"], strict=True) if a < 1e300]
    ratios = np.array([cost / allowed for cost, allowed in pairs if allowed > 0])
    within = np.mean(ratios <= 1.15) if len(ratios) else math.nan
    high = np.quantile(ratios, 0.95) if len(ratios) else math.nan
    short = np.array(figures["short"] or [math.nan])
    return (
        f"| {kind} {value:g} | {figures['recorded']} | {figures['skipped']} "
        f"| {np.mean(figures['costs']):.3f} | {100 * within:.0f} % | {high:.2f} "
        f"| {np.mean(short > 0):.0%} | {short.mean():.1f} | {short.max():.1f} "
        f"| {figures['share']:.1%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=160, help="steps of the simulation, per run")
    parser.add_argument("--every", type=int, default=2, help="record every so many of them")
    parser.add_argument("--cells", type=int, default=96, help="of the whole cube along an axis")
    parser.add_argument("--seconds", type=float, nargs="*", default=[0.4, 0.2, 0.1, 0.05, 0.01])
    parser.add_argument("--fractions", type=float, nargs="*", default=[0.5, 0.2, 0.1, 0.02])
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    budgets: list[dict[str, float]] = [{}]
    budgets += [{"seconds": value} for value in arguments.seconds]
    budgets += [{"fraction": value} for value in arguments.fractions]
    if COMM.rank == 0:
        print(
            f"CloverLeaf {arguments.cells}^3, {COMM.size} ranks, {arguments.cycles} cycles, every "
            f"{arguments.every}; {', '.join(f'{k} {v}' for k, v in FIELDS.items())}\n\n"
            "| budget | steps | skipped | s mean | within 1.15x | 95 % below | fields short "
            "| dB short, mean | most | of the simulation's time |\n|---|" + 9 * "--:|",
            flush=True,
        )
    everything = []
    with tempfile.TemporaryDirectory() as folder:
        for budget in budgets:
            figures = run(budget, arguments, folder)
            everything.append(figures)
            if COMM.rank == 0:
                print(line(figures), flush=True)
    if COMM.rank == 0 and arguments.json:
        arguments.json.write_text(json.dumps(everything))


if __name__ == "__main__":
    main()
