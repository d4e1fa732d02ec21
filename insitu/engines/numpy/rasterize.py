"""Rasterization of triangles, one after the other.

In: triangles in world coordinates, a view, colors. Out: shaded pixels whose rays hit a triangle.
Olano and Greer, "Triangle scan conversion using 2D homogeneous coordinates", 1997: a pixel (x, y)
is inside where e_i = (p_j x p_k) . (x, y, 1) has the determinant's sign for all three edges. So no
triangle needs clipping where it passes the eye.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.base import Singles
from insitu.engines.numpy.march import rays
from insitu.engines.options import RasterOptions, View
from insitu.engines.picture_checks import check_rectangle, check_table

# The light is beside the eye, which shows shapes better than a light at the eye.
AMBIENT, DIFFUSE, SPECULAR, SHININESS = 0.28, 0.72, 0.22, 32
TO_THE_LEFT, ABOVE = 0.35, 0.5  # of the way from the surface to the eye

Wide = NDArray[np.float64]


class Edge(NamedTuple):
    """e = a (x - x0) + b (y - y0) + c."""

    a: float
    b: float
    c: float
    x0: float
    y0: float

    def at(self, x: Wide, y: Wide) -> Wide:
        return self.a * (x - self.x0) + (self.b * (y - self.y0) + self.c)

    def inside(self, e: Wide) -> NDArray[np.bool_]:
        """Tie rule: a pixel on an edge shared by two triangles belongs to exactly one of them, the
        one of which it is a left or top edge (y points down)."""
        return (e > 0) | ((e == 0) & (self.a > 0 or (self.a == 0 and self.b > 0)))


def rasterize(
    points: Floats,
    triangles: NDArray[np.integer[Any]],
    normals: Floats | None,
    values: Floats | None,
    options: RasterOptions,
    rgba: Singles,
    depth: Singles,
) -> None:
    """Draws what is nearer than depth (h, w) into rgba (h, w, 4) and depth. Of triangles at equal
    distance, the first one is visible."""
    _check(points, triangles, normals, values, options, rgba, depth)
    with np.errstate(invalid="ignore"):  # points need not be finite
        screen = _to_screen(np.asarray(points, np.float64), options.view)
    y0, y1, x0, x1 = options.view.rectangle
    view = options.view
    lengths = 1 / (rays(view) @ (view.forward / np.square(view.forward).sum())).reshape(
        y1 - y0, x1 - x0
    )
    nearest = depth / lengths  # along the view direction, as `w`
    for corners in triangles:
        setup = _edges(screen[corners])
        box = _bound(screen[corners], options) if setup else None
        if setup is None or box is None:
            continue
        edges, determinant = setup
        rows, columns = slice(box[0] - y0, box[1] - y0), slice(box[2] - x0, box[3] - x0)
        y, x = np.mgrid[box[0] : box[1], box[2] : box[3]] + 0.5
        e = np.stack([edge.at(x, y) for edge in edges], axis=-1)
        hit = np.logical_and.reduce([edge.inside(e[..., i]) for i, edge in enumerate(edges)])
        with np.errstate(divide="ignore", invalid="ignore"):
            w = determinant / e.sum(axis=-1)
        hit &= (w >= options.near) & (w < nearest[rows, columns])
        if not hit.any():
            continue
        nearest[rows, columns][hit] = w[hit]
        depth[rows, columns][hit] = w[hit] * lengths[rows, columns][hit]
        at = np.stack((x[hit], y[hit]), axis=1)
        shares = e[hit] / e[hit].sum(axis=1, keepdims=True)
        color = _color(shares, None if values is None else np.asarray(values)[corners], options)
        if options.lit:
            normal = _normal(
                shares,
                np.asarray(points, np.float64)[corners],
                None if normals is None else np.asarray(normals, np.float64)[corners],
            )
            color = _lit(color, normal, _directions(at, view), view)
        rgba[rows, columns][hit] = np.concatenate((color, np.ones((len(color), 1))), axis=1)


def _to_screen(points: Wide, view: View) -> Wide:
    """(n, 3): x w, y w in pixels, and w, the depth along the view direction."""
    d = points - view.eye
    right, up = np.asarray(view.right), np.asarray(view.up)
    w = d @ view.forward
    x, y = d @ right / (right @ right), d @ up / (up @ up)
    return np.stack(((x + w) * (view.size[0] / 2), (w - y) * (view.size[1] / 2), w), axis=1)


def _edges(corners: Wide) -> tuple[list[Edge], float] | None:
    """Edge i, opposite to corner i, and the determinant, which is positive; None where the triangle
    is seen edge-on, or is not finite."""
    p0, p1, p2 = corners
    with np.errstate(invalid="ignore", over="ignore"):
        determinant = float(p0 @ np.cross(p1 - p0, p2 - p0))
    if not abs(determinant) > 0:
        return None
    sign = 1.0 if determinant > 0 else -1.0
    return [_edge(a, b, sign) for a, b in ((p1, p2), (p2, p0), (p0, p1))], sign * determinant


def _edge(start: Wide, end: Wide, sign: float) -> Edge:
    """The ends are sorted, so that both triangles of a shared edge, here or on another rank, get
    the same numbers up to the sign. Differences of ends, and distances from one end, keep their
    precision where a triangle is far smaller than a pixel."""
    first, second = sorted((start, end), key=tuple)
    if first is end:
        sign = -sign
    a, b, c = sign * np.cross(first, second - first)
    anchor = second if second[2] > first[2] else first
    if anchor[2] > 0:  # in front of the eye: the line passes through it
        return Edge(a, b, 0.0, anchor[0] / anchor[2], anchor[1] / anchor[2])
    return Edge(a, b, c, 0.0, 0.0)


def _bound(corners: Wide, options: RasterOptions) -> tuple[int, int, int, int] | None:
    """(y0, y1, x0, x1) of the pixels around the part beyond the near plane; None: no such part."""
    near, seen = options.near, []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if a[2] >= near:
            seen.append(a[:2] / a[2])
        if (a[2] >= near) != (b[2] >= near):
            f = (near - a[2]) / (b[2] - a[2])
            seen.append((a[:2] + f * (b[:2] - a[:2])) / near)
    if not seen:
        return None
    y0, y1, x0, x1 = options.view.rectangle
    low, high = (np.floor(np.min(seen, axis=0)) - 1, np.ceil(np.max(seen, axis=0)) + 1)
    columns, rows = np.clip((low[0], high[0]), x0, x1), np.clip((low[1], high[1]), y0, y1)
    box = int(rows[0]), int(rows[1]), int(columns[0]), int(columns[1])
    return box if box[0] < box[1] and box[2] < box[3] else None


def _directions(at: Wide, view: View) -> Wide:
    """Unit vectors (n, 3) from the eye through image positions (n, 2)."""
    sx, sy = 2 * at[:, 0] / view.size[0] - 1, 1 - 2 * at[:, 1] / view.size[1]
    d = view.forward + sx[:, None] * view.right + sy[:, None] * np.asarray(view.up)
    unit: Wide = d / np.linalg.norm(d, axis=1, keepdims=True)
    return unit


def _color(shares: Wide, values: Floats | None, options: RasterOptions) -> Wide:
    """Straight RGB (n, 3)."""
    color = np.broadcast_to(np.asarray(options.color, np.float64), (len(shares), 3)).copy()
    if values is None:
        return color
    value = shares @ values.astype(np.float64)
    finite = np.isfinite(value)
    (lo, hi), last = options.range, len(options.table) - 1
    rows = np.zeros(finite.sum())
    if hi > lo:
        rows = np.clip((value[finite] - lo) / (hi - lo) * last, 0, last)
    for channel in range(3):
        color[finite, channel] = np.interp(rows, np.arange(last + 1), options.table[:, channel])
    return color


def _normal(shares: Wide, points: Wide, normals: Wide | None) -> Wide:
    """Unit normals (n, 3): interpolated, or the triangle's own where these vanish."""
    own = np.cross(points[1] - points[0], points[2] - points[0])
    n = np.zeros((len(shares), 3)) if normals is None else shares @ normals
    n[~(np.linalg.norm(n, axis=1) > 1e-6)] = own
    length = np.linalg.norm(n, axis=1, keepdims=True)
    return np.asarray(n / np.where(length > 0, length, 1))


