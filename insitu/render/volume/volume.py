"""Volume rendering of a field that is distributed over the ranks.

In: each rank's blocks, a camera, a transfer function. Out: the picture on rank 0.
Each rank marches through its own blocks; only image layers are communicated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from insitu.core.box import Bounds
from insitu.core.parallel import together
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.compositing import composite
from insitu.render.volume.march import Component, RenderBlock, march

# Maximum number of samples along the diagonal; a strongly stretched grid would need far more.
MAX_SAMPLES = 4096


def render_volume(
    comm: MPI.Comm,
    blocks: Sequence[RenderBlock],
    camera: Camera,
    transfer_function: TransferFunction,
    *,
    component: Component = None,
    samples_per_voxel: float = 1.0,
    spacing: float | None = None,
    shading: bool = False,
    jitter: int | None = None,
) -> np.ndarray | None:
    """Premultiplied RGBA (height, width, 4) float32 on rank 0, None elsewhere. Collective.

    blocks: any number per rank, disjoint over all ranks. camera, transfer_function and the options
    must be the same on every rank. component: index, "magnitude", or None for the scalar or the
    magnitude of a vector. samples_per_voxel: samples per `spacing`, a world length that defaults
    to the smallest node distance on any rank; limited to 4096 samples along the diagonal.
    shading, jitter: see `march`.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block, or if boxes
    overlap.
    """
    with together(comm, "volume rendering"):
        extent = _extent(blocks)
        if not samples_per_voxel > 0:
            raise ValueError(f"samples_per_voxel: {samples_per_voxel} is not positive")
        if spacing is not None and not spacing > 0:
            raise ValueError(f"spacing: {spacing} is not positive")
    bounds, smallest = _reduced(comm, extent)
    step = (spacing or smallest) / samples_per_voxel
    step = max(step, float(np.linalg.norm(bounds[1] - bounds[0])) / MAX_SAMPLES)
    with together(comm, "volume rendering"):
        layers = [
            march(
                block,
                camera,
                transfer_function,
                bounds=bounds,
                step=step,
                component=component,
                shading=shading,
                jitter=jitter,
            )
            for block in blocks
        ]
    return composite(comm, layers, camera.position, camera.width, camera.height)


def global_bounds(comm: MPI.Comm, blocks: Sequence[RenderBlock]) -> Bounds:
    """World bounds (lo (3,), hi (3,)), float64, of the blocks of all ranks. Collective.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    with together(comm, "bounds of the blocks"):
        extent = _extent(blocks)
    return _reduced(comm, extent)[0]


def _extent(blocks: Sequence[RenderBlock]) -> np.ndarray:
    """This rank's lo, -hi and smallest spacing, (7,); infinite if it has no blocks."""
    extents = [
        np.concatenate((block.bounds[0], -block.bounds[1], [block.spacing])) for block in blocks
    ]
    extent = np.min(extents, axis=0) if extents else np.full(7, np.inf)
    if np.isnan(extent).any() or (blocks and not extent[6] > 0):
        raise ValueError("nodes of a block do not increase, or are not finite")
    return extent


def _reduced(comm: MPI.Comm, extent: np.ndarray) -> tuple[Bounds, float]:
    """Bounds and smallest spacing over all ranks, bitwise identical on each. Collective."""
    total = np.empty_like(extent)
    comm.Allreduce(extent, total, op=MPI.MIN)
    if not np.isfinite(total).all():
        raise ValueError("volume rendering: no rank has a block")
    return (total[:3], -total[3:6]), float(total[6])
