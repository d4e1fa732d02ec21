"""Blocks that are functions known everywhere, cut out of one grid in any way, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class AnalyticBlock:
    """A `SampledBlock` of functions of x, y, z, one per component; gradients by differences."""

    functions: tuple[Function, ...]
    nodes: tuple[np.ndarray, np.ndarray, np.ndarray]
    noise: float = 0.0
    """Added to all values: networks of two blocks differ on the face between them."""
    name: str = "f"
    association: str = "element"
    cycle: int = 0
    time: float = 0.0

    @property
    def cells(self) -> tuple[int, int, int]:
        x, y, z = self.nodes
        return z.size - 1, y.size - 1, x.size - 1

    @property
    def n_components(self) -> int:
        return len(self.functions)

    @property
    def range(self) -> np.ndarray:
        values = self.on_grid(*(np.linspace(0, 1, n.size) for n in self.nodes))
        flat = values.reshape(-1, self.n_components)
        return np.stack([np.nanmin(flat, axis=0), np.nanmax(flat, axis=0)], axis=1)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([n[0] for n in self.nodes]), np.array([n[-1] for n in self.nodes])

    def __call__(self, points: np.ndarray) -> np.ndarray:
        points = np.asarray(points, np.float64)
        values = self._at(*points.T)
        low, high = self.bounds
        values[((points < low) | (points > high)).any(axis=1)] = np.nan
        return values[:, 0] if self.n_components == 1 else values

    def gradient(self, points: np.ndarray) -> np.ndarray:
        points, step = np.asarray(points, np.float64), 1e-5
        columns = []
        for axis in np.eye(3) * step:
            columns.append((self._at(*(points + axis).T) - self._at(*(points - axis).T)) / 2 / step)
        slopes = np.stack(columns, axis=-1)
        return slopes[:, 0] if self.n_components == 1 else slopes

    def on_grid(self, xs: np.ndarray, ys: np.ndarray, zs: np.ndarray) -> np.ndarray:
        lines = [
            np.interp(unit, np.linspace(0, 1, n.size), n)
            for unit, n in zip((xs, ys, zs), self.nodes, strict=True)
        ]
        z, y, x = np.meshgrid(*reversed(lines), indexing="ij")
        return self._at(x, y, z)

    def _at(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.stack([f(x, y, z) + self.noise for f in self.functions], axis=-1)


def sphere(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Higher inside; 0 at radius 0.3 around a point that is nothing special."""
    return 0.3 - np.sqrt((x - 0.47) ** 2 + (y - 0.52) ** 2 + (z - 0.49) ** 2)


def torus(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    ring = np.hypot(x - 0.49, y - 0.51) - 0.27
    return 0.12 - np.hypot(ring, z - 0.48)


def boxes(cells: tuple[int, int, int], parts: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Index boxes (first, last) z, y, x: `cells` cut in two along its longest axis, unevenly, and
    again, until there are so many. Not a regular grid of blocks."""
    pieces = [(np.zeros(3, int), np.array(cells))]
    while len(pieces) < parts:
        pieces.sort(key=lambda box: int(np.prod(box[1] - box[0])))
        first, last = pieces.pop()
        axis = int(np.argmax(last - first))
        cut = first[axis] + max(1, 5 * (last[axis] - first[axis]) // 11)
        middle_last, middle_first = last.copy(), first.copy()
        middle_last[axis] = middle_first[axis] = cut
        pieces += [(first, middle_last), (middle_first, last)]
    return sorted(pieces, key=lambda box: tuple(box[0]))


def blocks(
    functions: Function | Sequence[Function],
    cells: tuple[int, int, int] = (18, 20, 22),
    parts: int = 1,
    *,
    stretch: float = 0.3,
    noise: float = 0.0,
    rounding: float = 0.0,
    name: str = "f",
) -> list[AnalyticBlock]:
    """The unit cube of stretched cells in `parts` blocks; block i is off by noise * (-1)^i * i, and
    its grid lines by up to `rounding` of themselves."""
    functions = (functions,) if callable(functions) else tuple(functions)
    lines = []
    for n in cells[::-1]:
        u = np.linspace(0, 1, n + 1)
        lines.append(u + stretch * np.sin(2 * np.pi * u) / (2 * np.pi))
    made = []
    for i, (first, last) in enumerate(boxes(cells, parts)):
        own = []
        for along, a, b in zip(lines, first[::-1], last[::-1], strict=True):
            own.append(along[a : b + 1] * (1 + rounding * i))
        made.append(AnalyticBlock(functions, tuple(own), noise * i * (-1) ** i, name))
    return made


def dealt(everything: list, rank: int, size: int) -> list:
    """Blocks to ranks in turn; of several ranks the last gets none."""
    return [block for i, block in enumerate(everything) if i % max(size - 1, 1) == rank]