def _lit(color: Wide, normal: Wide, ray: Wide, view: View) -> Wide:
    """Lambert shading and Blinn highlights, two-sided."""
    right, up = (v / np.linalg.norm(v) for v in map(np.asarray, (view.right, view.up)))
    normal = normal * np.where((normal * ray).sum(axis=1, keepdims=True) > 0, -1, 1)
    light = -ray - TO_THE_LEFT * right + ABOVE * up
    light /= np.linalg.norm(light, axis=1, keepdims=True)
    half = light - ray
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    lit = np.maximum(0, (normal * light).sum(axis=1))
    shine = np.maximum(0, (normal * half).sum(axis=1)) ** SHININESS * (lit > 0)
    shaded = (AMBIENT + DIFFUSE * lit)[:, None] * color + SPECULAR * shine[:, None]
    return np.minimum(1, shaded)


def _check(
    points: Floats,
    triangles: NDArray[np.integer[Any]],
    normals: Floats | None,
    values: Floats | None,
    options: RasterOptions,
    rgba: Singles,
    depth: Singles,
) -> None:
    check_rectangle(options.view)
    check_table(options.table)
    y0, y1, x0, x1 = options.view.rectangle
    n = len(points)
    expected: list[tuple[str, Any, tuple[int, ...]]] = [
        ("points", points, (n, 3)),
        ("triangles", triangles, (len(triangles), 3)),
        ("normals", normals, (n, 3)),
        ("values", values, (n,)),
        ("rgba", rgba, (y1 - y0, x1 - x0, 4)),
        ("depth", depth, (y1 - y0, x1 - x0)),
    ]
    for name, array, shape in expected:
        if array is not None and array.shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {array.shape}")
    if not options.near > 0:
        raise ValueError("near: must be positive")
    outside = triangles[(triangles < 0) | (triangles >= n)]
    if outside.size:
        raise ValueError(f"triangles: {outside[0]} is not one of {n} points")
