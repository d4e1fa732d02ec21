"""What a surface is as a whole: its pieces put together by exactly equal coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from insitu.core.geometry import Surface


def merged(pieces: Sequence[Surface]) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3), no two of them equal, and triangles of all pieces."""
    points = np.concatenate([piece.points for piece in pieces])
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    triangles = np.concatenate([p.triangles + s for p, s in zip(pieces, starts, strict=False)])
    unique, places = np.unique(points, axis=0, return_inverse=True)
    return unique, places.reshape(-1)[triangles]


def open_edges(triangles: np.ndarray) -> int:
    """Edges that are not passed as often in one direction as in the other."""
    ends = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()
    forth = Counter(map(tuple, ends))
    return sum(n != forth[b, a] for (a, b), n in forth.items())


def euler(triangles: np.ndarray) -> int:
    """Vertices that are used - edges + triangles: 2 for a sphere, 0 for a torus."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return len(np.unique(triangles)) - len(np.unique(edges, axis=0)) + len(triangles)


def area_and_volume(points: np.ndarray, triangles: np.ndarray) -> tuple[float, float]:
    """Volume is positive where normals point outward."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    cross = np.cross(b - a, c - a)
    return float(np.linalg.norm(cross, axis=1).sum() / 2), float((a * cross).sum() / 6)
