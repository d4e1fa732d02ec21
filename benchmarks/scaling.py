"""Weak scaling of training, the bytes it communicates, and the start of many ranks.

In: this machine; more ranks than cores are welcome, since time is CPU time. Out: three tables.

    python benchmarks/scaling.py [--ranks 1 2 4 8 16] [--cells 64] [--start 64] [--json FILE]

MPIEXEC names the launcher; by default it is the one beside this Python.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: the ranks are enough

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
MIB = 2**20


def launch(ranks: int, *command: str, folder: str | None = None) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *_python_path()])}
    arguments = [MPIEXEC, "-n", str(ranks), sys.executable, *command]
    subprocess.run(arguments, cwd=folder, env=environment, check=True)


def _python_path() -> list[str]:
    return [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]


# ---- training: this part runs on every rank


def work(cells: int, rounds: int, output: Path) -> None:
    """Train one block of cells^3 per rank; rank 0 writes all ranks' figures. Collective."""
    from counting import CountingComm
    from mpi4py import MPI

    from insitu.models.hash_grid.model import HashGrid
    from insitu.training.distributed import FieldSpec, train_fields
    from insitu.training.options import Target, TrainingOptions

    comm = MPI.COMM_WORLD
    # The network of the domain grows with it, so that each rank's stays what it is on 1 rank.
    alone = HashGrid().for_domain(cells**3)
    network = HashGrid(
        log2_hashmap_size=alone.log2_hashmap_size + round(math.log2(comm.size)),
        base_resolution=round(alone.base_resolution * comm.size ** (1 / 3)),
    )
    recipes = {"f": FieldSpec(network, TrainingOptions(), Target())}
    blocks = {"f": [_block(cells, comm.rank, MPI.Compute_dims(comm.size, 3))]}
    seconds, waiting = [], []
    for cycle in range(rounds):
        counting = CountingComm(comm)
        start = time.process_time()
        trained = train_fields(counting, blocks, recipes, {}, cycle=cycle, time=0.0)
        waiting.append(counting.seconds)
        seconds.append(time.process_time() - start - counting.seconds)
    mine = {
        "seconds": float(np.median(seconds)),
        "waiting": float(np.median(waiting)),
        "calls": counting.calls.total(),
        "nbytes": counting.nbytes.total(),
        "parameters": trained["f"].fields[0].model.n_params,
        "steps": trained["f"].fields[0].metrics.iterations,
    }
    everyone = comm.gather(mine, root=0)
    if comm.rank == 0:
        output.write_text(json.dumps(everyone))


def _block(n: int, rank: int, dims: list[int]) -> object:
    """The rank's cube of a field of waves and a front; n^3 float32 with one ghost layer."""
    from insitu.mesh.partition import Partition

    place = np.unravel_index(rank, dims)  # z, y, x
    axes = [c + (np.arange(-1, n + 1) + 0.5) / n for c in place]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    # Every cube has its own front, so that all have as much to learn.
    r = np.sqrt((x % 1 - 0.3) ** 2 + (y % 1 - 0.4) ** 2 + (z % 1 - 0.5) ** 2)
    values = np.tanh(40 * (0.35 - r)) + 0.2 * np.sin(12 * x) * np.cos(9 * y + 5 * z)
    nodes = tuple(c + np.linspace(0, 1, n + 1) for c in reversed(place))
    return Partition("f", "element", (values.astype(np.float32),), ((1, 1),) * 3, nodes, rank)


