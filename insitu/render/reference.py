"""The ray marcher in NumPy: slow, readable, what tests compare with.

In: as `march`, the sampler being any function of unit points.
Out: the same values, to round-off.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from insitu.render.camera import Bounds, Camera
from insitu.render.transfer_function import TransferFunction

Nodes = tuple[np.ndarray, np.ndarray, np.ndarray]


def march(
    sample: Callable[[np.ndarray], np.ndarray],
    nodes: Nodes,
    camera: Camera,
    transfer_function: TransferFunction,
    *,
    bounds: Bounds,
    step: float,
    component: int = 0,
    opaque: float = 1.0,
) -> np.ndarray:
    """Premultiplied RGBA (height, width, 4) of one block. sample: (n, 3) -> (n, c); -1: magnitude.

    All rays take their sample k together, for k = 0, 1, ...
    """
    eye, directions = camera.rays()
    directions = directions.reshape(-1, 3)
    lo, hi = (np.asarray(b, dtype=np.float64) for b in bounds)
    box_lo, box_hi = (np.array([n[i] for n in nodes]) for i in (0, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.stack(((lo - eye) / directions, (hi - eye) / directions))  # (2, rays, 3)
    entry = np.maximum(0, np.nanmax(t.min(axis=0), axis=1))
    length = np.nanmin(t.max(axis=0), axis=1) - entry
    table = transfer_function.for_step(step, bounds)
    rgba = np.zeros((len(directions), 4))
    for k in range(int(np.ceil(max(0.0, length.max()) / step)) + 1):
        p = eye + (entry + (k + 0.5) * step)[:, None] * directions
        closed = (box_hi == hi) & (p == box_hi)
        owned = ((p >= box_lo) & ((p < box_hi) | closed)).all(axis=1) & (rgba[:, 3] < opaque)
        if owned.any():
            values = sample(to_unit(p[owned], nodes))
            scalar = np.linalg.norm(values, axis=1) if component < 0 else values[:, component]
            rgba[owned] = _over(rgba[owned], _look_up(table, transfer_function.rows(scalar)))
    return rgba.reshape(camera.height, camera.width, 4).astype(np.float32)


def to_unit(points: np.ndarray, nodes: Nodes) -> np.ndarray:
    """World points (n, 3) to unit coordinates: piecewise linear through the nodes."""
    return np.stack(
        [np.interp(points[:, a], n, np.linspace(0, 1, len(n))) for a, n in enumerate(nodes)], axis=1
    )


def _look_up(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Straight RGBA (n, 4) at fractional rows (n,); transparent where NaN."""
    transparent = np.isnan(rows)
    rows = np.where(transparent, 0, rows)
    out = np.stack([np.interp(rows, np.arange(len(table)), table[:, i]) for i in range(4)], axis=1)
    out[transparent] = 0
    return out


def _over(front: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Front (n, 4) premultiplied over samples (n, 4) straight."""
    weight = (1 - front[:, 3:]) * sample[:, 3:]
    return front + weight * np.concatenate((sample[:, :3], np.ones_like(weight)), axis=1)
