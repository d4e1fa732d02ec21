"""Emission and absorption along rays, vectorized over rays: sample k of all rays at once.

In: the values of one block's lattice, its grid lines, options. Out: premultiplied RGBA. The
equations are in `insitu.render.volume.march`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.engines.base import Singles
from insitu.engines.lattice import lattice
from insitu.engines.numpy.bricks import LatticeBricks
from insitu.engines.options import MarchOptions, View
from insitu.engines.picture_checks import check_march

Nodes = tuple[Floats, Floats, Floats]
Wide = NDArray[np.float64]


def march(bricks: LatticeBricks, nodes: Nodes, options: MarchOptions) -> Singles:
    """RGBA (y1 - y0, x1 - x0, 4) of the view's rectangle."""
    check_march(bricks.components, bricks.cells, nodes, options)
    y0, y1, x0, x1 = options.view.rectangle
    directions, offset = rays(options.view), _offsets(options)
    eye = np.asarray(options.view.eye, np.float64)
    lo, hi = (np.asarray(corner, np.float64) for corner in options.domain)
    box_lo, box_hi = (np.array([n[i] for n in nodes], np.float64) for i in (0, -1))
    depth = np.full(len(directions), np.inf)
    if options.surface is not None:
        depth = np.asarray(options.surface[1], np.float64).ravel()
    space = _Lattice(bricks, nodes)
    values = bricks.values(options.component)
    rgba = np.zeros((len(directions), 4))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = np.stack(((lo - eye) / directions, (hi - eye) / directions))  # (2, rays, 3)
        entry = np.maximum(0, np.nanmax(t.min(axis=0), axis=1))
        length = np.nanmin(t.max(axis=0), axis=1) - entry
        for k in range(int(np.ceil(length.max(initial=0) / options.step)) + 1):
            t_k = entry + (k + offset) * options.step
            p = eye + t_k[:, None] * directions
            closed = (box_hi == hi) & (p == box_hi)
            taken = ((p >= box_lo) & ((p < box_hi) | closed)).all(axis=1)
            taken &= (rgba[:, 3] < options.opaque) & (t_k < depth)
            if not taken.any():
                continue
            q = space.coordinates(p[taken])
            colors = _look_up(options, _trilinear(values, q))
            if options.flat is not None:
                gradient = space.gradient(values, q)
                _light(colors, gradient, directions[taken], options.flat)
            rgba[taken] = _over(rgba[taken], colors)
    if options.surface is not None:
        rgba += (1 - rgba[:, 3:]) * np.asarray(options.surface[0]).reshape(-1, 4)
    return rgba.reshape(y1 - y0, x1 - x0, 4).astype(np.float32)


def pixels(view: View) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """x and y of the rectangle's pixels, row by row."""
    y0, y1, x0, x1 = view.rectangle
    y, x = np.meshgrid(np.arange(y0, y1), np.arange(x0, x1), indexing="ij")
    return x.ravel(), y.ravel()


def rays(view: View) -> Wide:
    """Unit vectors (n, 3) from the eye through the centers of the rectangle's pixels."""
    x, y = pixels(view)
    sx = 2 * (x + 0.5) / view.size[0] - 1
    sy = 1 - 2 * (y + 0.5) / view.size[1]
    d = view.forward + sx[:, None] * view.right + sy[:, None] * np.asarray(view.up)
    unit: Wide = d / np.linalg.norm(d, axis=1, keepdims=True)
    return unit


def _offsets(options: MarchOptions) -> Wide | float:
    """Offset of each ray's first sample, 0..1 steps: a hash of pixel and frame."""
    if options.jitter < 0:
        return 0.5
    x, y = (c.astype(np.uint32) for c in pixels(options.view))
    frame = np.uint32(options.jitter * 0xC2B2AE3D % 2**32)
    h = x * np.uint32(0x9E3779B1) ^ y * np.uint32(0x85EBCA77) ^ frame
    for factor in (0x7FEB352D, 0x846CA68B):
        h = (h ^ h >> np.uint32(16)) * np.uint32(factor)
    return np.asarray(((h ^ h >> np.uint32(16)) >> np.uint32(8)) / 2.0**24)


