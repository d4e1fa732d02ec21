"""What a recorded step costs beside training: the demo of CloverLeaf, without its pictures.

In: the CloverLeaf example on the ranks it is started with.
Out: seconds per recorded step, seconds of these in training, and the rest.

    mpiexec -n 4 python benchmarks/step_overhead.py [--cells 96] [--cycles 100] [--profile]

The run file is the demo's with the trigger's scenes and extracts left out: fields, ghosts, window,
queries, condition and record are the same. Training is what the fields' reports say, measuring
their quality included. Figures are medians over the recorded steps but the first, which also
checks the mesh and begins with new weights. Steps at which only the queries are evaluated have a
row of their own. --profile prints what rank 0 spends its time on.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: the ranks are enough

import argparse
import cProfile
import pstats
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import yaml
from mpi4py import MPI

import insitu

COMM = MPI.COMM_WORLD
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"


def run_file(folder: str) -> dict[str, Any]:
    """The demo's run file, which writes to `folder` and draws nothing."""
    run: dict[str, Any] = yaml.safe_load((EXAMPLE / "run.yaml").read_text())
    del run["simulation"]
    for action in run["actions"]:
        for trigger in action.get("triggers", {}).values():
            trigger["params"]["actions"] = []
    return {**run, "record": {"path": f"{folder}/record"}, "output": folder, "on_error": "raise"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=96, help="along each axis; default: 96")
    parser.add_argument("--cycles", type=int, default=100, help="default: 100")
    parser.add_argument("--profile", action="store_true", help="of rank 0, by total time")
    arguments = parser.parse_args()
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    simulation = CloverLeaf(EXAMPLE / "clover.in", COMM, cells=(arguments.cells,) * 3)
    profile = cProfile.Profile()
    recorded: list[tuple[float, float]] = []  # seconds, of these in training
    others: list[float] = []
    with tempfile.TemporaryDirectory() as mine:
        session = insitu.open(run_file(COMM.bcast(mine)), COMM)
        while simulation.cycle < arguments.cycles:
            simulation.step()
            session.publish(simulation.mesh())
            COMM.Barrier()
            if arguments.profile and recorded:
                profile.enable()
            start = perf_counter()
            report = session.execute()
            took = perf_counter() - start
            profile.disable()
            took = COMM.allreduce(took, op=MPI.MAX)
            if report is None:
                others.append(took)
            else:
                recorded.append((took, sum(field.seconds for field in report.fields)))
        session.close()
        COMM.Barrier()
    if COMM.rank == 0:
        seconds, training = (median(column) for column in zip(*recorded[1:], strict=True))
        rest = median(all_of_it - trained for all_of_it, trained in recorded[1:])
        print(f"{COMM.size} ranks, {arguments.cells}^3 cells, {len(recorded)} recorded steps")
        print(f"{'seconds per recorded step':28} {seconds:8.4f}")
        print(f"{'  in training':28} {training:8.4f}")
        print(f"{'  the rest':28} {rest:8.4f}")
        print(f"{'seconds of other steps':28} {median(others):8.4f}")
        if arguments.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
