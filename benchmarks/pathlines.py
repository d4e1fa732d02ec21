"""How far pathlines through networks are from those through the raw data, per dB, and what helps.

In: the CloverLeaf example, and a flow of vortices that turn with time. Out: three tables.

    python benchmarks/pathlines.py [--cells 64] [--seeds 2000]
    mpiexec -n 4 python benchmarks/pathlines.py      # blocks, and particles that change ranks

Backward pathlines (RK4, default step) from random seeds through a window of six steps. The raw
field is trilinear between its samples, and linear in time as the networks are; both take the same
steps. A line's deviation is the mean distance of its points from those of the raw line, in cells.
"Slow" are the seeds of the lowest tenth of speeds, averaged along the raw line, of those that move
at all, "at rest" those that do not; DVNR (Wu et al., doi:10.1109/TVCG.2024.3432710) finds its
largest deviations there.

First table: velocity at several targets. Second: velocity as it is, and transforms of it that give
slow regions a larger share of the loss, undone when it is read: asinh of each component over a part
of the greatest speed; logarithm of the speed, and direction. Each is trained at several targets
(dB of what is trained); the deviations are those at the bytes that velocity as it is takes at two
of the first table's targets, between the nearest ones by straight lines in logarithms, "-" where
they do not reach so far. Third: speed of the integration, of 4096 seeds through 240 steps in time.
Seconds are CPU time of rank 0.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy starts its threads

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
from mpi4py import MPI

from insitu.config import FieldConfig
from insitu.core.geometry import Lines
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.filters.particles.line_segments import gather_lines
from insitu.filters.particles.pathlines import pathlines
from insitu.filters.particles.seeds import box_seeds
from insitu.mesh import partitions
from insitu.mesh.partition import Partition
from insitu.models.choice import ModelChoice
from insitu.training.distributed import train_fields
from insitu.training.ranges import grid_sampler

COMM = MPI.COMM_WORLD
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"
TARGETS = (30.0, 36.0, 42.0, 48.0)
EQUAL = (36.0, 42.0)
"""Targets of velocity as it is, whose bytes the transforms are compared at."""
OTHERS = (24.0, 30.0, 36.0, 42.0, 48.0)
"""Targets of the transforms."""
MANY, STEPS = 4096, 240
CYCLES = range(65, 95, 5)
"""Of the example; with the default step a few dozen steps of a line."""
MOVING = 0.05
"""Of a cell: a raw line this long moves at all."""
Arrays = tuple[np.ndarray, ...]
Transform = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Window:
    """A series of steps: time, and this rank's blocks of the velocity."""

    name: str
    times: tuple[float, ...]
    blocks: tuple[tuple[Partition, ...], ...]

    @property
    def greatest(self) -> float:
        """The greatest speed. Collective."""
        mine = [np.sqrt(sum(c**2 for c in b.components)).max() for s in self.blocks for b in s]
        return COMM.allreduce(float(max(mine, default=0.0)), op=MPI.MAX)


def cloverleaf(cells: int) -> Window:
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    simulation = CloverLeaf(EXAMPLE / "clover.in", COMM, cells=(cells,) * 3)
    times, blocks = [], []
    while simulation.cycle < CYCLES[-1]:
        simulation.step()
        if simulation.cycle in CYCLES:
            found = partitions(simulation.mesh(), "velocity", ghosts="ignore")
            own = [replace(b, components=tuple(c.copy() for c in b.components)) for b in found]
            times.append(simulation.time)
            blocks.append(tuple(own))
    return Window("CloverLeaf", tuple(times), tuple(blocks))


