"""Candidate sizes of a dense grid.

In: a block's model and number of voxels. Out: resolutions.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from insitu.models.base import SizeOption

if TYPE_CHECKING:
    from insitu.models.dense_grid.model import DenseGrid

_FEWEST = 64  # vertices of the smallest grid
_MOST = 1 << 22
# Number of features per square root of the domain's voxels, without an accuracy target: as many as
# in a hash grid with 4 levels of 4 features.
_PER_ROOT = 64


def scaled_resolution(resolution: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """The resolution with about `share` of the vertices, in the same proportions; at least 2 along
    each axis."""
    factor = share ** (1 / 3)
    x, y, z = (max(2, round(n * factor)) for n in resolution)
    return x, y, z


def resolution_for(model: DenseGrid, n_voxels: int) -> tuple[int, int, int]:
    """The resolution for a domain of `n_voxels`, in the model's proportions."""
    vertices = max(_PER_ROOT * math.sqrt(n_voxels) / model.n_features, _FEWEST)
    return scaled_resolution(model.resolution, vertices / model.n_vertices)


def size_options(model: DenseGrid, n_voxels: int, corrected: bool) -> list[SizeOption]:
    """Grids from 64 vertices, doubling up to two features per voxel; with a residual, up to twice
    the result of `resolution_for`. At least one."""
    most = min(max(2 * n_voxels // model.n_features, _FEWEST), _MOST)
    if corrected:
        most = min(most, 2 * math.prod(resolution_for(model, n_voxels)))
    doublings = max(0, math.floor(math.log2(most / _FEWEST)))
    options: list[SizeOption] = []
    for i in range(doublings + 1):
        share = _FEWEST * 2**i / model.n_vertices
        sized = replace(model, resolution=scaled_resolution(model.resolution, share))
        if not options or sized.n_params > options[-1].model.n_params:
            options.append(SizeOption(sized, min(1.0, 0.25 * 2 ** (i / 2))))
    return [*options[:-1], replace(options[-1], share=1.0)]