def training(ranks: list[int], cells: int, rounds: int) -> dict[int, list[dict[str, float]]]:
    """Each rank's figures, by the number of ranks."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in ranks:
            output = Path(folder) / f"{n}.json"
            launch(
                n, __file__, "--cells", str(cells), "--rounds", str(rounds), "--work", str(output)
            )
            figures[n] = json.loads(output.read_text())
    return figures


# ---- the start of many ranks

SIMULATION = '''
import json, time
import numpy as np

class Tiny:
    """Two steps of 8^3 cells per rank; at the end, what memory each rank has for itself."""

    def __init__(self, comm):
        self.comm, self.cycle, self.time, self.done = comm, 0, 0.0, False
        self.started = time.process_time()

    def step(self):
        self.cycle += 1

    def mesh(self):
        if self.cycle == 2 and not self.done:
            self.done = True
            self.comm.Barrier()  # all have come this far, and hold what they will hold
            everyone = self.comm.gather({"cpu": self.started, **private()}, root=0)
            if self.comm.rank == 0:
                with open("ranks.json", "w") as file:
                    json.dump(everyone, file)
        dims = dict.fromkeys("ijk", 9)
        origin = {"x": 8.0 * self.comm.rank, "y": 0.0, "z": 0.0}
        return {
            "state": {"cycle": self.cycle, "time": 0.0, "domain_id": self.comm.rank},
            "coordsets": {"coords": {"type": "uniform", "dims": dims, "origin": origin}},
            "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
            "fields": {"f": {"association": "element", "topology": "mesh",
                             "values": np.linspace(0, 1, 512) ** 2}},
        }

def private():
    """MiB that no other process shares, and what they are of."""
    parts, kind = {"anonymous": 0, "heap, stack": 0, "shared memory": 0, "files": 0}, ""
    for line in open("/proc/self/smaps"):
        words = line.split()
        if not words[0].endswith(":"):
            name = words[5] if len(words) > 5 else ""
            kind = ("anonymous" if not name else "heap, stack" if name in ("[heap]", "[stack]") else
                    "shared memory" if name.startswith(("/dev/shm", "/SYSV")) else "files")
        elif words[0] in ("Private_Clean:", "Private_Dirty:"):
            parts[kind] += int(words[1]) / 1024
    return parts
'''
RUN_FILE = """
simulation: {module: simulation, class: Tiny}
fields: {f: {iterations: 20}}
window: {steps: 2, every: 1, keep: all}
output: out
"""


def start(ranks: int) -> dict[str, object]:
    """Start ranks of `python -m insitu.run`, let them train two steps of a tiny block, and end."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "simulation.py").write_text(SIMULATION)
        (Path(folder) / "run.yaml").write_text(RUN_FILE)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        launch(ranks, "-m", "insitu.run", "run.yaml", "--quiet", folder=folder)
        wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        everyone = json.loads((Path(folder) / "ranks.json").read_text())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"ranks": everyone, "wall": wall, "cpu": cpu}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--cells", type=int, default=64, help="of each rank's block, per axis")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--start", type=int, default=64, help="ranks to start, 2 or more")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.cells, arguments.rounds, arguments.work)
        return

    scaling = training(arguments.ranks, arguments.cells, arguments.rounds)
    first = next(iter(scaling.values()))
    alone = float(np.mean([rank["seconds"] for rank in first]))
    print(f"training {arguments.cells}^3 cells per rank, {first[0]['steps']} steps", end="")
    print(f" of {first[0]['parameters']} parameters; CPU seconds per rank")
    print("\n| ranks | mean | most | efficiency, mean | efficiency, most |\n|---|---|---|---|---|")
    for ranks, everyone in scaling.items():
        seconds = [rank["seconds"] for rank in everyone]
        mean, most = np.mean(seconds), max(seconds)
        print(f"| {ranks} | {mean:.3f} | {most:.3f} | {alone / mean:.2f} | {alone / most:.2f} |")
    print("\n| ranks | calls per rank | bytes per rank | CPU seconds in them, mean |")
    print("|---|---|---|---|")
    for ranks, everyone in scaling.items():
        calls, nbytes = (max(rank[k] for rank in everyone) for k in ("calls", "nbytes"))
        waiting = np.mean([rank["waiting"] for rank in everyone])
        print(f"| {ranks} | {calls} | {nbytes} | {waiting:.3f} |")

    begun = start(arguments.start)
    ranks = begun["ranks"]
    cpu = np.mean([rank.pop("cpu") for rank in ranks])
    print(f"\n{arguments.start} ranks of insitu.run: {begun['wall']:.1f} s wall", end="")
    print(f", {begun['cpu']:.1f} s CPU, launcher and end included; {cpu:.2f} s CPU", end="")
    print(" per rank until the simulation begins")
    print("\n| private MiB | rank 0 | others, mean | others, most |\n|---|---|---|---|")
    for rank in ranks:
        rank["all"] = sum(rank.values())
    for kind in ranks[0]:
        others = [rank[kind] for rank in ranks[1:]]
        print(f"| {kind} | {ranks[0][kind]:.1f} | {np.mean(others):.1f} | {max(others):.1f} |")
    if arguments.json:
        figures = {"training": scaling, "start": begun}
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
