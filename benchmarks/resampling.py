"""Resampling a mesh of cells to boxes: what it costs in accuracy and in time.

In: nothing; a field of 64 plane waves of a k^(-5/3) spectrum, wave numbers up to 10, at the points
of 6^3 spectral elements of order 7 (74088 hexahedra between Gauss-Lobatto-Legendre points, dealt
out along a space-filling curve) and of 82944 tetrahedra of unequal size. Out: tables (Markdown).

    mpiexec -n 4 python benchmarks/resampling.py
    python benchmarks/resampling.py --networks

Columns: PSNR of the boxes at the mesh's own points (`Resampler.error`); at 10^5 random points
against the field itself, over its range, which includes what the cells' own interpolation is off;
CPU seconds of the slowest rank for the first step, which locates the samples, and for a later one.

--networks: one network, trained on grids of several sizes and kept as it would be, then evaluated
at the mesh's own points. A grid so fine that resampling costs nothing is what drawing training
samples from the cells directly would give.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import sys
from itertools import permutations
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from mpi4py import MPI
from scipy.interpolate import RegularGridInterpolator

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "nekrs"))
from elements import Elements

from insitu.config import FieldConfig, NetworkConfig
from insitu.mesh import Resampler, partitions
from insitu.metrics import psnr, psnr_db
from insitu.training.distributed import train_fields

SIDE = 2 * np.pi
GRIDS = (32, 48, 64, 96, 128)
FINEST = 160
TABLES = (12, 14)
"""log2 of the networks' tables."""


def field(points: np.ndarray, waves: int = 64) -> np.ndarray:
    """(k, 3) -> (k,): periodic in the box of side 2 pi."""
    random = np.random.default_rng(3)
    numbers = np.empty((0, 3))
    while len(numbers) < waves:
        drawn = random.integers(-10, 11, (waves, 3))
        length = np.linalg.norm(drawn, axis=1)
        # As many in each shell of |k|, their amplitudes by the shell's share of the energy.
        kept = (length >= 1) & (length <= 10)
        kept &= random.random(waves) < 1 / np.maximum(length, 1) ** 2
        numbers = np.concatenate([numbers, drawn[kept]])
    numbers = numbers[:waves]
    amplitudes = np.linalg.norm(numbers, axis=1) ** (-5 / 6)
    phases = random.random(waves) * SIDE
    total = np.zeros(len(points))
    for k, a, phase in zip(numbers, amplitudes, phases, strict=True):
        total += a * np.cos(points @ k + phase)
    return total


def hexahedra(comm: MPI.Comm) -> dict[str, Any]:
    elements = Elements(6, 7, comm.rank, comm.size)
    return tree(np.stack(elements.coordinates, axis=1), elements.connectivity, "hex")


def tetrahedra(comm: MPI.Comm, n: int = 24) -> dict[str, Any]:
    """n^3 cubes in six tetrahedra each, their inner points moved by up to a fifth of a cube."""
    random = np.random.default_rng(4)
    index = np.stack(np.meshgrid(*[np.arange(n + 1)] * 3, indexing="ij"), axis=-1)
    inner = ((index > 0) & (index < n)).all(axis=-1, keepdims=True)
    points = (index + inner * random.uniform(-0.2, 0.2, index.shape)) * SIDE / n
    strides = np.array([(n + 1) ** 2, n + 1, 1])
    first = (index[:-1, :-1, :-1] @ strides).ravel()
    # Six paths along the edges of a cube from its first corner to the opposite one.
    paths = [np.cumsum([0, *(strides[axis] for axis in order)]) for order in permutations(range(3))]
    corners = (first[:, None, None] + np.array(paths)).reshape(-1, 4)
    share = np.array_split(np.arange(len(corners)), comm.size)[comm.rank]
    used, numbers = np.unique(corners[share], return_inverse=True)
    return tree(points.reshape(-1, 3)[used], numbers.ravel(), "tet")


