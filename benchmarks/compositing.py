"""Compositing: bytes, messages and time of each algorithm.

In: this machine; more ranks than cores are welcome, but time is then that of all ranks' work, one
after the other. Out: a table.

    python benchmarks/compositing.py [--ranks 2 4 5 8 16] [--size 1024] [--json FILE]

Each rank has one block of a cube and a translucent layer of all pixels that the block covers. The
picture is that of 1 rank to 1/255, or the benchmark stops. MPIEXEC names the launcher; by default
it is the one beside this Python.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
MIB = 2**20
REPEATS = 7


def block(i: int, n: int) -> np.ndarray:
    """Box (2, 3) of part i of n of the unit cube, by recursive bisection."""
    box = np.array([[0.0] * 3, [1.0] * 3])
    while n > 1:
        axis = int(np.argmax(box[1] - box[0]))
        below = n // 2
        cut = box[0, axis] + (box[1, axis] - box[0, axis]) * below / n
        if i < below:
            box[1, axis], n = cut, below
        else:
            box[0, axis], i, n = cut, i - below, n - below
    return box


def layer(box: np.ndarray, camera):  # type: ignore[no-untyped-def]
    """Half transparent where rays meet the box, clear elsewhere in its rectangle."""
    from insitu.core.geometry import Surface
    from insitu.render.surface.raster import StyledGeometry, rasterize
    from insitu.render.volume.march import Layer

    corners = np.array([[box[i, 0], box[j, 1], box[k, 2]] for i in (0, 1) for j in (0, 1)
                        for k in (0, 1)])  # fmt: skip
    quads = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    rectangle = camera.rectangle((box[0], box[1]))
    rgba, _ = rasterize([StyledGeometry(Surface(corners, triangles))], camera, rectangle)
    return Layer(rgba * np.float32(0.5), rectangle, (box[0], box[1]))


def work(size: int, output: Path) -> None:
    """Time every algorithm; rank 0 writes the figures of all. Collective."""
    from counting import CountingComm
    from mpi4py import MPI

    from insitu.render.camera import Camera
    from insitu.render.compositing import composite
    from insitu.render.compositing.schedule import ALGORITHMS

    comm = MPI.COMM_WORLD
    camera = Camera.default((np.zeros(3), np.ones(3)), size, size)
    mine = layer(block(comm.rank, comm.size), camera)
    active = comm.allreduce(int((mine.rgba[..., 3] > 0).sum()))
    covered = comm.allreduce(mine.rgba[..., 3].size)
    expected = None
    if comm.rank == 0:
        every = [layer(block(i, comm.size), camera) for i in range(comm.size)]
        expected = composite(MPI.COMM_SELF, every, camera.position, size, size)
    found = []
    for algorithm in ALGORITHMS:
        if algorithm == "binary-swap" and comm.size & (comm.size - 1):
            continue
        for precision in ("float16", "float32"):
            options = {"algorithm": algorithm, "precision": precision}
            seconds = []
            for _ in range(REPEATS):
                counting = CountingComm(comm)
                comm.Barrier()
                start = time.perf_counter()
                image = composite(counting, [mine], camera.position, size, size, **options)
                seconds.append(comm.allreduce(time.perf_counter() - start, MPI.MAX))
            sent = counting.nbytes["Isend"] + counting.nbytes["Send"]
            messages = counting.calls["Isend"] + counting.calls["Send"]
            worst = 0.0 if expected is None else float(np.abs(image - expected).max())
            figures = {
                **options,
                "ranks": comm.size,
                "bytes": comm.allreduce(sent),
                "bytes_most": comm.allreduce(sent, MPI.MAX),
                "messages": comm.allreduce(messages),
                "messages_most": comm.allreduce(messages, MPI.MAX),
                "seconds": float(np.median(seconds)),
                "difference": comm.bcast(worst),
                "active": active,
                "covered": covered,
            }
            if figures["difference"] > 1 / 255:
                raise SystemExit(f"{figures}: the picture depends on the algorithm")
            found.append(figures)
    if comm.rank == 0:
        output.write_text(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4, 5, 8, 16])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.size, arguments.work)
        return
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        for n in arguments.ranks:
            command = [__file__, "--size", str(arguments.size), "--work", str(file)]
            paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
            subprocess.run(
                [MPIEXEC, "-n", str(n), sys.executable, *command], env=environment, check=True
            )
            figures += json.loads(file.read_text())
    print(
        "| ranks | algorithm | MiB sent by all | to rectangles in float32 | MiB by one rank, most |"
        " messages by one rank, most | ms | largest difference, of 255 |"
    )
    print("|" + "---|" * 8)
    for f in figures:
        # What direct send of each layer's rectangle would take, strips and the gathering of them.
        n, pixels = f["ranks"], arguments.size**2
        plain = 16 * (f["covered"] + pixels) * (n - 1) / n
        print(
            f"| {n} | {f['algorithm']}, {f['precision']} | {f['bytes'] / MIB:.2f} "
            f"| {f['bytes'] / plain:.2f} | {f['bytes_most'] / MIB:.2f} | {f['messages_most']} "
            f"| {1000 * f['seconds']:.0f} | {255 * f['difference']:.2f} |"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
