"""Candidate sizes of adaptive grids.

In: a block's model and number of voxels. Out: resolutions of its grids.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from insitu.models.base import SizeOption

if TYPE_CHECKING:
    from insitu.models.adaptive_grid.model import AdaptiveGrid

_FEWEST = 64  # vertices of all grids of the smallest model
_MOST = 1 << 22
# Number of features per square root of the domain's voxels, without an accuracy target: as many as
# in a hash grid with 4 levels of 4 features.
_PER_ROOT = 64


def scaled_resolution(resolution: int, share: float) -> int:
    """The resolution with about `share` of the vertices; at least 2."""
    return max(2, round(resolution * share ** (1 / 3)))


def resolution_for(model: AdaptiveGrid, n_voxels: int) -> int:
    """The resolution for a domain of `n_voxels`."""
    vertices = max(_PER_ROOT * math.sqrt(n_voxels) / model.n_features, _FEWEST)
    return max(2, round((vertices / model.n_grids) ** (1 / 3)))


def size_options(model: AdaptiveGrid, n_voxels: int, corrected: bool) -> list[SizeOption]:
    """Grids of 2, 3, 4, 5, 6, 8, ... vertices an axis, up to two features per voxel; with a
    residual, up to twice the parameters of `resolution_for`. At least one."""
    most = min(max(2 * n_voxels // model.n_features, _FEWEST), _MOST)
    if corrected:
        most = min(most, 2 * model.n_grids * resolution_for(model, n_voxels) ** 3)
    largest = max(2, math.floor((most / model.n_grids) ** (1 / 3)))
    sides = [2]
    while sides[-1] < largest:
        sides.append(min(max(sides[-1] + 1, round(sides[-1] * 2 ** (1 / 3))), largest))
    # The transforms need some hundred steps to move, whatever the size of the grids.
    options = [
        SizeOption(replace(model, resolution=side), min(1.0, 0.5 * 2 ** (i / 4)))
        for i, side in enumerate(sides)
    ]
    return [*options[:-1], replace(options[-1], share=1.0)]
