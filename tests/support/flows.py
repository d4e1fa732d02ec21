"""Velocities that are known at every point and time, as the blocks of a distributed field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from mpi4py import MPI

from insitu.core.geometry import Lines
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.fields.metrics import FieldMetrics
from insitu.filters.particles.line_segments import gather_lines

COMM = MPI.COMM_WORLD
Velocity = Callable[[np.ndarray, float], np.ndarray]
Box = tuple[tuple[float, float, float], tuple[float, float, float]]

METRICS = FieldMetrics((0.0,) * 3, (1,) * 3, 0.0, 0, 0, 1, 0, 0.0, False)

UNIT: Box = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass
class AnalyticBlock:
    """A velocity on a box of cells, without samples."""

    velocity: Velocity
    box: Box
    time: float
    cells: tuple[int, int, int] = (8, 8, 8)
    name: str = "velocity"
    association: str = "vertex"
    cycle: int = 0
    asked: list[int] = field(default_factory=list)
    """How many points each time."""

    range = np.array([[-1.0, 1.0]] * 3)
    n_components = 3

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.box[0]), np.array(self.box[1])

    @property
    def nodes(self) -> tuple[np.ndarray, ...]:
        ends = zip(*self.box, reversed(self.cells), strict=True)
        return tuple(np.linspace(a, b, n + 1) for a, b, n in ends)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        self.asked.append(len(points))
        low, high = self.bounds
        values = self.velocity(points, self.time)
        values[~((points >= low) & (points <= high)).all(axis=1)] = np.nan
        return values


def cut(box: Box, parts: tuple[int, int, int]) -> list[Box]:
    """A box in parts along x, y, z."""
    lines = [np.linspace(a, b, n + 1) for a, b, n in zip(*box, parts, strict=True)]
    return [
        tuple(zip(*((lines[a][i], lines[a][i + 1]) for a, i in enumerate(place)), strict=True))
        for place in np.ndindex(*parts)
    ]  # fmt: skip


def spread(n: int, how: str, size: int) -> list[int]:
    """The rank of each of n blocks: in order ("even"), all but the last rank ("empty"), in turns
    ("mixed")."""
    if how == "mixed":
        return [i % size for i in range(n)]
    ranks = max(size - 1, 1) if how == "empty" else size
    return [i * ranks // n for i in range(n)]


def steps(
    velocity: Velocity,
    times: Sequence[float],
    *,
    box: Box = UNIT,
    parts: tuple[int, int, int] = (2, 2, 1),
    how: str = "even",
    cells: tuple[int, int, int] = (8, 8, 8),
    fastest: float = 1.0,
    comm: MPI.Comm = COMM,
) -> list[DistributedField]:
    """The field at these times, its boxes spread over the ranks."""
    boxes = cut(box, parts)
    mine = [
        b for b, r in zip(boxes, spread(len(boxes), how, comm.size), strict=True) if r == comm.rank
    ]
    local = tuple(n // p for n, p in zip(cells, reversed(parts), strict=True))
    made = []
    for cycle, time in enumerate(times):
        summary = Summary(
            "velocity", cycle, time, (np.array(box[0]), np.array(box[1])),
            np.array([[-fastest, fastest]] * 3), METRICS, 1, len(boxes),
        )  # fmt: skip
        blocks = tuple(AnalyticBlock(velocity, b, time, local, cycle=cycle) for b in mine)
        made.append(DistributedField(blocks, summary))
    return made


def rotation(points: np.ndarray, time: float | np.ndarray) -> np.ndarray:
    """Around the middle of the unit cube, ever faster, and up: u = w(t) r, w linear in time, which
    is one for all points or (n,)."""
    rate = 1.0 + 2.0 * time
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    return np.stack([-rate * y, rate * x, np.full(len(points), 0.1 + 0.2 * time)], axis=1)


def rotated(seeds: np.ndarray, start: float, end: float) -> np.ndarray:
    """Where `rotation` takes them."""
    angle = (end + end**2) - (start + start**2)
    x, y = seeds[:, 0] - 0.5, seeds[:, 1] - 0.5
    rise = 0.1 * (end - start) + 0.1 * (end**2 - start**2)
    return np.stack(
        [
            0.5 + x * np.cos(angle) - y * np.sin(angle),
            0.5 + x * np.sin(angle) + y * np.cos(angle),
            seeds[:, 2] + rise,
        ],
        axis=1,
    )


def ring(n: int) -> np.ndarray:
    """Seeds around the axis of `rotation`, low enough to stay in the cube for a unit of time."""
    angle = 2.4 * np.arange(n)
    radius = 0.1 + 0.3 * (np.arange(n) + 0.5) / n
    return np.stack(
        [0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle), 0.1 + 0.3 * radius], axis=1
    )


def whole(lines: Lines) -> Lines:
    """On every rank."""
    return COMM.bcast(gather_lines(COMM, lines))


def last_points(lines: Lines) -> np.ndarray:
    return lines.points[lines.offsets[1:] - 1]


def first_points(lines: Lines) -> np.ndarray:
    return lines.points[lines.offsets[:-1]]
