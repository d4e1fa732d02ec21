"""Gaussians on points against linear interpolation, a grid and a hash grid.

In: nothing; the nodes of the nekRS example (Taylor-Green, velocity x) and of a tetrahedral mesh of
unequal cells (64 plane waves, as in `resampling.py`), a tenth of them held back. Out: a table
(Markdown) for each: points per Gaussian (or per point or sample that is kept), PSNR at the points
and, after the slash, at those held back; CPU seconds on one core; raw bytes over stored ones.

    python benchmarks/gaussians.py [--cells 42] [--ratios 5 10 20 40 80 160] [--steps 100]

Gaussians: `insitu.compress_points`, stored as always; with constants instead of linear functions
beside. Linear: scipy's LinearNDInterpolator of as many points, drawn at random, nearest ones
outside their hull, stored as float32. Grid: as many samples, interpolated linearly from all points,
read trilinearly, stored as float32. Hash grid: trained on a grid of as many samples as points, in
the bytes of the Gaussians.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np
from mpi4py import MPI
from resampling import tetrahedra
from scipy.interpolate import (
    LinearNDInterpolator,
    NearestNDInterpolator,
    RegularGridInterpolator,
)
from volumes import partition

import insitu
from insitu import models
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "nekrs"))
from taylor_green import TaylorGreen

RATIOS = (5, 10, 20, 40, 80, 160)
HELD_BACK = 0.1
HEADS = (
    "points per Gaussian", "Gaussians, dB", "s", "bytes", "of constants, dB", "linear, dB", "bytes",
    "grid, dB", "hash grid, dB", "s",
)  # fmt: skip

Read = Callable[[np.ndarray], np.ndarray]


class Points(NamedTuple):
    """Points of the unit cube (n, 3) and their values (n,), those that are given and the others."""

    given: np.ndarray
    values: np.ndarray
    others: np.ndarray
    truth: np.ndarray

    @staticmethod
    def of(x: np.ndarray, values: np.ndarray) -> Points:
        x = (x - x.min(axis=0)) / np.ptp(x, axis=0)
        _, first = np.unique(x.round(6), axis=0, return_index=True)
        mixed = np.random.default_rng(0).permutation(first)
        held = round(HELD_BACK * len(mixed))
        some, rest = mixed[:held], mixed[held:]
        values = values.astype(np.float32)
        return Points(x[rest], values[rest], x[some], values[some])

    def scores(self, read: Read) -> str:
        """PSNR in dB at the points / at those held back; of those where there is a value."""
        extent, found = np.ptp(self.values), []
        for at, truth in ((self.given, self.values), (self.others, self.truth)):
            rms = np.sqrt(np.nanmean(np.square(read(at) - truth)))
            found.append(f"{20 * np.log10(extent / rms):.1f}")
        return " / ".join(found)


def nekrs(cells: int, steps: int) -> Points:
    """About (cells + 1)^3 nodes."""
    flow = TaylorGreen(MPI.COMM_SELF, elements=max(1, round(cells / 7)), steps=steps)
    while not flow.done:
        flow.step()
    x, y, z = flow.elements.coordinates
    values = flow.mesh()["fields"]["velocity_x"]["values"]
    return Points.of(np.stack([x, y, z], axis=1), values)


def mesh_of_tetrahedra(cells: int, _: int) -> Points:
    mesh = tetrahedra(MPI.COMM_SELF, cells)
    x = np.stack([mesh["coordsets"]["coords"]["values"][axis] for axis in "xyz"], axis=1)
    return Points.of(x, mesh["fields"]["p"]["values"])


def linear(points: np.ndarray, values: np.ndarray) -> Read:
    within = LinearNDInterpolator(points, values)
    beyond = NearestNDInterpolator(points, values)

    def read(at: np.ndarray) -> np.ndarray:
        found = within(at)
        outside = np.isnan(found)
        found[outside] = beyond(at[outside])
        return found

    return read


def samples(read: Read, side: int) -> np.ndarray:
    """(side, side, side), axes z, y, x, from face to face."""
    axis = np.linspace(0, 1, side)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    return read(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)).reshape(side, side, side)


def of_grid(values: np.ndarray) -> Read:
    read = RegularGridInterpolator([np.linspace(0, 1, n) for n in values.shape], values)
    return lambda at: read(at[:, ::-1])


def rows(points: Points, ratios: Iterable[int]) -> Iterable[list[str]]:
    n = len(points.given)
    raw = points.values.nbytes
    every = linear(points.given, points.values)
    fine = samples(every, round(n ** (1 / 3))).astype(np.float32)
    for ratio in ratios:
        count = n // ratio
        start = process_time()
        field = insitu.compress_points(points.given, points.values, n_gaussians=count)
        seconds = process_time() - start
        constants = insitu.compress_points(points.given, points.values, n_gaussians=count, degree=0)
        kept = np.random.default_rng(1).choice(n, count, replace=False)
        few = linear(points.given[kept], points.values[kept])
        coarse = of_grid(samples(every, max(2, round(count ** (1 / 3)))))
        start = process_time()
        job = TrainingJob.of(
            partition(fine),
            models.make("hash_grid", {}),
            options=TrainingOptions(epochs=4),
            target=Target(ratio=fine.nbytes / field.nbytes),
            sized_by_target=True,
        )
        peer = train(job)
        of_peer = process_time() - start
        low, high = peer.bounds

        def read_peer(at: np.ndarray, peer=peer, low=low, high=high) -> np.ndarray:  # type: ignore[no-untyped-def]
            # Its samples lie at the middles of cells, those of `fine` from face to face.
            cells = np.array(fine.shape[::-1])
            return peer(low + (high - low) * (at * (cells - 1) + 0.5) / cells)

        yield [
            str(ratio), points.scores(field), f"{seconds:.1f}", f"{raw / field.nbytes:.0f}x",
            points.scores(constants), points.scores(few), f"{raw / (16 * count):.0f}x",
            points.scores(coarse), points.scores(read_peer), f"{of_peer:.1f}",
        ]  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=42, help="cells along an axis")
    parser.add_argument("--ratios", type=int, nargs="+", default=RATIOS)
    parser.add_argument("--steps", type=int, default=100, help="of the flow")
    options = parser.parse_args(arguments)
    for title, make in (("nekRS example", nekrs), ("tetrahedra", mesh_of_tetrahedra)):
        points = make(options.cells, options.steps)
        print(f"\n{title}: {len(points.given)} points, {len(points.others)} held back\n")
        for line in (HEADS, ["---"] * len(HEADS)):
            print(f"| {' | '.join(line)} |", flush=True)
        for row in rows(points, options.ratios):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
