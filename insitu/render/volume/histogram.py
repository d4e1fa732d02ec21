"""Histogram of a field that is distributed over the ranks, estimated by sampling.

In: each rank's blocks. Out: counts per bin, the same on all ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from insitu.core.normalized_coordinates import to_world
from insitu.core.parallel import together
from insitu.engines import engine
from insitu.engines.lattice import scalars
from insitu.render.volume.march import Component, RenderBlock, component_index

SAMPLES = 16384
BINS = 64


def histogram(
    comm: MPI.Comm,
    blocks: Sequence[RenderBlock],
    domain: tuple[float, float],
    component: Component = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Counts (64,) and bin edges (65,) of the values in `domain`. Collective.

    Each block is sampled at 16384 pseudo-random points, the same every time, and weighted by its
    volume. Non-finite values are ignored; values outside the domain count in the end bins.

    Raises RemoteError on every rank if one fails.
    """
    lo, hi = domain
    edges = np.linspace(lo, hi if hi > lo else lo + 1, BINS + 1)
    counts = np.zeros(BINS)
    with together(comm, "histogram"):
        points = engine().draw(0, 0.0, 1.0, 0, SAMPLES)
        for block in blocks:
            values = _scalars(block, points, component)
            volume = float(np.prod(block.bounds[1] - block.bounds[0]))
            counts += engine().histogram(values, edges) * volume
    total = np.empty_like(counts)
    comm.Allreduce(counts, total)
    return total, edges


def _scalars(block: RenderBlock, points: np.ndarray, component: Component) -> np.ndarray:
    """Values (n,) of the component or magnitude at points (n, 3) of the unit cube."""
    values = np.asarray(block.field(to_world(points, block.nodes)))
    index = component_index(component, block.field.n_components)
    return scalars(values.reshape(len(points), -1), index)
