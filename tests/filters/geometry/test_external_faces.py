"""The domain's outer faces: each once, none between blocks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.external_faces import boundary_surface
from tests.support.analytic_fields import AnalyticBlock, cut, lines, mine, step, wave
from tests.support.blocks import blob, split
from tests.support.fitting import fit
from tests.support.surface_measures import areas, everyone, open_edges, volume

COMM = MPI.COMM_WORLD


@pytest.mark.parallel([1, 3])
def test_boundaries_are_the_outer_faces() -> None:
    surface = boundary_surface(COMM, step())
    pieces = everyone(COMM, surface)
    assert open_edges(pieces) == 0
    assert volume(pieces) == pytest.approx(2 * 1.5 * 1.5)
    assert sum(areas(p).sum() for p in pieces) == pytest.approx(2 * (3 + 3 + 2.25))
    assert sum(len(p.triangles) for p in pieces) == 4 * (10 * 8 + 8 * 12 + 10 * 12)
    x, y, z = surface.points.T
    np.testing.assert_allclose(surface.values["pressure"], wave(x, y, z), atol=1e-9)


@pytest.mark.parallel([1, 3])
def test_domains_that_are_no_box() -> None:
    """A block is missing: its neighbours' faces are outer faces there."""
    blocks = [AnalyticBlock((wave,), n) for n in cut(lines(), (1, 2, 2))][1:]
    pieces = everyone(COMM, boundary_surface(COMM, {"f": mine(COMM, blocks)}))
    assert open_edges(pieces) == 0
    assert volume(pieces) == pytest.approx(0.75 * 2 * 1.5 * 1.5)
    assert sum(areas(p).sum() for p in pieces) == pytest.approx(2 * (0.75 * 3 + 3 + 2.25))


@pytest.mark.parallel([1, 3])
def test_of_a_distributed_field() -> None:
    fields = [fit(p, n_min=30) for p in split(blob, (6, 6, 9), (1, 1, 3))]
    field = DistributedField.gather(COMM, mine(COMM, fields))
    pieces = everyone(COMM, boundary_surface(COMM, {"density": field}))
    assert open_edges(pieces) == 0
    assert volume(pieces) == pytest.approx(1)
    everything = np.concatenate([p.values["density"] for p in pieces])
    assert np.isfinite(everything).all() and np.ptp(everything) > 0.3