def tree(points: np.ndarray, connectivity: np.ndarray, shape: str) -> dict[str, Any]:
    x, y, z = points.T
    elements = {"shape": shape, "connectivity": connectivity}
    values = {"association": "vertex", "topology": "mesh", "values": field(points)}
    return {
        "coordsets": {"coords": {"type": "explicit", "values": {"x": x, "y": y, "z": z}}},
        "topologies": {
            "mesh": {"type": "unstructured", "coordset": "coords", "elements": elements}
        },
        "fields": {"p": values},
    }


def at_random_points(comm: MPI.Comm, boxes: Any) -> float:
    """PSNR of this rank's boxes against the field, joined over ranks; points in each box by its
    volume."""
    sums, low, high = np.zeros(2), np.inf, -np.inf
    for block in partitions(boxes, "p"):
        bounds = np.stack(block.bounds)
        count = int(1e5 * np.prod((bounds[1] - bounds[0]) / SIDE))
        points = np.random.default_rng(comm.rank).uniform(*bounds, (count, 3))
        read = RegularGridInterpolator(block.nodes[::-1], block.owned[0])(points[:, ::-1])
        truth = field(points)
        sums += np.sum((read - truth) ** 2), count
        low, high = truth.min(), truth.max()
    total = comm.allreduce(sums)
    extent = comm.allreduce(high, op=MPI.MAX) - comm.allreduce(low, op=MPI.MIN)
    return psnr_db(total[0] / total[1], extent)


def resampled(comm: MPI.Comm) -> None:
    heads = ["mesh", "grid", "dB at the mesh's points", "dB between", "first step, s", "later, s"]
    say(comm, heads)
    say(comm, ["---"] * len(heads))
    for name, mesh in (("hexahedra", hexahedra(comm)), ("tetrahedra", tetrahedra(comm))):
        for n in GRIDS:
            resampler = Resampler(comm, (n, n, n))
            comm.barrier()
            start = process_time()
            boxes = resampler.to_boxes(mesh, ["p"])
            middle = process_time()
            comm.barrier()
            later = process_time()
            boxes = resampler.to_boxes(mesh, ["p"])
            seconds = np.array([middle - start, process_time() - later])
            slowest = np.empty(2)
            comm.Allreduce(seconds, slowest, op=MPI.MAX)
            at_points = resampler.error(boxes, "p").psnr_db
            between = at_random_points(comm, boxes)
            row = [name, f"{n}^3", f"{at_points:.1f}", f"{between:.1f}"]
            say(comm, [*row, *(f"{s:.2f}" for s in slowest)])


def networks() -> None:
    comm = MPI.COMM_SELF
    mesh = hexahedra(comm)
    values = mesh["fields"]["p"]["values"]
    points = np.stack([*mesh["coordsets"]["coords"]["values"].values()], axis=1)
    heads = ["grid", "dB of the grid"]
    heads += [f"T = 2^{table}: kB, dB at the mesh's points" for table in TABLES]
    say(comm, heads)
    say(comm, ["---"] * len(heads))
    for n in (*GRIDS, FINEST):
        resampler = Resampler(comm, (n, n, n))
        boxes = resampler.to_boxes(mesh, ["p"])
        row = [f"{n}^3", f"{resampler.error(boxes, 'p').psnr_db:.1f}"]
        for table in TABLES:
            shape = NetworkConfig(log2_hashmap_size=table)
            recipe = {"p": FieldConfig(network=shape, iterations=3000).recipe}
            blocks = {"p": partitions(boxes, "p")}
            trained = train_fields(comm, blocks, recipe, {}, cycle=0, time=0.0)
            (kept,) = trained["p"].fields
            read = np.asarray(kept(points)).ravel()
            row.append(f"{len(kept.to_bytes()) / 1000:.1f}, {psnr(read, values):.2f}")
        say(comm, row)


def say(comm: MPI.Comm, cells: list[str]) -> None:
    if comm.rank == 0:
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", action="store_true", help="the second table; one rank")
    if parser.parse_args().networks:
        networks()
    else:
        resampled(MPI.COMM_WORLD)


if __name__ == "__main__":
    main()