def vortices(cells: int) -> Window:
    """Taylor-Green vortices around z and around x, the first fading, the second growing; nothing
    goes through the faces of the box. A slab of z for each rank."""
    times = tuple(np.linspace(0.0, 2.0, 6))
    lines = [np.linspace(0.0, 2 * np.pi, cells + 1) for _ in range(3)]
    first, last = cells * COMM.rank // COMM.size, cells * (COMM.rank + 1) // COMM.size
    lines[2] = lines[2][first : last + 1]
    z, y, x = np.meshgrid(*reversed(lines), indexing="ij")
    steps = []
    for time in times:
        a, b = np.cos(time / 2), np.sin(time / 2)
        around_z = (np.sin(x) * np.cos(y) * np.cos(z), -np.cos(x) * np.sin(y) * np.cos(z), 0 * x)
        around_x = (0 * x, np.cos(x) * np.sin(y) * np.cos(z), -np.cos(x) * np.cos(y) * np.sin(z))
        components = tuple(
            (a * p + b * q).astype(np.float64) for p, q in zip(around_z, around_x, strict=True)
        )
        block = Partition("velocity", "vertex", components, ((0, 0),) * 3, tuple(lines), COMM.rank)
        steps.append((block,))
    return Window("vortices", times, tuple(steps))


@dataclass(frozen=True)
class Raw:
    """A raw block as a function: trilinear between its samples."""

    partition: Partition
    name = "velocity"
    n_components = 3

    @property
    def nodes(self) -> Arrays:
        return self.partition.nodes

    @property
    def bounds(self) -> Arrays:
        return self.partition.bounds

    def __call__(self, points: np.ndarray) -> np.ndarray:
        unit = [
            np.interp(points[:, a], nodes, np.linspace(0, 1, len(nodes)))
            for a, nodes in enumerate(self.nodes)
        ]
        return grid_sampler(self.partition).sample(np.stack(unit, axis=1).astype(np.float32))


@dataclass(frozen=True)
class Undone:
    """A trained block whose values stand for a velocity."""

    trained: object
    undo: Transform
    name = "velocity"
    n_components = 3

    @property
    def nodes(self) -> Arrays:
        return self.trained.nodes

    @property
    def bounds(self) -> Arrays:
        return self.trained.bounds

    def __call__(self, points: np.ndarray) -> np.ndarray:
        values = self.trained(points).astype(np.float64)
        return np.stack(self.undo(tuple(values.T)), axis=1)


def as_it_is(components: Arrays) -> Arrays:
    return components


def asinh(scale: float) -> tuple[Transform, Transform]:
    return (
        lambda v: tuple(np.arcsinh(c / scale) for c in v),
        lambda t: tuple(scale * np.sinh(c) for c in t),
    )


def speed_and_direction(scale: float) -> tuple[Transform, Transform]:
    def forward(v: Arrays) -> Arrays:
        speed = np.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2)
        along = np.where(speed > 0, speed, 1.0)
        return (np.log1p(speed / scale), *(c / along for c in v))

    def back(t: Arrays) -> Arrays:
        length = np.sqrt(t[1] ** 2 + t[2] ** 2 + t[3] ** 2)
        factor = scale * np.expm1(np.maximum(t[0], 0.0)) / np.where(length > 0, length, 1.0)
        return tuple(factor * c for c in t[1:])

    return forward, back


def trained(
    window: Window, forward: Transform, undo: Transform, **target: float
) -> tuple[list[DistributedField], float]:
    """The window as networks, and their bytes per step. Collective."""
    recipe = FieldConfig(model=ModelChoice("hash_grid"), **target).recipe
    before: dict[str, DistributedField] = {}
    fields, nbytes, memories = [], 0, {}
    raw = reference(window)
    for cycle, (time, blocks) in enumerate(zip(window.times, window.blocks, strict=True)):
        given = [replace(b, components=tuple(forward(b.components))) for b in blocks]
        before = train_fields(
            COMM, {"velocity": given}, {"velocity": recipe}, before, memories=memories,
            cycle=cycle, time=time,
        )  # fmt: skip
        field = before["velocity"]
        nbytes += field.summary.nbytes
        parts = tuple(Undone(block, undo) for block in field.fields)
        fields.append(DistributedField(parts, raw[cycle].summary))
    return fields, nbytes / len(fields)


