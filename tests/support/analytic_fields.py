"""Blocks whose values are a known function, cut any way and given to any rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from mpi4py import MPI

Function = Callable[[Any, Any, Any], Any]
Lines = tuple[np.ndarray, np.ndarray, np.ndarray]


def wave(x: Any, y: Any, z: Any) -> Any:
    return np.sin(2 * x + y) * np.cos(1.5 * z) + 0.3 * x * y


def flow() -> tuple[Function, Function, Function]:
    """A vector with every derivative, none of them zero."""
    return (
        wave,
        lambda x, y, z: np.cos(x - 2 * y) + 0.2 * z * x,
        lambda x, y, z: np.exp(-0.5 * (x * x + y * y)) * z + np.sin(y * z),
    )


@dataclass(frozen=True)
class AnalyticBlock:
    """A `SampledBlock` that is a function; its derivatives are exact."""

    functions: tuple[Function, ...]
    nodes: Lines
    name: str = "f"
    association: str = "element"
    cycle: int = 3
    time: float = 0.25

    @property
    def cells(self) -> tuple[int, int, int]:
        x, y, z = (len(n) - 1 for n in self.nodes)
        return z, y, x

    @property
    def n_components(self) -> int:
        return len(self.functions)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([n[0] for n in self.nodes]), np.array([n[-1] for n in self.nodes])

    @property
    def range(self) -> np.ndarray:
        axes = [n if self.association == "vertex" else 0.5 * (n[1:] + n[:-1]) for n in self.nodes]
        x, y, z = np.meshgrid(*axes, indexing="ij")
        values = [np.broadcast_to(f(x, y, z), x.shape) for f in self.functions]
        with np.errstate(invalid="ignore"):
            return np.array([[np.nanmin(v), np.nanmax(v)] for v in values])

    def __call__(self, points: Any) -> np.ndarray:
        points = np.asarray(points, float)
        values = self._at(points)
        values[~self._inside(points)] = np.nan
        return values[:, 0] if self.n_components == 1 else values

    def gradient(self, points: Any) -> np.ndarray:
        """By the complex step, which has no difference to lose digits in."""
        points = np.asarray(points, float)
        slopes = np.empty((len(points), self.n_components, 3))
        for axis in range(3):
            shifted = points.astype(complex)
            shifted[:, axis] += 1e-30j
            slopes[:, :, axis] = self._at(shifted).imag / 1e-30
        slopes[~self._inside(points)] = np.nan
        return slopes[:, 0] if self.n_components == 1 else slopes

    def on_grid(self, xs: np.ndarray, ys: np.ndarray, zs: np.ndarray) -> np.ndarray:
        x, y, z = (
            np.interp(at, np.linspace(0, 1, len(n)), n)
            for at, n in zip((xs, ys, zs), self.nodes, strict=True)
        )
        grid = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1)
        return self._at(grid.reshape(-1, 3)).reshape(*grid.shape[:3], -1)

    def _at(self, points: np.ndarray) -> np.ndarray:
        x, y, z = points.T
        return np.stack([np.broadcast_to(f(x, y, z), x.shape) for f in self.functions], axis=1)

    def _inside(self, points: np.ndarray) -> np.ndarray:
        low, high = self.bounds
        return ((points >= low) & (points <= high)).all(axis=1)


def lines(
    cells: tuple[int, int, int] = (10, 8, 12),
    box: Sequence[tuple[float, float]] = ((-1, 1), (0, 1.5), (-0.5, 1)),
    stretch: float = 0.0,
) -> Lines:
    """Node coordinates x, y, z of `cells` (nz, ny, nx), uneven by the share `stretch`."""
    axes = []
    for (lo, hi), n in zip(box, reversed(cells), strict=True):
        u = np.linspace(0, 1, n + 1)
        axes.append(lo + (hi - lo) * (u + stretch * np.sin(np.pi * u) / np.pi))
    return axes[0], axes[1], axes[2]


def cut(whole: Lines, parts: tuple[int, int, int]) -> list[Lines]:
    """Node lines of the blocks of a grid cut into `parts` along z, y, x."""
    spans = []
    for nodes, n in zip(whole, reversed(parts), strict=True):
        edges = [(len(nodes) - 1) * i // n for i in range(n + 1)]
        spans.append([nodes[a : b + 1] for a, b in pairwise(edges)])
    return [(x, y, z) for z, y, x in product(*reversed(spans))]


def mine(comm: Any, blocks: Sequence[Any], *, empty: bool = True) -> list[Any]:
    """This rank's of all blocks, dealt out; with `empty`, the last of several ranks has none."""
    hands = comm.size - 1 if empty and comm.size > 1 else comm.size
    return [block for i, block in enumerate(blocks) if i % hands == comm.rank]


NODES = lines(stretch=0.3)


def step(
    parts: tuple = (2, 2, 3), association: str = "element", comm: MPI.Comm = MPI.COMM_WORLD
) -> dict:
    """A wave and a flow on an uneven grid, cut into `parts` and dealt out; the last rank of several
    has none."""
    nodes = cut(NODES, parts)
    return {
        "pressure": mine(comm, [AnalyticBlock((wave,), n, association=association) for n in nodes]),
        "velocity": mine(comm, [AnalyticBlock(flow(), n) for n in nodes]),
    }
