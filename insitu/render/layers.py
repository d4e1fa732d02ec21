"""All plots of a scene in one picture: geometry hides what lies behind it, volumes veil it.

In: each rank's data, transfer functions, a camera. Out: the blended picture on rank 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from insitu.pipelines.pipeline import Data, Volume
from insitu.render.camera import Bounds, Camera
from insitu.render.plots import Plot, blocks
from insitu.render.transfer_function import TransferFunction
from insitu.render.volume import render_volume

if TYPE_CHECKING:
    from mpi4py import MPI


def draw(
    comm: MPI.Comm,
    plots: Sequence[tuple[Plot, Data, TransferFunction]],
    camera: Camera,
    bounds: Bounds,
) -> np.ndarray | None:
    """Premultiplied RGBA (height, width, 4) float32 on rank 0, None elsewhere. Collective.

    Raises RemoteError on every rank if one fails; ValueError where blocks overlap.
    """
    ((plot, data, colors),) = plots
    assert isinstance(data, Volume)
    diagonal = float(np.linalg.norm(np.subtract(bounds[1], bounds[0])))
    spacing = None if plot.samples is None else diagonal / plot.samples
    return render_volume(comm, blocks(comm, data, plot.field), camera, colors, spacing=spacing)
