"""Surfaces and lines that the rendering tests share, and cutting them into blocks."""

import itertools

import numpy as np

from insitu.core.geometry import Lines, Surface


def ball(n: int = 24, radius: float = 0.4, center: tuple = (0.5, 0.5, 0.5)) -> Surface:
    """A closed surface whose value is x."""
    theta, phi = np.linspace(0, np.pi, n + 1), np.arange(2 * n) * np.pi / n
    t, f = np.meshgrid(theta, phi, indexing="ij")
    normals = np.stack((np.sin(t) * np.cos(f), np.cos(t), np.sin(t) * np.sin(f)), -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(n), np.arange(2 * n), indexing="ij")
    a, b = (i * 2 * n + j).ravel(), (i * 2 * n + (j + 1) % (2 * n)).ravel()
    triangles = np.concatenate(
        (np.stack((a, b, a + 2 * n), 1), np.stack((b, b + 2 * n, a + 2 * n), 1))
    )
    points = np.array(center) + radius * normals
    return Surface(points, triangles, {"x": points[:, 0]}, normals)


def helix(n: int = 200) -> Lines:
    """One line whose value goes from 0 to 1."""
    t = np.linspace(0, 1, n)
    angle = 6 * np.pi * t
    points = np.stack((0.5 + 0.35 * np.cos(angle), 0.1 + 0.8 * t, 0.5 + 0.35 * np.sin(angle)), 1)
    return Lines(points, np.array([0, n]), {"t": t})


def cut_surface(surface: Surface, box: np.ndarray) -> Surface:
    """What of a surface lies in a box (2, 3): triangles are cut at its faces."""
    polygons = [
        np.column_stack((surface.points, surface.normals, surface.values["x"]))[corners]
        for corners in surface.triangles
    ]
    for axis in range(3):
        for side, sign in ((0, 1.0), (1, -1.0)):
            cut = [_cut(polygon, axis, box[side, axis], sign) for polygon in polygons]
            polygons = [polygon for polygon in cut if len(polygon) > 2]
    rows, triangles = [np.empty((0, 7))], [np.empty((0, 3), int)]
    n = 0
    for polygon in polygons:
        rows.append(polygon)
        last = len(polygon) - 1
        triangles.append(n + np.array([[0, i, i + 1] for i in range(1, last)]))
        n += len(polygon)
    table = np.concatenate(rows)
    return Surface(
        table[:, :3], np.concatenate(triangles), {"x": table[:, 6]}, table[:, 3:6].copy()
    )


def _cut(polygon: np.ndarray, axis: int, at: float, sign: float) -> np.ndarray:
    """Sutherland and Hodgman's clipping of a polygon (n, 7) by one plane."""
    kept = []
    distance = sign * (polygon[:, axis] - at)
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if distance[i] >= 0:
            kept.append(polygon[i])
        if (distance[i] > 0) != (distance[j] > 0) and distance[i] * distance[j] < 0:
            low, high = sorted((i, j), key=lambda k: tuple(polygon[k]))  # alike from both sides
            f = distance[low] / (distance[low] - distance[high])
            point = polygon[low] + f * (polygon[high] - polygon[low])
            point[axis] = at
            kept.append(point)
    return np.array(kept)


def cut_lines(lines: Lines, box: np.ndarray) -> Lines:
    """What of one line lies in a box (2, 3), in as many lines as that takes."""
    rows, offsets = [], [0]
    table = np.column_stack((lines.points, lines.values["t"]))
    for a, b in itertools.pairwise(table):
        step = b - a
        with np.errstate(divide="ignore"):
            t = np.sort((box - a[:3]) / step[:3], axis=0)
        near, far = max(0.0, t[0].max()), min(1.0, t[1].min())
        if near >= far:
            continue
        begin, end = (a if near == 0 else a + near * step), (b if far == 1 else a + far * step)
        if rows and offsets[-1] < len(rows) and np.array_equal(rows[-1], begin):
            rows.append(end)
        else:
            if rows:
                offsets.append(len(rows))
            rows += [begin, end]
    offsets = [*offsets, len(rows)] if rows else [0]
    table = np.array(rows).reshape(-1, 4)
    return Lines(table[:, :3], np.array(offsets), {"t": table[:, 3]})