def reference(window: Window) -> list[DistributedField]:
    """The raw window. Collective."""
    fields = []
    for cycle, (time, blocks) in enumerate(zip(window.times, window.blocks, strict=True)):
        low = np.min([b.bounds[0] for b in blocks], axis=0)
        high = np.max([b.bounds[1] for b in blocks], axis=0)
        least = np.array([[c.min() for c in b.owned] for b in blocks]).min(axis=0)
        most = np.array([[c.max() for c in b.owned] for b in blocks]).max(axis=0)
        ends = np.empty(12)
        COMM.Allreduce(np.concatenate([low, -high, least, -most]), ends, op=MPI.MIN)
        ranges = np.stack([ends[6:9], -ends[9:]], axis=1)
        summary = Summary("velocity", cycle, time, (ends[:3], -ends[3:6]), ranges, None, 0, 0)
        fields.append(DistributedField(tuple(map(Raw, blocks)), summary))
    return fields


def psnr(raw: Sequence[DistributedField], fields: Sequence[DistributedField]) -> float:
    """dB over random points of all steps, against the ranges of components. Collective."""
    total = np.zeros(2)
    for one, other in zip(raw, fields, strict=True):
        extents = one.summary.range[:, 1] - one.summary.range[:, 0]
        there = extents > 0
        for a, b in zip(one.fields, other.fields, strict=True):
            points = box_seeds(*a.bounds, 20_000, seed=one.summary.cycle)
            errors = (a(points) - b(points))[:, there] / extents[there]
            total += [np.square(errors).sum(), errors.size]
    total = COMM.allreduce(total)
    return -10 * float(np.log10(total[0] / total[1]))


@dataclass(frozen=True)
class Lengths:
    """Of raw lines, in cells; which are slow and which are not, of those that move; which rest."""

    lines: Lines
    cell: float
    length: np.ndarray
    slow: np.ndarray
    others: np.ndarray
    still: np.ndarray


def measured(lines: Lines, cell: float, n: int) -> Lengths:
    """length: (n,), of every seed's line, in cells."""
    number = lines.values["line"].astype(int)
    moves = np.linalg.norm(np.diff(lines.points, axis=0), axis=1) / cell
    same = np.diff(number) == 0
    length = np.bincount(number[1:][same], moves[same], minlength=n)
    moving = length > MOVING
    points = np.maximum(np.bincount(number, minlength=n), 1)
    speed = np.bincount(number, lines.values["speed"], minlength=n) / points
    slow = moving & (speed <= np.quantile(speed[moving], 0.1))
    return Lengths(lines, cell, length, slow, moving & ~slow, ~moving)


def deviations(raw: Lengths, lines: Lines) -> np.ndarray:
    """(n,): mean distance of each line from the raw one, at the same times, in cells."""
    n = len(raw.length)
    steps = 10**6
    keys = [x.values["line"] * steps - x.values["step"] for x in (raw.lines, lines)]
    _, ours, theirs = np.intersect1d(keys[0], keys[1], return_indices=True)
    away = np.linalg.norm(raw.lines.points[ours] - lines.points[theirs], axis=1) / raw.cell
    number = raw.lines.values["line"][ours].astype(int)
    counts = np.maximum(np.bincount(number, minlength=n), 1)
    return np.bincount(number, away, minlength=n) / counts


def columns(raw: Lengths, away: np.ndarray) -> list[float]:
    """Of slow lines, then of the others: median and 9th decile in cells, % of the length; of those
    at rest: median and 9th decile."""
    figures: list[float] = []
    for group in (raw.slow, raw.others):
        figures += np.quantile(away[group], (0.5, 0.9)).tolist()
        figures.append(100 * away[group].sum() / raw.length[group].sum())
    some = raw.still.any()
    return figures + (np.quantile(away[raw.still], (0.5, 0.9)).tolist() if some else [np.nan] * 2)


def traced(
    fields: Sequence[DistributedField], seeds: np.ndarray, step: float | None = None
) -> tuple[Lines | None, float]:
    start = process_time()
    lines = pathlines(COMM, fields, seeds, direction="backward", step=step)
    seconds = process_time() - start
    whole = gather_lines(COMM, lines)
    return whole if COMM.rank == 0 else None, seconds


def show(*cells: object) -> None:
    if COMM.rank == 0:
        numbers = ("-" if np.isnan(c) else f"{c:.4g}" for c in cells if isinstance(c, float))
        words = [next(numbers) if isinstance(cell, float) else str(cell) for cell in cells]
        print(f"| {' | '.join(words)} |" if cells else "", flush=True)


