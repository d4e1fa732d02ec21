"""Lines as strips of triangles that face the eye and are shaded like round tubes.

In: polylines, a camera, a width. Out: a surface for the rasterizer.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Lines, Surface
from insitu.render.camera import Camera
from insitu.render.surface.arrows import with_heads


def tubes(lines: Lines, camera: Camera, width: float, *, in_pixels: bool = True) -> Surface:
    """Three strands of points along each line: its two sides, and its middle, nearer to the eye.

    width: diameter of the tubes, in pixels of the camera's image or in world units. Values are
    copied from the lines; those with the value `arrows.LENGTH` get heads at their tips. The tubes
    of two parts of a line that was cut within a straight segment meet without a gap.
    """
    lines, widths = with_heads(lines, _widths(lines.points, camera, width, in_pixels))
    points = np.asarray(lines.points, dtype=np.float64)
    along = _tangents(points, lines.offsets)
    view = points - camera.position
    forward = camera.basis()[2]
    across = _unit(np.cross(along, view), fallback=camera.basis()[0])
    toward = _unit(np.cross(along, across), fallback=-forward)
    toward *= np.where((toward * view).sum(axis=1, keepdims=True) > 0, -1.0, 1.0)
    radius = widths[:, None] / 2
    strands = np.stack((-across, toward, across), axis=1)  # (n, 3 strands, 3)
    lengths = np.diff(lines.offsets)
    last = lines.offsets[1:][lengths > 0] - 1
    first = np.setdiff1d(np.arange(len(points)), last)  # of each segment
    away = radius[:, None] * np.ones((1, 3, 1))
    # Ends are flat: with a raised middle, an end that faces the eye would show a notch.
    away[np.concatenate((last, lines.offsets[:-1][lengths > 0])), 1] = 0
    return Surface(
        (points[:, None] + away * strands).reshape(-1, 3),
        _triangles(first),
        {name: np.repeat(values, 3, axis=0) for name, values in lines.values.items()},
        strands.reshape(-1, 3),
    )


def _widths(points: Floats, camera: Camera, width: float, in_pixels: bool) -> Floats:
    """World widths (n,) of lines at points (n, 3)."""
    if not in_pixels:
        return np.full(len(points), float(width))
    pixel = 2 * np.linalg.norm(camera.image_plane()[1]) / camera.height  # at distance 1
    depth = (np.asarray(points, np.float64) - camera.position) @ camera.basis()[2]
    return np.asarray(width * pixel * np.abs(depth))


def _triangles(first: np.ndarray) -> np.ndarray:
    """Four triangles per segment, (4 m, 3); segments start at the points `first` (m,)."""
    a = 3 * first[:, None]
    b = a + 3  # the same strand at the segment's other end
    quads = [np.concatenate((a + s, b + s, b + s + 1, a + s + 1), axis=1) for s in (0, 1)]
    halves = [quad[:, corners] for quad in quads for corners in ([0, 1, 2], [0, 2, 3])]
    return np.stack(halves, axis=1).reshape(-1, 3)


def _tangents(points: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Directions (n, 3) of polylines at their points: the mean of the two adjacent segments."""
    segments = _unit(np.diff(points, axis=0), fallback=np.zeros(3))  # zero for coincident points
    ends = offsets[1:-1]
    segments[ends[(ends > 0) & (ends < len(points))] - 1] = 0  # not a segment: it joins two lines
    along = np.zeros_like(points)
    along[:-1] += segments
    along[1:] += segments
    return along


def _unit(vectors: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Unit vectors (n, 3); `fallback` for zero vectors."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    known = length > 0
    return np.where(known, vectors / np.where(known, length, 1.0), fallback)
