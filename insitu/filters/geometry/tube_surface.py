"""Tubes with flat sides around lines.

In: polylines with values. Out: a surface of triangles with the same values.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.core.geometry import Lines, Surface


def tube_surface(lines: Lines, radius: float, sides: int, *, capped: bool = False) -> Surface:
    """Rings of `sides` points around each point of the lines, joined along them; with `capped`,
    closed at both ends of each line. Lines of one point have no tube. radius: world.

    Rings turn with the line and not about it: each is the one before, projected (the rotation
    minimizing frame to first order).
    """
    rings: list[Floats] = []
    triangles: list[Indices] = []
    normals: list[Floats] = []
    numbers: list[Indices] = []
    start = 0
    for first, end in zip(lines.offsets[:-1].tolist(), lines.offsets[1:].tolist(), strict=True):
        if end - first < 2:
            continue
        points = np.asarray(lines.points[first:end], np.float64)
        around = _directions(points, sides)  # (n, sides, 3)
        n = len(points)
        rings.append((points[:, None] + radius * around).reshape(-1, 3))
        normals.append(around.reshape(-1, 3))
        numbers.append(np.repeat(np.arange(first, end), sides))
        triangles.append(start + _sides(n, sides))
        start += n * sides
        if capped:
            for at, along in ((0, points[0] - points[1]), (n - 1, points[-1] - points[-2])):
                rings.append(
                    np.concatenate([points[at : at + 1], points[at] + radius * around[at]])
                )
                normals.append(np.tile(_unit(along), (sides + 1, 1)))
                numbers.append(np.full(sides + 1, first + at))
                triangles.append(start + _fan(sides, flipped=at == 0))
                start += sides + 1
    if not rings:
        empty = {name: values[:0] for name, values in lines.values.items()}
        return Surface(np.empty((0, 3)), np.empty((0, 3), np.int64), empty, np.empty((0, 3)))
    chosen = np.concatenate(numbers)
    return Surface(
        np.concatenate(rings),
        np.concatenate(triangles),
        {name: values[chosen] for name, values in lines.values.items()},
        np.concatenate(normals),
    )


def _directions(points: Floats, sides: int) -> Floats:
    """Unit vectors (n, sides, 3) from each point to its ring, counterclockwise seen against the
    line."""
    segments = np.diff(points, axis=0)
    along = np.concatenate([segments[:1], segments[1:] + segments[:-1], segments[-1:]])
    across = np.cross(along[0], np.eye(3)[int(np.argmin(np.abs(along[0])))])
    angles = 2 * np.pi * np.arange(sides) / sides
    found = np.empty((len(points), sides, 3))
    for i, tangent in enumerate(map(_unit, along)):
        projected = across - (across @ tangent) * tangent
        across = _unit(projected if projected.any() else np.cross(tangent, [0.3, 0.5, 0.8]))
        other = np.cross(tangent, across)
        found[i] = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * other
    return found


def _sides(n: int, sides: int) -> Indices:
    """Triangles (2 sides (n - 1), 3) between n rings, outward."""
    ring = np.arange(sides)
    a = (sides * np.arange(n - 1)[:, None] + ring).ravel()
    b = (sides * np.arange(n - 1)[:, None] + (ring + 1) % sides).ravel()
    return np.concatenate(
        [np.stack([a, b, b + sides], axis=1), np.stack([a, b + sides, a + sides], axis=1)]
    )


def _fan(sides: int, *, flipped: bool) -> Indices:
    """Triangles (sides, 3) of a ring around its centre, which is point 0."""
    ring = np.arange(sides)
    ends = (1 + (ring + 1) % sides, 1 + ring) if flipped else (1 + ring, 1 + (ring + 1) % sides)
    return np.stack([np.zeros(sides, np.int64), *ends], axis=1)


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else np.array([0.0, 0.0, 1.0])
