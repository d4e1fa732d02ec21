"""The edges of a surface as lines."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines, Surface
from insitu.filters.geometry.surface_edges import edges
from insitu.filters.pipeline import Pipeline, Results
from insitu.filters.surface_filters import Slice
from insitu.render.picture.plots import Plot
from insitu.store.timestep import newest
from tests.support.windows import CELLS, window

SQUARE = Surface(
    points=np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]),
    triangles=np.array([[0, 1, 2], [0, 2, 3]]),
    values={"v": np.arange(4.0)},
)


def test_each_edge_once() -> None:
    found = edges(SQUARE)
    assert found.n_lines == 5 and (np.diff(found.offsets) == 2).all()
    ends = {tuple(sorted(pair)) for pair in found.values["v"].reshape(-1, 2).tolist()}
    assert ends == {(0, 1), (1, 2), (0, 2), (2, 3), (0, 3)}


def test_without_diagonals() -> None:
    assert edges(SQUARE, along_axes=True).n_lines == 4
    empty = Surface(np.zeros((0, 3)), np.zeros((0, 3), int))
    assert edges(empty).n_lines == 0


@pytest.mark.parallel([1, 3])
def test_what_a_mesh_plot_draws() -> None:
    """The lines of the cells' faces around the domain; on a slice, the edges of its triangles."""
    comm = MPI.COMM_WORLD
    (step,) = newest(window(comm, (5,)), {"density"}, 1)
    results = Results(comm, step)
    sliced = Pipeline("s", (Slice((0.0, 0.0, 1.0), (0.5, 0.5, 0.4)),))
    lengths = []
    for pipeline in (Pipeline(), sliced):
        plot = Plot(field="density", type="mesh", pipeline=pipeline)
        drawn = plot.drawn(comm, results.of(pipeline, frozenset({"density"})))
        assert isinstance(drawn, Lines) and set(drawn.values) == {"density"}
        apart = drawn.points[1::2] - drawn.points[::2]
        assert pipeline.filters or ((apart != 0).sum(axis=1) == 1).all()
        lengths.append(comm.allreduce(np.linalg.norm(apart, axis=1).sum()))
    # Each grid line around the cube; nz, ny, nx cells; where the blocks meet, one line twice.
    around = sum(4 * (n + 1) for n in CELLS) - 12
    assert around <= lengths[0] <= around + 4
    assert lengths[1] > 0
