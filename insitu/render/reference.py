"""The ray marcher in NumPy: slow, readable, what tests compare with.

In: as `march`. Out: the same picture, to round-off; the whole block decoded at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from insitu.core.box import Bounds
from insitu.fields.sampled_block import SampledBlock
from insitu.fields.unit_cube import to_unit
from insitu.render.bricks import lattice, scalars
from insitu.render.camera import Camera
from insitu.render.march import flat_gradient
from insitu.render.transfer_function import TransferFunction

Nodes = tuple[np.ndarray, np.ndarray, np.ndarray]
Function = Callable[[np.ndarray], np.ndarray]


def march(
    field: SampledBlock,
    camera: Camera,
    transfer_function: TransferFunction,
    *,
    bounds: Bounds,
    step: float,
    component: int = 0,
    opaque: float = 1.0,
    shading: bool = False,
    offset: float = 0.5,
    surface: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Premultiplied RGBA (height, width, 4) of one block; component -1: magnitude. offset: of the
    first sample, in steps. surface: of the whole image.

    All rays take their sample k together, for k = 0, 1, ...
    """
    eye, directions = camera.rays()
    directions = directions.reshape(-1, 3)
    lo, hi = (np.asarray(b, dtype=np.float64) for b in bounds)
    box_lo, box_hi = (np.array([n[i] for n in field.nodes]) for i in (0, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.stack(((lo - eye) / directions, (hi - eye) / directions))  # (2, rays, 3)
    entry = np.maximum(0, np.nanmax(t.min(axis=0), axis=1))
    length = np.nanmin(t.max(axis=0), axis=1) - entry
    table = transfer_function.for_step(step, bounds)
    values = lattice_values(field, component)
    depth = np.full(len(directions), np.inf) if surface is None else surface[1].ravel()
    rgba = np.zeros((len(directions), 4))
    for k in range(int(np.ceil(max(0.0, length.max()) / step)) + 1):
        t_k = entry + (k + offset) * step
        p = eye + t_k[:, None] * directions
        closed = (box_hi == hi) & (p == box_hi)
        taken = ((p >= box_lo) & ((p < box_hi) | closed)).all(axis=1)
        taken &= (rgba[:, 3] < opaque) & (t_k < depth)
        if taken.any():
            q = to_lattice(p[taken], field)
            colors = _look_up(table, transfer_function.rows(_trilinear(values, q)))
            if shading:
                flat = flat_gradient(transfer_function, bounds)
                _light(colors, _gradient(values, q, field), directions[taken], flat)
            rgba[taken] = _over(rgba[taken], colors)
    if surface is not None:
        rgba += (1 - rgba[:, 3:]) * surface[0].reshape(-1, 4)
    return rgba.reshape(camera.height, camera.width, 4).astype(np.float32)


def lattice_values(field: SampledBlock, component: int) -> np.ndarray:
    """Scalars at all lattice points of a block, (z, y, x)."""
    vertex = field.association == "vertex"
    return scalars(field.on_grid(*(lattice(n, vertex) for n in field.cells[::-1])), component)


def to_lattice(points: np.ndarray, field: SampledBlock) -> np.ndarray:
    """World points (n, 3) to lattice coordinates (n, 3), over those of the unit cube."""
    unit, _ = to_unit(points, field.nodes)
    axes = (lattice(n, field.association == "vertex") for n in field.cells[::-1])
    return np.stack(
        [np.interp(unit[:, a], at, np.arange(len(at))) for a, at in enumerate(axes)], axis=1
    )


def _places(field: SampledBlock) -> list[np.ndarray]:
    """World coordinates of the lattice points along x, y, z."""
    vertex = field.association == "vertex"
    return [
        np.interp(lattice(len(n) - 1, vertex), np.linspace(0, 1, len(n)), n) for n in field.nodes
    ]


def _trilinear(values: np.ndarray, q: np.ndarray) -> np.ndarray:
    """At lattice coordinates x, y, z (n, 3)."""
    last = np.array(values.shape[::-1]) - 2
    cell = np.minimum(q.astype(int), last)
    t = q - cell
    total = np.zeros(len(q))
    with np.errstate(invalid="ignore"):
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, t, 1 - t), axis=1)
            x, y, z = (cell + corner).T
            total += weight * values[z, y, x]
    return total


def _gradient(values: np.ndarray, q: np.ndarray, field: SampledBlock) -> np.ndarray:
    """(n, 3), per world length: differences over one lattice step each way."""
    slopes = np.empty(q.shape)
    for a, places in enumerate(_places(field)):
        low, high = q.copy(), q.copy()
        low[:, a] = np.maximum(q[:, a] - 1, 0)
        high[:, a] = np.minimum(q[:, a] + 1, len(places) - 1)
        cell = np.minimum(q[:, a].astype(int), len(places) - 2)
        slopes[:, a] = (_trilinear(values, high) - _trilinear(values, low)) / (
            (high - low)[:, a] * np.diff(places)[cell]
        )
    return slopes


def _light(rgba: np.ndarray, gradient: np.ndarray, directions: np.ndarray, flat: float) -> None:
    """Changes straight colours (n, 4) in place."""
    length = np.linalg.norm(gradient, axis=1)
    lit = np.isfinite(length) & (length > 0)
    gradient, length = gradient[lit], length[lit]
    cosine = np.abs(np.sum(gradient * directions[lit], axis=1)) / length
    weight = length / (length + flat)
    diffuse = 1 - weight + weight * (0.3 + 0.7 * cosine)
    specular = 0.2 * weight * np.maximum(0, 2 * cosine**2 - 1) ** 16
    colors = rgba[lit, :3] * diffuse[:, None] + specular[:, None]
    rgba[lit, :3] = np.minimum(colors, 1)


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
