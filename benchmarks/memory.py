"""Resident memory of a simulation that keeps its last N steps: raw, in insitu's window, not at all.

In: the CloverLeaf example on the ranks it is started with. Out: a table, and a plot.

    python benchmarks/memory.py [--ranks 4] [--steps 20] [--every 2] [--cycles 120]
        [--plot docs/images/memory.svg] [--json FILE]

Each way of keeping is a run of its own. What is measured is private memory (Private_Clean and
Private_Dirty of /proc/self/smaps_rollup, Linux): what a rank shares with no other. It is read after
each recorded step; at the end when all is dropped, and once more after malloc_trim, which asks the
C library to give freed memory back. MPIEXEC names the launcher; by default it is the one beside
this Python. The plot needs matplotlib (the extra `bench`).
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy starts its threads: the ranks are enough

import argparse
import ctypes
import gc
import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "cloverleaf"
MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
FIELDS = {"density": {"psnr": 40}, "energy": {"psnr": 40}, "velocity": {"psnr": 38}}
WAYS = ("no cache", "raw cache", "window")
KIB = 1024


def private() -> int:
    """Bytes of this process that no other shares."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    lines = [line.split() for line in rollup.splitlines()]
    return KIB * sum(int(n) for key, n, *_ in lines if key in ("Private_Clean:", "Private_Dirty:"))


# ---- one way of keeping: this part runs on every rank


class NoCache:
    """The simulation alone."""

    nbytes = 0

    def keep(self, mesh: Any) -> None:
        pass

    def close(self) -> None:
        pass


class RawCache:
    """Copies of the owned samples of the last N steps."""

    def __init__(self, steps: int) -> None:
        self._held: deque[list[np.ndarray]] = deque(maxlen=steps)

    def keep(self, mesh: Any) -> None:
        from insitu.mesh import partitions

        self._held.append(
            [
                component.copy()
                for name in FIELDS
                for block in partitions(mesh, name, ghosts="ignore")
                for component in block.owned
            ]
        )

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for arrays in self._held for array in arrays)

    def close(self) -> None:
        self._held.clear()


class Window:
    """insitu, with the run file of the example but for pictures and record."""

    def __init__(self, comm: Any, steps: int, every: int) -> None:
        import insitu

        window = {"steps": steps, "every": every, "keep": "all"}
        run = {"fields": FIELDS, "window": window, "ghosts": "exchange", "on_error": "raise"}
        self._session = insitu.open(run, comm)

    def keep(self, mesh: Any) -> None:
        self._session.publish(mesh)
        self._session.execute()

    @property
    def nbytes(self) -> int:
        return self._session.window.nbytes

    def close(self) -> None:
        self._session.close()


def work(way: str, arguments: argparse.Namespace) -> None:
    """Run the simulation, keep its steps, and write down what memory that takes. Collective."""
    from mpi4py import MPI

    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    comm = MPI.COMM_WORLD
    simulation = CloverLeaf(EXAMPLE / "clover.in", comm, cells=(arguments.cells,) * 3)
    makers: dict[str, Callable[[], NoCache | RawCache | Window]] = {
        "no cache": NoCache,
        "raw cache": lambda: RawCache(arguments.steps),
        "window": lambda: Window(comm, arguments.steps, arguments.every),
    }
    simulation.step()  # what a step allocates is the simulation's
    start = private()
    cache = makers[way]()
    series, kept = [], 0
    while simulation.cycle < arguments.cycles:
        simulation.step()
        if simulation.cycle % arguments.every == 0:
            cache.keep(simulation.mesh())
            series.append((simulation.cycle, private()))
            kept = max(kept, cache.nbytes)
    cache.close()
    gc.collect()
    closed = private()
    ctypes.CDLL(None).malloc_trim(0)
    mine = {"start": start, "series": series, "kept": kept, "closed": closed, "trimmed": private()}
    everyone = comm.gather(mine, root=0)
    if comm.rank == 0:
        arguments.work.write_text(json.dumps(everyone))


# ---- the figures of all


def launch(way: str, ranks: int, options: list[str]) -> list[dict[str, Any]]:
    """Every rank's figures of one way."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "ranks.json"
        command = [MPIEXEC, "-n", str(ranks), sys.executable, __file__, *options]
        command += ["--way", way, "--work", str(output)]
        subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True)
        return list(json.loads(output.read_text()))


def over_ranks(everyone: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Cycles, and MiB of the mean rank."""
    series = np.array([rank["series"] for rank in everyone], float)
    return series[0, :, 0], series[:, :, 1].mean(axis=0) / 2**20


def slope(everyone: list[dict[str, Any]]) -> float:
    """KiB per recorded step over the last third, of a straight line through the mean rank."""
    _, resident = over_ranks(everyone)
    last = resident[-(len(resident) // 3) :]
    return float(np.polyfit(np.arange(len(last)), last, 1)[0]) * 1024


def row(way: str, everyone: list[dict[str, Any]]) -> str:
    def mib(key: str) -> str:
        return f"{np.mean([rank[key] for rank in everyone]) / 2**20:.1f}"

    _, resident = over_ranks(everyone)
    most = max(nbytes for rank in everyone for _, nbytes in rank["series"]) / 2**20
    kept = np.mean([rank["kept"] for rank in everyone]) / 2**20
    cells = [way, f"{kept:.3f}", mib("start"), f"{resident[-1]:.1f}", f"{most:.1f}"]
    cells += [f"{slope(everyone):+.1f}", mib("closed"), mib("trimmed")]
    return f"| {' | '.join(cells)} |"


def plot(path: Path, figures: dict[str, list[dict[str, Any]]], steps: int) -> None:
    """MiB of the mean rank over the cycles; the band is from the least to the most of any rank."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for way, everyone in figures.items():
        cycles, resident = over_ranks(everyone)
        every = np.array([[n for _, n in rank["series"]] for rank in everyone]) / 2**20
        label = way if way == "no cache" else f"{way} of {steps} steps"
        (line,) = axes.plot(cycles, resident, label=label)
        axes.fill_between(
            cycles, every.min(axis=0), every.max(axis=0), color=line.get_color(), alpha=0.15, lw=0
        )
    axes.axvline(cycles[steps - 1], color="gray", lw=0.8, ls=":")
    axes.set(xlabel="cycle", ylabel="private memory of a rank, MiB", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--cells", type=int, default=96, help="of CloverLeaf, per axis")
    parser.add_argument("--steps", type=int, default=20, help="that are kept")
    parser.add_argument("--every", type=int, default=2, help="cycles between recorded steps")
    parser.add_argument("--cycles", type=int, default=120)
    parser.add_argument("--plot", type=Path, help="write a picture (png, svg) to this file")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.way, arguments)
        return

    names = ("cells", "steps", "every", "cycles")
    options = [text for name in names for text in (f"--{name}", str(getattr(arguments, name)))]
    figures = {way: launch(way, arguments.ranks, options) for way in WAYS}
    print(
        f"CloverLeaf {arguments.cells}^3 on {arguments.ranks} ranks, {', '.join(FIELDS)}; ", end=""
    )
    print(f"{arguments.steps} steps kept, one every {arguments.every} of {arguments.cycles} cycles")
    print("\n| MiB of private memory, mean of the ranks | bytes kept | start | last step ", end="")
    print("| most, of any rank | KiB per step, last third | closed | after malloc_trim |")
    print("|---|---|---|---|---|---|---|---|")
    for way, everyone in figures.items():
        print(row(way, everyone))
    if arguments.plot:
        plot(arguments.plot, figures, arguments.steps)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
