"""What a step costs in a run of thousands of steps, all of which the window holds.

In: one small block, queries of the past, a crash copy. Out: milliseconds of CPU per step, by
hundreds of steps, and memory.

    python benchmarks/long_run.py [--steps 2400] [--cells 8]
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: one core

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import insitu

QUERIES = {
    "top": "max(field('u'))",
    "moved": "max(abs(field('u') - field('u', step=-1)))",
    "slope": "gradient(top, window_length=20)",
    "recent": "max(history_range(top, first_relative_index=0, last_relative_index=9))",
}


def run_file(folder: str, steps: int) -> dict[str, Any]:
    queries = {name: {"params": {"expression": t, "name": name}} for name, t in QUERIES.items()}
    return {
        "fields": {"u": {"psnr": 40, "model": "sparse_grid"}},
        "window": {"steps": steps, "every": 1},
        "record": {"path": f"{folder}/record", "scratch": folder},
        "output": folder,
        "on_error": "raise",
        "actions": [{"action": "add_queries", "queries": queries}],
    }


def resident_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--cells", type=int, default=8, help="along each axis; default: 8")
    arguments = parser.parse_args()
    z, y, x = np.meshgrid(*3 * [np.linspace(0, 1, arguments.cells)], indexing="ij")
    spent, resident = [], []
    with tempfile.TemporaryDirectory() as folder:
        with insitu.open(run_file(folder, arguments.steps), quiet=True) as session:
            for cycle in range(arguments.steps):
                values = np.tanh(4 * (x - 0.5 + 0.3 * np.sin(0.05 * cycle))) + 0.2 * np.sin(
                    9 * z * y
                )
                session.publish(insitu.mesh.uniform({"u": values}, cycle=cycle, time=0.1 * cycle))
                start = process_time()
                session.execute()
                spent.append(1e3 * (process_time() - start))
                resident.append(resident_mib())
        written = len(insitu.open_record(f"{folder}/record")["u"])
        assert written == arguments.steps
    print("| steps | CPU ms per step, median | mean | resident, MiB |")
    print("|---|---|---|---|")
    every = max(arguments.steps // 6, 100)
    for end in [100, *range(every, arguments.steps + 1, every)]:
        part = spent[end - 100 : end]
        print(
            f"| {end - 100} to {end} | {median(part):.2f} | {np.mean(part):.2f} | "
            f"{resident[end - 1]:.0f} |"
        )


if __name__ == "__main__":
    main()
