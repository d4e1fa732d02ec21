"""One point of a scaling series: a session on a moving field, on the ranks it is started with.

In: a series (strong: the same grid at any number of ranks; weak: the same cells on every rank).
Out: one line of JSON, <output>/<series>_<ranks>.json: seconds of a step cold and warm, PSNR, ratio,
bytes communicated.

    mpiexec -n 8 python -m mpi4py benchmarks/scaling_run.py weak [--cells 64] [--steps 5]

(`-m mpi4py`: what fails on one rank ends all of them.) `jobs/submit.py` runs whole series.

The domain is made of cubes of `--cells`^3 cells, each with a front and waves of its own: all have
as much to learn. Weak: a cube per rank. Strong: `--cubes` along each axis (4: what the weak
series has at 64 ranks), cut into a block per rank.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy starts its threads

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from counting import CountingComm
from mpi4py import MPI

import insitu
from insitu import engines
from insitu.cli import main as insitu_command
from insitu.engines import threads

SERIES = ("strong", "weak")
PSNR_DB = 40.0


class Fronts:
    """The field of one rank's block: uniform cells, one valid ghost layer, float32.

    In every unit cube a front runs outwards from a point through waves, about 1/100 of the cube a
    step.
    """

    def __init__(self, comm: MPI.Comm, series: str, cells: int, cubes: int) -> None:
        """cells: along the side of a cube; cubes: along each axis of the strong series' domain.

        Raises ValueError where the grid has fewer cells along an axis than ranks.
        """
        dims = MPI.Compute_dims(comm.size, 3)  # z, y, x
        self.domain_id, self.cycle, self.spacing = comm.rank, 0, 1.0 / cells
        self.grid = tuple(cells * (cubes if series == "strong" else d) for d in dims)
        if any(n < d for n, d in zip(self.grid, dims, strict=True)):
            raise ValueError(f"cells: {self.grid} along z, y, x; expected no fewer than {dims}")
        place = np.unravel_index(comm.rank, dims)
        self._cuts = [
            (n * int(i) // d, n * (int(i) + 1) // d)
            for n, i, d in zip(self.grid, place, dims, strict=True)
        ]
        shape = tuple(high - low + 2 for low, high in self._cuts)
        self._values = np.empty(shape, np.float32)
        self._ghosts = np.ones(shape, np.uint8)
        self._ghosts[1:-1, 1:-1, 1:-1] = 0

    def step(self) -> None:
        """Compute the field of the next cycle. Not collective."""
        self.cycle += 1
        z, y, x = (
            (np.arange(low - 1, high + 1) + 0.5) * self.spacing % 1 for low, high in self._cuts
        )
        radius = 0.25 + 0.01 * self.cycle
        across = (x[None, :] - 0.3) ** 2 + (y[:, None] - 0.4) ** 2
        for plane, height in zip(self._values, z, strict=True):
            front = np.tanh(40 * (radius - np.sqrt(across + (height - 0.5) ** 2)))
            waves = np.sin(12 * x - 0.3 * self.cycle)[None, :] * np.cos(9 * y + 5 * height)[:, None]
            plane[...] = front + 0.2 * waves

    def mesh(self) -> dict[str, Any]:
        """The block as a Blueprint tree."""
        letters = list(zip("xyz", reversed(self._cuts), strict=True))
        return {
            "state": {"cycle": self.cycle, "time": float(self.cycle), "domain_id": self.domain_id},
            "coordsets": {
                "coords": {
                    "type": "uniform",
                    "dims": dict(
                        zip("ijk", (n + 1 for n in self._values.shape[::-1]), strict=True)
                    ),
                    "origin": {letter: (low - 1) * self.spacing for letter, (low, _) in letters},
                    "spacing": {f"d{letter}": self.spacing for letter, _ in letters},
                }
            },
            "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
            "fields": {
                name: {"association": "element", "topology": "mesh", "values": values.reshape(-1)}
                for name, values in (("f", self._values), ("ascent_ghosts", self._ghosts))
            },
        }


def measure(series: str, cells: int, cubes: int, steps: int) -> dict[str, Any]:
    """Run and return what the line says, on rank 0; the others return their part. Collective."""
    world = MPI.COMM_WORLD
    simulation = Fronts(world, series, cells, cubes)
    run = {
        "fields": {"f": {"psnr": PSNR_DB}},
        "window": {"steps": 2, "every": 1, "keep": "all"},
        "on_error": "raise",
    }
    session = insitu.open(run, CountingComm(world))
    counting = session.comm
    assert isinstance(counting, CountingComm)
    taken = []
    for _ in range(steps):
        simulation.step()
        session.publish(simulation.mesh())
        sent, calls, waited = counting.nbytes.total(), counting.calls.total(), counting.seconds
        world.Barrier()
        start, cpu = time.perf_counter(), time.process_time()
        report = session.execute()
        assert report is not None
        (field,) = report.fields
        inside = counting.seconds - waited
        mine = [
            time.perf_counter() - start,
            time.process_time() - cpu - inside,
            counting.nbytes.total() - sent,
            counting.calls.total() - calls,
        ]
        slowest = np.empty(len(mine))
        world.Allreduce(np.array(mine, dtype=float), slowest, op=MPI.MAX)
        taken.append((field, slowest))
    session.close()
    return {
        "series": series,
        "nodes": _nodes(world),
        "ranks": world.size,
        "threads": threads.threads(),
        "engine": engines.engine().name,
        "gpu": _gpu(engines.engine().device),
        "grid": list(simulation.grid[::-1]),
        "steps": steps,
        "cold": _figures(taken[:1]),
        "warm": _figures(taken[1:]),
    }


def _gpu(device: str) -> str:
    """The name of a device such as "cuda:0 (NVIDIA A100), PyTorch 2.13"; empty for a CPU."""
    return "" if device.startswith("CPU") else device.partition("(")[2].partition(")")[0]


def _figures(taken: list[Any]) -> dict[str, float]:
    """Medians over steps, each of them of the slowest rank."""
    wall, cpu, sent, calls = np.median([figures for _, figures in taken], axis=0)
    return {
        "seconds": float(wall),
        "cpu_seconds": float(cpu),
        "training_seconds": float(np.median([field.seconds for field, _ in taken])),
        "psnr_db": float(min(field.psnr_db for field, _ in taken)),
        "ratio": float(np.median([field.ratio for field, _ in taken])),
        "iterations": float(np.median([field.iterations for field, _ in taken])),
        "communicated_bytes_per_rank": float(sent),
        "communication_calls_per_rank": float(calls),
    }


def _nodes(comm: MPI.Comm) -> int:
    """Machines that the ranks are on. Collective."""
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    first = node.rank == 0
    node.Free()
    return int(comm.allreduce(first))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("series", choices=SERIES)
    parser.add_argument("--cells", type=int, default=64, help="along the side of a cube")
    parser.add_argument("--cubes", type=int, default=4, help="strong: along an axis of the domain")
    parser.add_argument("--steps", type=int, default=5, help="2 or more; the first starts cold")
    parser.add_argument("--output", type=Path, default=Path("out/scaling"), help="folder")
    arguments = parser.parse_args()
    if arguments.steps < 2:
        parser.error(f"--steps: {arguments.steps}; expected 2 or more: a cold one, and warm ones")
    if MPI.COMM_WORLD.rank == 0:
        insitu_command(["info", "--engines"])  # into the job's log
    figures = measure(arguments.series, arguments.cells, arguments.cubes, arguments.steps)
    if MPI.COMM_WORLD.rank == 0:
        arguments.output.mkdir(parents=True, exist_ok=True)
        path = arguments.output / f"{figures['series']}_{figures['ranks']:05d}.json"
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(json.dumps(figures) + "\n")
        aside.replace(path)
        print(f"{path}: {figures['warm']['seconds']:.3f} s a step", flush=True)


if __name__ == "__main__":
    main()
