"""A whole run on many ranks: recorded steps, a trigger, a composited picture, a record that opens.

In: this machine, and more ranks than it has cores. Out: a table of seconds and memory per rank.

    python benchmarks/many_ranks.py [--ranks 64 128 512] [--lean] [--cells 16] [--steps 4]

MPIEXEC names the launcher; by default it is the one beside this Python. Memory is PSS: what a rank
has for itself, and its share of the pages that several have. The ranks find compiled modules, as
those of an installed package do.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: the ranks are enough

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
MIB = 2**20
# What makes a rank smaller from outside: no docstrings and asserts; no buffers for a network that
# the ranks of one node do not use (of MPICH built with both UCX and libfabric).
LEAN = {"PYTHONOPTIMIZE": "2", "MPIR_CVAR_CH4_NETMOD": "ofi"}


# ---- the run: this part runs on every rank


def mesh(rank: int, size: int, cells: int, cycle: int) -> dict[str, Any]:
    """One of `size` blocks of cells^3 in a box of about as many along x, y and z."""
    counts = [1, 1, 1]
    for prime in sorted(_primes(size), reverse=True):
        counts[counts.index(min(counts))] *= prime
    place = np.unravel_index(rank, counts)
    low = np.array(place) * cells
    z, y, x = (
        (at + 0.5 + np.arange(cells)) / (n * cells) for at, n in zip(low, counts, strict=True)
    )
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    values = np.tanh(20 * (0.3 + 0.02 * cycle - np.sqrt((x - 0.5) ** 2 + (y - 0.5) ** 2)))
    values += 0.1 * np.sin(9 * z + cycle)
    return {
        "state": {"cycle": cycle, "time": 0.1 * cycle, "domain_id": rank},
        "coordsets": {
            "c": {
                "type": "uniform",
                "dims": dict.fromkeys("ijk", cells + 1),
                "origin": dict(zip("zyx", map(float, low), strict=True)),
            }
        },
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {"f": {"association": "element", "topology": "t", "values": values.ravel()}},
    }


def _primes(n: int) -> list[int]:
    found, prime = [], 2
    while n > 1:
        while n % prime == 0:
            found.append(prime)
            n //= prime
        prime += 1
    return found


def run_file(folder: Path, steps: int) -> dict[str, Any]:
    render = {"image_prefix": "picture_%03d", "image_width": 256, "image_height": 256}
    scene = {"plots": {"p": {"type": "volume", "field": "f"}}, "renders": {"r": render}}
    fire = {"condition": f"cycle() >= {steps - 1}", "actions": [_scenes(scene)]}
    return {
        "fields": {"f": {"psnr": 35}},
        "window": {"steps": steps, "every": 1},
        "record": {"path": str(folder / "record"), "on": ["end"]},
        "output": str(folder),
        "on_error": "raise",
        "actions": [{"action": "add_triggers", "triggers": {"t": {"params": fire}}}],
    }


def _scenes(scene: dict[str, Any]) -> dict[str, Any]:
    return {"action": "add_scenes", "scenes": {"s": scene}}


def work(cells: int, steps: int, folder: Path) -> None:
    """Run, and write all ranks' figures on rank 0. Collective."""
    from mpi4py import MPI

    import insitu

    comm = MPI.COMM_WORLD
    begun = time.perf_counter()
    session = insitu.open(run_file(folder, steps), comm)
    for cycle in range(steps):
        session.publish(mesh(comm.rank, comm.size, cells, cycle))
        session.execute()
    private = _private_nbytes()  # while all ranks are there, and the window is full
    session.close()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    mine = (private, spent.ru_utime + spent.ru_stime, time.perf_counter() - begun)
    everyone = comm.gather(mine)
    if everyone is not None:
        (folder / "figures.json").write_text(json.dumps(everyone))


def _private_nbytes() -> int:
    """Memory that this process shares with no other, and its share of what it shares (Linux)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


# ---- the table


def measure(ranks: int, cells: int, steps: int, lean: bool) -> dict[str, float]:
    """Run on `ranks` ranks, and check that picture and record are there."""
    import subprocess  # here: the ranks do without
    import tempfile

    import insitu

    path = [
        str(ROOT),
        str(ROOT / "benchmarks"),
        *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
    environment |= LEAN if lean else {}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        environment["PYTHONPYCACHEPREFIX"] = f"{name}/compiled"

        def run(n: int, folder: Path) -> None:
            folder.mkdir()
            program = f"import many_ranks as m; m.work({cells}, {steps}, m.Path({str(folder)!r}))"
            command = [MPIEXEC, "-n", str(n), sys.executable, "-c", program]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

        run(2, Path(name, "compiling"))
        folder = Path(name, "run")
        start = time.perf_counter()
        run(ranks, folder)
        seconds = time.perf_counter() - start
        figures = np.array(json.loads((folder / "figures.json").read_text()))
        field = insitu.open_record(folder / "record")["f"]
        assert len(field.cycles) == steps and len(field.sel(step=-1).blocks) == ranks
        assert np.isfinite(field.sel(step=-1)(np.array([[1.5, 2.5, 3.5]]))).all()
        assert list(folder.glob("picture_*.png"))
    return {
        "ranks": ranks,
        "wall_s": seconds,
        "cpu_s": figures[:, 1].mean(),
        "mib_mean": figures[1:, 0].mean() / MIB,
        "mib_most": figures[1:, 0].max() / MIB,
        "mib_rank_0": figures[0, 0] / MIB,
    }


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[64, 128, 512])
    parser.add_argument("--lean", action="store_true", help=f"set for the ranks: {LEAN}")
    parser.add_argument("--cells", type=int, default=16, help="of each rank along an axis")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print("| ranks | wall s | CPU s per rank | MiB per rank, mean | most | rank 0 |")
    print("|---|---|---|---|---|---|")
    rows = []
    for ranks in arguments.ranks:
        row = measure(ranks, arguments.cells, arguments.steps, arguments.lean)
        rows.append(row)
        print(
            f"| {ranks} | {row['wall_s']:.0f} | {row['cpu_s']:.2f} | {row['mib_mean']:.1f} | "
            f"{row['mib_most']:.1f} | {row['mib_rank_0']:.1f} |",
            flush=True,
        )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
