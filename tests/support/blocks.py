"""Partitions of analytic fields, for tests: known at every point, split any way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from insitu.mesh.partition import Partition
from insitu.training import ranges
from insitu.training.ranges import GlobalRange, MeasuredBlock

Function = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def blob(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """A smooth bump with a ripple, on the unit cube."""
    r2 = (x - 0.4) ** 2 + (y - 0.55) ** 2 + (z - 0.5) ** 2
    return np.exp(-8 * r2) + 0.1 * np.sin(9 * x + 4 * y) * np.cos(7 * z)


def swirl(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.sin(3 * y) * np.cos(2 * z) + 0.3 * x


def rough(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Nothing in the left half; in the right one more than a small network holds."""
    return np.where(x < 0.5, 0.0, np.sin(40 * x) * np.sin(34 * y + 3) * np.sin(37 * z + 50 * x * y))


def partition(
    functions: Function | Sequence[Function],
    cells: tuple[int, int, int] = (16, 18, 20),
    box: tuple[tuple[float, float], ...] = ((0, 1), (0, 1), (0, 1)),
    association: str = "element",
    ghosts: int = 1,
    dtype: type = np.float32,
    name: str = "density",
) -> Partition:
    """A partition of `cells` (nz, ny, nx) covering `box` (x, y, z), with `ghosts` layers (0, 1)."""
    functions = [functions] if callable(functions) else list(functions)
    nodes = tuple(
        np.linspace(lo, hi, n + 1) for (lo, hi), n in zip(box, reversed(cells), strict=True)
    )
    samples = []
    for lines in nodes:
        step = lines[1] - lines[0]
        at = lines if association == "vertex" else 0.5 * (lines[1:] + lines[:-1])
        before, after = (
            at[0] - step * np.arange(ghosts, 0, -1),
            at[-1] + step * np.arange(1, ghosts + 1),
        )
        samples.append(np.concatenate([before, at, after]))
    z, y, x = np.meshgrid(*reversed(samples), indexing="ij")
    return Partition(
        field=name,
        association=association,
        components=tuple(f(x, y, z).astype(dtype) for f in functions),
        ghost_layers=((ghosts, ghosts),) * 3,
        nodes=nodes,
        domain_id=0,
    )


def split(
    functions: Function | Sequence[Function],
    cells: tuple[int, int, int],
    parts: tuple[int, int, int],
    **options: object,
) -> list[Partition]:
    """The unit cube of `cells` (nz, ny, nx), cut into `parts` along z, y, x."""
    blocks = []
    for index in np.ndindex(*parts):
        cuts = [(n * i // p, n * (i + 1) // p) for n, i, p in zip(cells, index, parts, strict=True)]
        box = tuple((lo / n, hi / n) for (lo, hi), n in zip(cuts, cells, strict=True))
        size = tuple(hi - lo for lo, hi in cuts)
        blocks.append(partition(functions, size, tuple(reversed(box)), **options))
    return blocks


def local_ranges(fields: Mapping[str, Sequence[Partition]]) -> dict[str, GlobalRange]:
    """The figures of some blocks, by field, as training has them of a rank's own."""
    return ranges.local_ranges(
        {name: [MeasuredBlock.of(block) for block in blocks] for name, blocks in fields.items()}
    )