class _Lattice:
    """World positions of a block's lattice points."""

    def __init__(self, bricks: LatticeBricks, nodes: Nodes) -> None:
        self._nodes = nodes
        self._units = [lattice(n, bricks.vertex) for n in bricks.cells[::-1]]
        self._places = [
            np.interp(u, np.linspace(0, 1, len(n)), n)
            for u, n in zip(self._units, nodes, strict=True)
        ]

    def coordinates(self, points: Wide) -> Wide:
        """World points (n, 3) to lattice coordinates (n, 3), over those of the unit cube."""
        axes = []
        for axis, (nodes, units) in enumerate(zip(self._nodes, self._units, strict=True)):
            unit = np.interp(points[:, axis], nodes, np.linspace(0, 1, len(nodes)))
            axes.append(np.interp(unit, units, np.arange(len(units))))
        return np.stack(axes, axis=1)

    def gradient(self, values: Singles, q: Wide) -> Wide:
        """(n, 3), per world length: central differences over one lattice step each way, one-sided
        at the block's faces."""
        slopes = np.empty(q.shape)
        for axis, places in enumerate(self._places):
            low, high = q.copy(), q.copy()
            low[:, axis] = np.maximum(q[:, axis] - 1, 0)
            high[:, axis] = np.minimum(q[:, axis] + 1, len(places) - 1)
            cell = np.minimum(q[:, axis].astype(int), len(places) - 2)
            slopes[:, axis] = (_trilinear(values, high) - _trilinear(values, low)) / (
                (high - low)[:, axis] * np.diff(places)[cell]
            )
        return slopes


def _trilinear(values: Singles, q: Wide) -> Wide:
    """Values at lattice coordinates x, y, z (n, 3); nonfinite next to a nonfinite lattice point."""
    last = np.array(values.shape[::-1]) - 2
    cell = np.minimum(q.astype(int), last)
    t = q - cell
    total = np.zeros(len(q))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, t, 1 - t), axis=1)
        x, y, z = (cell + corner).T
        total += weight * values[z, y, x]
    return total


def _look_up(options: MarchOptions, values: Wide) -> Wide:
    """Straight RGBA (n, 4); transparent where a value is not finite."""
    lo, hi = options.range
    last = len(options.table) - 1
    finite = np.isfinite(values)
    rows = np.zeros(len(values))
    if hi > lo:
        rows = np.clip((np.where(finite, values, lo) - lo) / (hi - lo) * last, 0, last)
    out = np.stack(
        [np.interp(rows, np.arange(last + 1), options.table[:, i]) for i in range(4)], axis=1
    )
    out[~finite] = 0
    return out


def _light(rgba: Wide, gradient: Wide, directions: Wide, flat: float) -> None:
    """Shades straight colors (n, 4) in place: Lambert and Phong, light at the eye, two-sided."""
    length = np.linalg.norm(gradient, axis=1)
    lit = np.isfinite(length) & (length > 0)
    gradient, length = gradient[lit], length[lit]
    cosine = np.abs(np.sum(gradient * directions[lit], axis=1)) / length
    weight = length / (length + flat)
    diffuse = 1 - weight + weight * (0.3 + 0.7 * cosine)
    specular = 0.2 * weight * np.maximum(0, 2 * cosine**2 - 1) ** 16
    colors = rgba[lit, :3] * diffuse[:, None] + specular[:, None]
    rgba[lit, :3] = np.minimum(colors, 1)


def _over(front: Wide, sample: Wide) -> Wide:
    """Composite front (n, 4), premultiplied, over samples (n, 4), straight."""
    weight = (1 - front[:, 3:]) * sample[:, 3:]
    return front + weight * np.concatenate((sample[:, :3], np.ones_like(weight)), axis=1)
