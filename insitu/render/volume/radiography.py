"""Radiographs: what is left of light that crosses an absorbing, glowing volume.

In: blocks of absorption, and perhaps of emission, per length; a camera. Out: for each pixel the
optical depth along its ray, and the light that is emitted towards the eye and not absorbed.

The equation of transfer without scattering, dI/ds = e - a I, is summed by the midpoint rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.render.camera import Camera
from insitu.render.compositing import composite
from insitu.render.volume.march import Layer

if TYPE_CHECKING:
    from mpi4py import MPI

_SAMPLES_PER_CELL = 2
_POINTS = 1 << 18
"""Evaluated at once."""
_LEAST = np.float32(1e-30)
"""Stands for no absorption where there is a block: pixels of alpha 0 are not composited."""


def radiograph(
    comm: MPI.Comm,
    absorption: Sequence[SampledBlock],
    emission: Sequence[SampledBlock] | None,
    camera: Camera,
    unit: float = 1.0,
) -> tuple[np.ndarray, np.ndarray] | None:
    """(emitted light, share of light from behind that arrives), each (height, width) float32, row 0
    at the top, on rank 0; None elsewhere. Collective.

    Args:
        absorption: this rank's blocks of a scalar, per world length after it is multiplied by
            `unit`; values below 0 and samples outside of the mesh count as 0.
        emission: on the same blocks, light per world length; None: none.

    Raises: RemoteError on every rank if one fails; ValueError if blocks overlap.
    """
    layers: list[Layer] = []
    with together(comm, "radiograph"):
        glowing = emission if emission is not None else [None] * len(absorption)
        layers = [
            _layer(dark, bright, camera, unit)
            for dark, bright in zip(absorption, glowing, strict=True)
        ]
    size = (camera.width, camera.height)
    image = composite(comm, layers, camera.position, *size, precision="float32")
    if image is None:
        return None
    return image[..., 0], 1 - image[..., 3]


def _layer(
    absorption: SampledBlock, emission: SampledBlock | None, camera: Camera, unit: float
) -> Layer:
    y0, y1, x0, x1 = rectangle = camera.rectangle(absorption.bounds)
    eye, every = camera.rays()
    rays = every[y0:y1, x0:x1].reshape(-1, 3)
    enter, leave = _crossing(eye, rays, absorption.bounds)
    lines = absorption.nodes
    step = min(float(np.diff(line).min()) for line in lines) / _SAMPLES_PER_CELL
    longest = float(np.linalg.norm(np.subtract(*absorption.bounds)))
    count = max(1, int(np.ceil(longest / step)))
    rgba = np.zeros((len(rays), 4), np.float32)
    hit = np.flatnonzero(leave > enter)
    for some in np.array_split(hit, max(1, -(-len(hit) * count // _POINTS))):
        width = ((leave - enter)[some] / count)[:, None]  # (n, 1)
        along = enter[some][:, None] + width * (np.arange(count) + 0.5)
        points = eye + along[..., None] * rays[some][:, None, :]
        depth = unit * width * np.maximum(_values(absorption, points), 0)
        light = np.zeros(len(some))
        if emission is not None:
            before = np.cumsum(depth, axis=1) - 0.5 * depth
            light = (width * _values(emission, points) * np.exp(-before)).sum(axis=1)
        rgba[some, :3] = light[:, None]
        rgba[some, 3] = np.maximum(-np.expm1(-depth.sum(axis=1)), _LEAST)
    return Layer(rgba.reshape(y1 - y0, x1 - x0, 4), rectangle, absorption.bounds)


def _values(block: SampledBlock, points: np.ndarray) -> np.ndarray:
    """Of a scalar at (n, m, 3) points that rounding may have moved outside; 0 outside the mesh."""
    low, high = block.bounds
    inside = np.clip(points.reshape(-1, 3), low, high)
    values = np.asarray(block(inside), np.float64).reshape(points.shape[:2])
    return np.nan_to_num(values, nan=0.0)


def _crossing(
    eye: np.ndarray, rays: np.ndarray, bounds: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (n,) at which rays from the eye enter and leave a box; not less than 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [(np.asarray(end) - eye) / rays for end in bounds]
    # A ray along a face has 0 / 0 there, which bounds nothing.
    first = np.where(np.isnan(ends[0]), -np.inf, np.minimum(*ends))
    last = np.where(np.isnan(ends[1]), np.inf, np.maximum(*ends))
    return np.maximum(first.max(axis=1), 0.0), last.min(axis=1)