GROUPS = ["slow: median", "90 %", "% of length", "others: median", "90 %", "% of length"]
GROUPS += ["at rest: median", "90 %"]


@dataclass(frozen=True)
class Case:
    """A window and its raw lines; `lengths` on rank 0 alone."""

    window: Window
    raw: list[DistributedField]
    seeds: np.ndarray
    lengths: Lengths | None

    @staticmethod
    def of(window: Window, cells: int, n: int) -> Case:
        raw = reference(window)
        low, high = raw[0].summary.bounds
        seeds = box_seeds(low, high, n, seed=1)
        lines, _ = traced(raw, seeds)
        lengths = None if lines is None else measured(lines, float((high - low)[0] / cells), n)
        if lengths is not None:
            groups = (lengths.slow, lengths.others)
            medians = [np.median(lengths.length[group]) for group in groups]
            print(
                f"{window.name}: {sum(map(np.sum, groups))} of {n} lines move; median length in "
                f"cells {medians[0]:.2f} (slow), {medians[1]:.2f} (others)",
                flush=True,
            )
        return Case(window, raw, seeds, lengths)

    def run(
        self, target: float, forward: Transform = as_it_is, undo: Transform = as_it_is
    ) -> list[float]:
        """dB, bytes per step, `columns`; on rank 0, else empty. Collective."""
        fields, nbytes = trained(self.window, forward, undo, psnr=target)
        quality = psnr(self.raw, fields)
        lines, _ = traced(fields, self.seeds)
        if lines is None or self.lengths is None:
            return []
        return [quality, nbytes, *columns(self.lengths, deviations(self.lengths, lines))]


def at_bytes(nbytes: float, runs: list[list[float]]) -> list[float | str]:
    """`columns` of several runs, between them at so many bytes."""
    table = np.log(np.array(sorted(run[1:] for run in runs)))
    wanted = np.log(nbytes)
    if not table[0, 0] <= wanted <= table[-1, 0]:
        return ["-"] * (table.shape[1] - 1)
    return [float(np.exp(np.interp(wanted, table[:, 0], column))) for column in table.T[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=64, help="of the domain, each way")
    parser.add_argument("--seeds", type=int, default=2000)
    arguments = parser.parse_args()
    cases = [
        Case.of(window, arguments.cells, arguments.seeds)
        for window in (cloverleaf(arguments.cells), vortices(arguments.cells))
    ]
    show("flow", "target", "dB", "B per step", *GROUPS)
    show(*["---"] * 12)
    plain: dict[str, dict[float, list[float]]] = {}
    for case in cases:
        plain[case.window.name] = {}
        for target in TARGETS:
            figures = plain[case.window.name][target] = case.run(target)
            show(case.window.name, f"{target:g} dB", *figures)
    show()
    show("flow", "bytes of", "velocity as", *GROUPS)
    show(*["---"] * 11)
    for case in cases:
        name, greatest = case.window.name, case.window.greatest
        ways = {f"asinh, 1/{n}": asinh(greatest / n) for n in (2, 10, 50)}
        ways["log speed, direction"] = speed_and_direction(greatest / 10)
        for target in EQUAL:
            show(name, f"{target:g} dB", "it is", *plain[name][target][2:])
        for way, (forward, undo) in ways.items():
            runs = [case.run(target, forward, undo) for target in OTHERS]
            for target in EQUAL if COMM.rank == 0 else ():
                nbytes = plain[name][target][1]
                show(name, f"{target:g} dB", way, *at_bytes(nbytes, runs))
    show()
    show("field", "points of lines", "s", "million velocities per s")
    show(*["---"] * 4)
    case = cases[1]
    seeds = box_seeds(*case.raw[0].summary.bounds, MANY, seed=2)
    step = (case.window.times[-1] - case.window.times[0]) / STEPS
    networks, _ = trained(case.window, as_it_is, as_it_is, psnr=EQUAL[0])
    for name, fields in (("raw", case.raw), ("networks", networks)):
        lines, seconds = traced(fields, seeds, step)
        if lines is not None:
            n = len(lines.points)
            show(f"{case.window.name}, {name}", n, seconds, 4 * (n - MANY) / seconds / 1e6)


if __name__ == "__main__":
    main()
