"""What a recorded step costs per field where there are many: small blocks, one target for all.

In: a session with many fields that move from step to step. Out: CPU seconds per field and step.

    python benchmarks/many_fields.py [--fields 200] [--cells 16] [--steps 6] [--psnr 40]
        [--models hash_grid sparse_grid] [--profile]

The first step starts with new weights and is told apart; the others have their median. All of
`execute` counts: reading the mesh, training, compression, the window and its crash copy.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: one core

import argparse
import cProfile
import pstats
import sys
import tempfile
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import insitu


def mesh(fields: int, cells: int, cycle: int) -> dict[str, Any]:
    """A cube of cells^3 with `fields` element fields: fronts and waves, no two alike."""
    line = (np.arange(cells) + 0.5) / cells
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    values = {}
    for i in range(fields):
        angle, speed = 2.4 * i, 0.01 + 0.02 * (i % 7) / 7
        at = x * np.cos(angle) + y * np.sin(angle) + 0.3 * z
        front = np.tanh(6 * (at - 0.3 - speed * cycle))
        values[f"f{i:03d}"] = front + 0.3 * np.sin((3 + i % 5) * z + 0.1 * cycle + i)
    return {
        "state": {"cycle": cycle, "time": 0.1 * cycle},
        "coordsets": {"c": {"type": "uniform", "dims": dict.fromkeys("ijk", cells + 1)}},
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {
            name: {"association": "element", "topology": "t", "values": v.ravel()}
            for name, v in values.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fields", type=int, default=200)
    parser.add_argument("--cells", type=int, default=16, help="along each axis; default: 16")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--psnr", type=float, default=40.0, help="of each field, in dB")
    parser.add_argument("--models", nargs="+", default=["hash_grid", "sparse_grid"])
    parser.add_argument("--profile", action="store_true", help="by total time, of warm steps")
    arguments = parser.parse_args()
    print("| model | fields | cells | first step, ms per field | later steps | B per field |")
    print("|---|---|---|---|---|---|")
    for model in arguments.models:
        per_field, nbytes = measure(model, arguments)
        print(
            f"| {model} | {arguments.fields} | {arguments.cells}^3 | {per_field[0]:.1f} | "
            f"{median(per_field[1:]):.1f} | {nbytes:.0f} |",
            flush=True,
        )


def measure(model: str, arguments: argparse.Namespace) -> tuple[list[float], float]:
    """CPU milliseconds per field of each step, and bytes per field and step."""
    profile = cProfile.Profile(process_time)
    spent, nbytes = [], []
    wanted = {"psnr": arguments.psnr, "model": model}
    with tempfile.TemporaryDirectory() as folder:
        run = {
            "fields": {f"f{i:03d}": wanted for i in range(arguments.fields)},
            "window": {"steps": arguments.steps, "every": 1},
            "record": {"path": f"{folder}/record"},
            "output": folder,
            "on_error": "raise",
        }
        with insitu.open(run, quiet=True) as session:
            for cycle in range(arguments.steps):
                session.publish(mesh(arguments.fields, arguments.cells, cycle))
                if arguments.profile and cycle:
                    profile.enable()
                start = process_time()
                report = session.execute()
                spent.append(process_time() - start)
                profile.disable()
                assert report is not None
                assert all(field.psnr_db >= arguments.psnr for field in report.fields)
                nbytes.append(sum(field.nbytes for field in report.fields))
    if arguments.profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(40)
    per_field = [1e3 * seconds / arguments.fields for seconds in spent]
    return per_field, float(np.mean(nbytes)) / arguments.fields


if __name__ == "__main__":
    main()
