"""The side from which a field is viewed by default, chosen from its visible content.

In: each rank's blocks and the transfer function. Out: signs for x and z, the same on all ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from insitu.core.box import Bounds
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.march import Component, component_index

SAMPLES = 12  # per axis of a block
CLEARLY = 0.05  # of the domain's size; smaller offsets from the centre count as centred


def best_side(
    comm: MPI.Comm,
    fields: Sequence[SampledBlock],
    bounds: Bounds,
    transfer_function: TransferFunction,
    component: Component = None,
) -> tuple[int, int]:
    """Signs of x and z of the side on which most visible material lies. Collective.

    From that side, `Camera.default` has an unobstructed view of it. Each block is sampled on a
    grid of 12^3 points, weighted by opacity and volume. The signs are positive if the visible
    material is centred or if there is none.

    Raises RemoteError on every rank if one fails.
    """
    moments = np.zeros(4)  # of opacity: its sum, and times x, y, z
    with together(comm, "choice of a view"):
        at = (np.arange(SAMPLES) + 0.5) / SAMPLES
        for field in fields:
            values = np.asarray(field.on_grid(at, at, at), dtype=np.float64)
            index = component_index(component, values.shape[-1])
            scalars = np.linalg.norm(values, axis=-1) if index < 0 else values[..., index]
            weights = transfer_function(scalars)[..., 3].astype(np.float64)
            xs, ys, zs = (np.interp(at, np.linspace(0, 1, len(n)), n) for n in field.nodes)
            weights *= np.prod(np.subtract(field.bounds[1], field.bounds[0])) / weights.size
            moments[0] += weights.sum()
            moments[1] += (weights.sum(axis=(0, 1)) * xs).sum()
            moments[2] += (weights.sum(axis=(0, 2)) * ys).sum()
            moments[3] += (weights.sum(axis=(1, 2)) * zs).sum()
    total = np.empty_like(moments)
    comm.Allreduce(moments, total)
    total = comm.bcast(total)  # sums may be rounded differently from rank to rank
    if not total[0] > 0:
        return 1, 1
    lo, hi = np.asarray(bounds[0]), np.asarray(bounds[1])
    off = (total[1:] / total[0] - (lo + hi) / 2) / (hi - lo)
    x, z = (-1 if off[axis] < -CLEARLY else 1 for axis in (0, 2))
    return x, z
