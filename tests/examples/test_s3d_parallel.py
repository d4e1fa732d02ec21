"""The reacting flow on several ranks: blocks, planes between them, equal results, publication.

In: grids that cut unevenly. Out: nothing but pass or fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI
from s3d import FlameKernel
from s3d.axes import AXES, X, Y, Z
from s3d.decomposition import choose_blocks, decompose
from s3d.line_operator import LineOperator
from s3d.mechanism import NAMES
from s3d.simulation import PUBLISHED

from insitu import mesh

PERIODIC = (True, False, True)


@pytest.mark.parametrize(
    ("points", "ranks", "blocks"),
    [
        ((48, 48, 48), 2, (2, 1, 1)),
        ((48, 48, 48), 8, (2, 2, 2)),
        ((11, 48, 64), 4, (1, 2, 2)),
        ((1, 40, 11), 4, (1, 4, 1)),
    ],
)
def test_cut_has_the_least_surface(points: tuple, ranks: int, blocks: tuple) -> None:
    assert choose_blocks(points, ranks) == blocks


@settings(max_examples=60, deadline=None)
@given(points=st.tuples(*[st.integers(11, 40)] * 3), ranks=st.integers(1, 16))
def test_blocks_tile_the_grid_and_neighbours_touch(points: tuple, ranks: int) -> None:
    try:
        blocks = [decompose(points, PERIODIC, ranks, rank) for rank in range(ranks)]
    except ValueError as error:
        assert "use fewer ranks or more points" in str(error)
        return
    covered = np.zeros(points, dtype=int)
    for block in blocks:
        covered[tuple(slice(o, o + n) for o, n in zip(block.offset, block.shape, strict=True))] += 1
    assert (covered == 1).all()
    for rank, block in enumerate(blocks):
        for axis in AXES:
            above, inside = block.around[axis][1], block.inside[axis][1]
            end = block.offset[axis] + block.shape[axis]
            assert (inside is None) == (end == points[axis])
            if above == MPI.PROC_NULL:
                assert axis == Y and inside is None
            else:
                assert blocks[above].around[axis][0] == rank
                assert blocks[above].offset[axis] == end % points[axis]


def test_too_many_ranks_are_refused() -> None:
    with pytest.raises(ValueError, match="17 ranks leave blocks of fewer than 5 of 13 x 12 x 11"):
        decompose((11, 12, 13), PERIODIC, 17, 0)


@pytest.mark.parallel([2, 3])  # of two ranks on a ring, both neighbours are the same
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("periodic", [True, False])
def test_a_line_operator_is_its_matrix(axis: int, periodic: bool) -> None:
    """Any band of random numbers, on an axis cut into as many blocks as there are ranks."""
    comm, width = MPI.COMM_WORLD, 5
    points = [3, 4, 2]
    points[axis] = n = 5 * comm.size + 2
    random = np.random.default_rng(5)
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    if periodic:
        distance = np.minimum(distance, n - distance)
    matrix = np.where(distance <= width, random.normal(size=(n, n)), 0.0)
    whole = random.normal(size=(2, *points))
    expected = np.moveaxis(np.tensordot(matrix, whole, (1, 1 + axis)), 0, 1 + axis)
    place = decompose(tuple(points), (periodic,) * 3, comm.size, comm.rank)
    assert place.blocks[axis] == comm.size
    own = slice(place.offset[axis], place.offset[axis] + place.shape[axis])
    index = tuple(own if axis + 1 == i else slice(None) for i in range(4))
    found = LineOperator(comm, place, axis, matrix, width)(np.ascontiguousarray(whole[index]))
    np.testing.assert_allclose(found, expected[index], rtol=1e-12, atol=1e-12)


SMALL = {"size": (1.0e-3, 1.1e-3, 1.2e-3), "spot_temperature": 2000.0, "spot_radius": 2.5e-4}


def blocks_of(kernel: FlameKernel) -> tuple[slice, ...]:
    place = kernel.place
    return tuple(slice(o, o + n) for o, n in zip(place.offset, place.shape, strict=True))


@pytest.mark.parallel([3, 4])
def test_every_rank_count_gives_the_same_fields(steps: int = 12) -> None:
    """Up to rounding, which differs because matrix products add in another order."""
    points = (13, 24, 17)
    cut = FlameKernel(points=points, **SMALL)
    whole = FlameKernel(MPI.COMM_SELF, points=points, **SMALL)
    for _ in range(steps):
        cut.step()
        whole.step()
    assert cut.time == pytest.approx(whole.time, rel=1e-12)
    own = (slice(None), *blocks_of(cut))
    scale = np.abs(whole.state).max(axis=(1, 2, 3))[:, None, None, None]
    np.testing.assert_allclose(cut.state / scale, whole.state[own] / scale, atol=1e-10)
    for name, value in whole.summary().items():
        assert cut.summary()[name] == pytest.approx(value, rel=1e-8), name


@pytest.mark.parallel(4)
@pytest.mark.parametrize("points", [(48, 11, 11), (11, 48, 11), (11, 11, 48)])
def test_slabs_along_each_axis_give_the_same_fields(points: tuple) -> None:
    cut = FlameKernel(points=points, **SMALL)
    assert max(cut.place.blocks) == 4
    whole = FlameKernel(MPI.COMM_SELF, points=points, **SMALL)
    for _ in range(10):
        cut.step()
        whole.step()
    np.testing.assert_allclose(
        cut.now.temperature, whole.now.temperature[blocks_of(cut)], rtol=1e-10
    )


@pytest.mark.parallel([1, 4])
def test_published_blocks_tile_the_domain_and_their_ghosts_are_the_neighbours_values() -> None:
    comm = MPI.COMM_WORLD
    kernel = FlameKernel(points=(17, 21, 19), **SMALL)
    for _ in range(2):
        kernel.step()
    tree = kernel.mesh()
    assert mesh.field_names(tree) == [
        "temperature", "pressure", "heat_release", "velocity", *PUBLISHED[6:]
    ]  # fmt: skip
    assert mesh.state(tree) == mesh.State(2, kernel.time)
    mesh.verify(tree)
    (species,) = mesh.partitions(tree, [f"Y_{name}" for name in NAMES], name="species")
    assert species.n_components == 10 and species.association == "vertex"
    # All cells between the points, each on one rank.
    assert comm.allreduce(int(np.prod(species.cells))) == 16 * 20 * 18
    # A ghost layer towards every neighbour, none at the ends of the domain.
    for axis in AXES:
        low, high = (rank is not None for rank in kernel.place.inside[axis])
        assert species.ghost_layers[axis] == (low, high)
    for field in ("temperature", "velocity", "heat_release"):
        report = mesh.check(comm, mesh.partitions(tree, field), tolerance=0.0)
        assert report.stale == 0
        assert (report.compared > 0) == (comm.size > 1)
    # Values are those of their points.
    for axis, name in ((X, "x"), (Y, "y"), (Z, "z")):
        coordinates = tree["coordsets"]["coords"]["values"][name]
        first = kernel.place.offset[axis] - (kernel.place.inside[axis][0] is not None)
        np.testing.assert_array_equal(
            coordinates, kernel.axes[axis].points[first : first + len(coordinates)]
        )
    (temperature,) = mesh.partitions(tree, "temperature", ghosts="ignore")
    k, j, i = kernel.place.shape
    np.testing.assert_array_equal(temperature.owned[0][:k, :j, :i], kernel.now.temperature)


@pytest.mark.parallel(2)
def test_too_few_points_are_refused_on_all_ranks() -> None:
    with pytest.raises(ValueError, match="9 at least, expected"):
        FlameKernel(points=(5, 11, 11))
