"""Meshes of cells for tests: the unit cube in cells of one shape or several, dealt out to ranks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

# A unit hexahedron, its corners numbered as VTK numbers them, in cells of each shape.
SPLITS: dict[str, list[tuple[int, ...]]] = {
    "hex": [(0, 1, 2, 3, 4, 5, 6, 7)],
    "wedge": [(0, 1, 2, 4, 5, 6), (0, 2, 3, 4, 6, 7)],
    "tet": [(0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)],
    # From the corner 6, the three faces that do not hold it.
    "pyramid": [(0, 1, 2, 3, 6), (0, 4, 5, 1, 6), (0, 3, 7, 4, 6)],
}


def bent(points: np.ndarray) -> np.ndarray:
    """A map of the unit cube onto itself that moves what is inside of it and of its faces."""
    x, y, z = points.T
    wave = 0.06 * np.sin(np.pi * x) * np.sin(np.pi * y) * np.sin(np.pi * z)
    return np.stack([x + wave, y - 1.3 * wave, z + 0.7 * wave], axis=1)


def cube(n: int, shape: str, move: Callable[[np.ndarray], np.ndarray] = bent) -> tuple:
    """Points (k, 3) and connectivity (m, corners) of n^3 hexahedra split into `shape`."""
    axis = np.linspace(0, 1, n + 1)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    points = move(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1))
    numbers = np.arange(len(points)).reshape(n + 1, n + 1, n + 1)
    corners = [
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 1),
        (0, 1, 0),
        (1, 0, 0),
        (1, 0, 1),
        (1, 1, 1),
        (1, 1, 0),
    ]
    cells = [
        [numbers[k + c[0], j + c[1], i + c[2]] for c in corners]
        for k, j, i in product(range(n), repeat=3)
    ]
    return points, np.array([[cell[c] for c in part] for cell in cells for part in SPLITS[shape]])


def tree(
    points: np.ndarray,
    connectivity: np.ndarray,
    shape: str,
    *,
    duplicated: bool = False,
    **state: Any,
) -> dict[str, Any]:
    """A domain of these cells, without fields; its points those that it uses, or a set per cell."""
    if duplicated:
        used, numbers = connectivity.ravel(), np.arange(connectivity.size)
    else:
        used, numbers = np.unique(connectivity, return_inverse=True)
    x, y, z = points[used].T
    elements = {"shape": shape, "connectivity": numbers.ravel().astype(np.int32)}
    return {
        "state": state,
        "coordsets": {"c": {"type": "explicit", "values": {"x": x, "y": y, "z": z}}},
        "topologies": {"t": {"type": "unstructured", "coordset": "c", "elements": elements}},
        "fields": {},
    }


def coordinates(domain: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = domain["coordsets"]["c"]["values"]
    return values["x"], values["y"], values["z"]


def centers(domain: dict[str, Any], n_corners: int) -> np.ndarray:
    """(m, 3), of a domain's cells."""
    connectivity = domain["topologies"]["t"]["elements"]["connectivity"].reshape(-1, n_corners)
    return np.stack(coordinates(domain), axis=1)[connectivity].mean(axis=1)


def add(domain: dict[str, Any], name: str, values: Any, association: str = "vertex") -> None:
    domain["fields"][name] = {"topology": "t", "association": association, "values": values}
