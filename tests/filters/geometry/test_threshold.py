"""Thresholds keep whole cells, closed across ranks."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.filters.geometry.threshold import threshold
from tests.support.analytic_fields import NODES, AnalyticBlock, lines, mine, step, wave
from tests.support.blocks import blob, split
from tests.support.fitting import fit
from tests.support.surface_measures import everyone, open_edges, volume

COMM, SELF = MPI.COMM_WORLD, MPI.COMM_SELF


def kept(association: str, low: float, high: float) -> np.ndarray:
    """Of the whole grid, cells (nz, ny, nx)."""
    if association == "element":
        x, y, z = (0.5 * (n[1:] + n[:-1]) for n in NODES)
        values = wave(*np.meshgrid(z, y, x, indexing="ij")[::-1])
        return (values >= low) & (values <= high)
    values = wave(*np.meshgrid(*NODES[::-1], indexing="ij")[::-1])
    nodes = (values >= low) & (values <= high)
    corners = [
        nodes[k : k - 1 or None, j : j - 1 or None, i : i - 1 or None]
        for k, j, i in np.ndindex(2, 2, 2)
    ]
    return np.any(corners, axis=0)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("invert", [False, True])
def test_whole_cells_are_kept(association: str, invert: bool) -> None:
    cells = kept(association, -0.2, 0.4) != invert
    sizes = np.einsum("i,j,k->ijk", *(np.diff(n) for n in NODES[::-1]))
    left = threshold(COMM, step(association=association), "pressure", -0.2, 0.4, invert=invert)
    pieces = everyone(COMM, left.surface(COMM))
    assert volume(pieces) == pytest.approx(sizes[cells].sum(), rel=1e-9)
    assert open_edges(pieces) == 0
    x, y, z = pieces[0].points.T
    np.testing.assert_allclose(pieces[0].values["pressure"], wave(x, y, z), atol=1e-9)
    assert pieces[0].values["velocity"].shape == (len(x), 3)
    faces = np.pad(cells, 1).astype(int)
    expected = sum(np.count_nonzero(np.diff(faces, axis=axis)) for axis in range(3))
    assert sum(len(p.triangles) for p in pieces) == 2 * expected
    # The masks say the same, in points and in grids.
    at = np.random.default_rng(0).uniform([n[0] for n in NODES], [n[-1] for n in NODES], (500, 3))
    i, j, k = (np.searchsorted(n, at[:, a]) - 1 for a, n in enumerate(NODES))
    for block in left.fields["velocity"]:
        low, high = block.bounds
        here = ((at > low) & (at < high)).all(axis=1)
        values = np.isfinite(block(at[here])).all(axis=1)
        np.testing.assert_array_equal(values, cells[k, j, i][here])
        nz, ny, nx = block.cells
        units = [(np.arange(2 * n) + 0.5) / (2 * n) for n in (nx, ny, nz)]
        grid = np.isfinite(block.on_grid(*units)).all(axis=-1)
        centres = grid[::2, ::2, ::2]
        np.testing.assert_array_equal(grid, centres.repeat(2, 0).repeat(2, 1).repeat(2, 2))


@pytest.mark.parallel([1, 3])
def test_of_networks() -> None:
    """Vertex data: neighbours judge by their own networks; whole faces stay closed."""
    parts = split(blob, (8, 8, 8), (2, 1, 2), association="vertex")
    fields = {"density": mine(COMM, [fit(p, n_min=30) for p in parts])}
    pieces = everyone(COMM, threshold(COMM, fields, "density", 0.4, 2.0).surface(COMM))
    assert open_edges(pieces) == 0
    cells = volume(pieces) * 8**3
    assert cells == pytest.approx(round(cells)) and 10 < cells < 500


def test_nan_is_in_no_range() -> None:
    block = AnalyticBlock((lambda x, y, z: np.where(x > 0, np.nan, 1.0),), lines())
    left = threshold(SELF, {"f": [block]}, "f", 1.0, 1.0)
    assert volume([left.surface(SELF)]) == pytest.approx(0.5 * 2 * 1.5 * 1.5)
    others = threshold(SELF, {"f": [block]}, "f", 2.0, 3.0, invert=True)
    assert volume([others.surface(SELF)]) == pytest.approx(0.5 * 2 * 1.5 * 1.5)
    nothing = threshold(SELF, {"f": [block]}, "f", 5.0, 6.0).surface(SELF)
    assert len(nothing.triangles) == len(nothing.points) == 0


@pytest.mark.parallel([1, 3])
def test_wrong_arguments_fail_everywhere() -> None:
    with pytest.raises(RemoteError, match="at most max_value"):
        threshold(COMM, step(), "pressure", 1.0, 0.0)
    with pytest.raises(RemoteError, match="'density' is unknown"):
        threshold(COMM, step(), "density", 0.0, 1.0)
