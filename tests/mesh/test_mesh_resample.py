"""Meshes of cells become boxes: where points lie in cells, and who gets which sample."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI
from scipy.interpolate import RegularGridInterpolator

from insitu.core.parallel import RemoteError
from insitu.mesh import MeshError, Resampler, partitions, state
from insitu.mesh.block_decomposition import cut, owners
from insitu.mesh.cells import read_cells
from insitu.mesh.point_location import locate
from insitu.metrics import psnr
from tests.support.cell_meshes import SPLITS, add, bent, centers, coordinates, cube, tree

COMM = MPI.COMM_WORLD


def linear(x: Any, y: Any, z: Any) -> Any:
    return 1.0 + 2 * x - 3 * y + 0.5 * z


def dealt(n: int, shape: str, comm: MPI.Comm, *, duplicated: bool = False, seed: int = 1) -> Any:
    """This rank's share of a cube's cells, dealt out at random; the last rank of several has none.

    Its fields: `p` linear at vertices, `q` the centre's x per element, a vector of scalars."""
    points, connectivity = cube(n, shape)
    givers = max(1, comm.size - 1)
    rank = np.random.default_rng(seed).integers(0, givers, len(connectivity))
    mine = connectivity[rank == comm.rank]
    if not len(mine):
        return None
    domain = tree(points, mine, shape, duplicated=duplicated, cycle=3, time=0.5)
    x, y, z = coordinates(domain)
    add(domain, "p", linear(x, y, z))
    add(domain, "q", centers(domain, connectivity.shape[1])[:, 0].copy(), "element")
    for letter, values in zip("xyz", (x, y, z), strict=True):
        add(domain, f"v_{letter}", values.astype(np.float32))
    return domain


@pytest.mark.parallel(1)
@pytest.mark.parametrize("shape", [*SPLITS])
@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 4), samples=st.tuples(*[st.integers(2, 9)] * 3), straight=st.booleans())
def test_every_point_lies_in_one_cell(
    shape: str, n: int, samples: tuple[int, int, int], straight: bool
) -> None:
    """And the weights of its corners say where."""
    points, connectivity = cube(n, shape, (lambda p: p) if straight else bent)
    cells = read_cells(tree(points, connectivity, shape), "t")
    x, y, z = (np.linspace(0, 1, k) for k in samples)
    found = locate(cells, (x, y, z))
    np.testing.assert_array_equal(found.sample, np.arange(np.prod(samples)))
    k, j, i = np.unravel_index(found.sample, samples[::-1])
    corners = cells.points[cells.corners[found.cell]]
    at = np.einsum("kc,kcd->kd", found.weights, corners)
    np.testing.assert_allclose(at, np.stack([x[i], y[j], z[k]], axis=1), atol=1e-9)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-12)
    assert found.weights.min() > -1e-4


@pytest.mark.parallel(1)
def test_points_outside_are_in_no_cell() -> None:
    points, connectivity = cube(2, "hex", lambda p: p)
    half = tree(points, connectivity[:4], "hex")  # z < 1/2
    line = np.array([-0.1, 0.2, 0.7, 1.1])
    found = locate(read_cells(half, "t"), (line, line, line))
    assert len(found.sample) == 4  # x and y of 0.2 and 0.7, z of 0.2
    assert set((found.sample // 16).tolist()) == {1}
    nothing = read_cells(tree(points, connectivity[:0], "hex"), "t")
    assert len(locate(nothing, (line, line, line)).sample) == 0


@pytest.mark.parallel(1)
def test_mixed_and_curvilinear_cells_are_those_of_one_shape() -> None:
    points, hexes = cube(2, "hex")
    _, tets = cube(2, "tet")
    domain = tree(points, hexes, "hex")
    mixed = np.concatenate([hexes[:4].ravel(), tets[24:].ravel()])
    domain["topologies"]["t"]["elements"] = {
        "shape": "mixed",
        "shape_map": {"hex": 12, "tet": 10},
        "shapes": np.array([12] * 4 + [10] * 24),
        "offsets": np.concatenate([np.arange(4) * 8, 32 + np.arange(24) * 4]),
        "sizes": np.array([8] * 4 + [4] * 24),
        "connectivity": mixed,
    }
    # Only used points are in the coordinate set, which here are all.
    cells = read_cells(domain, "t")
    assert len(cells.corners) == 28 and cells.simplex.sum() == 24
    np.testing.assert_array_equal(cells.corners[:4], hexes[:4])
    domain["topologies"]["t"] = {
        "type": "structured", "coordset": "c", "elements": {"dims": {"i": 2, "j": 2, "k": 2}},
    }  # fmt: skip
    np.testing.assert_array_equal(read_cells(domain, "t").corners, hexes)


@pytest.mark.parallel(1)
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("shape", "quad", "'quad' on points of different z"),
        ("shape", "line", "'line' is not supported"),
        ("shape", "wedge", "not a multiple of 6"),
        ("connectivity", np.array([0, 1, 2, 3, 4, 5, 6, 99]), "points 0 to 99"),
    ],
)
def test_wrong_cells_are_refused(path: str, value: Any, message: str) -> None:
    points, connectivity = cube(1, "hex")
    domain = tree(points, connectivity, "hex")
    domain["topologies"]["t"]["elements"][path] = value
    with pytest.raises(MeshError, match=message):
        read_cells(domain, "t")


@pytest.mark.parallel(1)
@given(cells=st.tuples(*[st.integers(1, 9)] * 3), ranks=st.integers(1, 40))
def test_boxes_tile_the_grid(cells: tuple[int, int, int], ranks: int) -> None:
    boxes = cut(cells, ranks)
    assert 1 <= len(boxes) <= ranks
    count = np.zeros(cells, int)
    for box in boxes:
        assert all(axis.start < axis.stop for axis in box)
        count[box] += 1
    assert (count == 1).all()


@pytest.mark.parallel(1)
def test_boxes_go_to_those_who_have_most_of_them() -> None:
    assert owners(np.array([[5, 9], [8, 1], [0, 0]])) == [1, 0]
    assert sorted(owners(np.zeros((4, 4), int))) == [0, 1, 2, 3]


def whole(comm: MPI.Comm, boxes: Any, name: str, cells: tuple[int, int, int]) -> np.ndarray | None:
    """All ranks' samples of a field as one array (nz, ny, nx), on rank 0."""
    mine = [(p.bounds[0], p.owned[0], p.association) for p in partitions(boxes, name)]
    gathered = comm.gather(mine, root=0)
    if gathered is None:
        return None
    extra = 1 if gathered[0] and gathered[0][0][2] == "vertex" else 0
    result = np.full([n + extra for n in cells], np.nan)
    for low, values, _ in (block for blocks in gathered for block in blocks):
        x, y, z = (round(v * n) for v, n in zip(low, cells[::-1], strict=True))
        nz, ny, nx = values.shape
        result[z : z + nz, y : y + ny, x : x + nx] = values
    return result


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("shape", ["hex", "tet", "pyramid"])
@pytest.mark.parametrize("duplicated", [False, True])
def test_samples_are_those_of_the_cells(shape: str, duplicated: bool) -> None:
    """On any number of ranks, the cells dealt out at random, one rank without any."""
    mesh = dealt(4, shape, COMM, duplicated=duplicated)
    resampler = Resampler(COMM, (6, 5, 7))
    boxes = resampler.to_boxes(mesh, ["p", "v"])
    resampler.add(boxes, ["q"])  # later, of the same step
    assert state(boxes).time == 0.5 or mesh is None
    error = resampler.error(boxes, "p")
    assert error.covered == 1.0 and error.read == 1.0 and error.psnr_db > 150
    p = whole(COMM, boxes, "p", (7, 5, 6))
    q = whole(COMM, boxes, "q", (7, 5, 6))
    vectors = partitions(boxes, "v")
    assert all(v.n_components == 3 and v.components[0].dtype == np.float32 for v in vectors)
    if p is not None and q is not None:
        z, y, x = np.meshgrid(*[np.linspace(0, 1, n + 1) for n in (7, 5, 6)], indexing="ij")
        np.testing.assert_allclose(p, linear(x, y, z), atol=1e-9)
        x = (np.arange(6) + 0.5) / 6
        assert np.abs(q - x).max() < 0.3  # the value of the cell there, at most half a cell off
        alone = Resampler(MPI.COMM_SELF, (6, 5, 7))
        mine = dealt(4, shape, MPI.COMM_SELF, duplicated=duplicated)
        single = alone.to_boxes(mine, ["p", "q"])
        np.testing.assert_allclose(whole(MPI.COMM_SELF, single, "p", (7, 5, 6)), p, atol=1e-12)


@pytest.mark.parallel([1, 3])
def test_outside_of_the_cells_is_nan_and_ghosts_do_not_count() -> None:
    points, connectivity = cube(4, "hex", lambda p: p)
    middle = points[connectivity].mean(axis=1)
    kept = ~((middle[:, 0] > 0.5) & (middle[:, 1] > 0.5))  # an L
    mine = np.flatnonzero(kept)[COMM.rank :: COMM.size]
    outside = np.flatnonzero(~kept)
    domain = tree(points, connectivity[np.concatenate([mine, outside])], "hex")
    add(domain, "p", linear(*coordinates(domain)))
    flags = np.repeat([0, 1], [len(mine), len(outside)])
    add(domain, "ascent_ghosts", flags.astype(np.int32), "element")
    resampler = Resampler(COMM, (8, 8, 8), "ascent_ghosts")
    boxes = resampler.to_boxes(domain, ["p"])
    assert resampler.error(boxes, "p").covered == 1 - 16 / 81
    p = whole(COMM, boxes, "p", (8, 8, 8))
    if p is not None:
        z, y, x = np.meshgrid(*[np.linspace(0, 1, 9)] * 3, indexing="ij")
        inside = ~((x > 0.5) & (y > 0.5))
        np.testing.assert_allclose(p[inside], linear(x, y, z)[inside], atol=1e-12)
        assert np.isnan(p[~inside]).all()


@pytest.mark.parallel([1, 3])
def test_the_grid_follows_the_mesh() -> None:
    """Its cells are as large as the mesh's; a mesh that moves is looked at again."""
    mesh = dealt(4, "hex", COMM)
    resampler = Resampler(COMM)
    resampler.to_boxes(mesh, ["p"])
    assert [len(line) - 1 for line in resampler.lines] == [4, 4, 4]
    if mesh is not None:
        values = mesh["coordsets"]["c"]["values"]
        mesh["coordsets"]["c"]["values"] = {**values, "x": values["x"] * 2}
    boxes = resampler.to_boxes(mesh, ["v"])
    assert resampler.lines[0][-1] == 2 and len(resampler.lines[0]) - 1 == round(
        2 * 2 ** (-1 / 3) * 4
    )
    for block in partitions(boxes, "v"):  # the field is x of before
        x = block.nodes[0]
        np.testing.assert_allclose(block.owned[0][0, 0], x / 2, atol=1e-6)


def published(comm: MPI.Comm, name: str, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """All points with a value and their values, of `dealt`'s cells on all ranks, on every rank."""
    points, values = [], []
    mesh = dealt(4, "hex", comm, seed=seed)
    if mesh is not None:
        element = mesh["fields"][name]["association"] == "element"
        points = centers(mesh, 8) if element else np.stack(coordinates(mesh), axis=1)
        values = mesh["fields"][name]["values"]
    gathered = comm.allgather((np.reshape(points, (-1, 3)), np.asarray(values)))
    return np.concatenate([p for p, _ in gathered]), np.concatenate([v for _, v in gathered])


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(("name", "cells"), [("v_y", (3, 5, 4)), ("q", (4, 6, 3))])
def test_error_at_the_points_of_the_mesh(name: str, cells: tuple[int, int, int]) -> None:
    """As SciPy interpolates between the same samples; values per cell by exchange of ghosts."""
    mesh = dealt(4, "hex", COMM)
    if mesh is not None:
        v_y = mesh["fields"]["v_y"]
        v_y["values"] = np.sin(5 * v_y["values"]).astype(np.float32)
    resampler = Resampler(COMM, cells)
    boxes = resampler.to_boxes(mesh, [name])
    error = resampler.error(boxes, name)
    shape = cells[::-1]
    samples = COMM.bcast(whole(COMM, boxes, name, shape))
    points, values = published(COMM, name)
    if name == "v_y":
        values = np.sin(5 * values).astype(np.float32)
        axes = [np.linspace(0, 1, n + 1) for n in shape]
    else:
        axes = [(np.arange(n) + 0.5) / n for n in shape]
        points = np.clip(points, [a[0] for a in axes[::-1]], [a[-1] for a in axes[::-1]])
    read = RegularGridInterpolator(axes, samples)(points[:, ::-1])
    rms = np.sqrt(np.mean((read - values) ** 2))
    assert rms > 0.005
    np.testing.assert_allclose(error.rms, rms, rtol=1e-5)
    np.testing.assert_allclose(error.psnr_db, psnr(read, values), rtol=1e-6)
    assert error.covered == 1.0 and error.n_points == len(values)


@pytest.mark.parallel([1, 3])
def test_points_beside_the_outside_are_not_read() -> None:
    """An L whose inner faces lie between the grid's lines: what is read is exact."""
    points, connectivity = cube(4, "hex", lambda p: p)
    middle = points[connectivity].mean(axis=1)
    kept = np.flatnonzero(~((middle[:, 0] > 0.5) & (middle[:, 1] > 0.5)))
    domain = tree(points, connectivity[kept[COMM.rank :: COMM.size]], "hex")
    add(domain, "p", linear(*coordinates(domain)))
    for name, values in zip(("v_x", "v_y", "v_z"), coordinates(domain), strict=True):
        add(domain, name, values.copy())
    resampler = Resampler(COMM, (5, 5, 4))
    boxes = resampler.to_boxes(domain, ["p", "v_x", "v_z"])
    for error in (resampler.error(boxes, "p"), resampler.error(boxes, "v_x", "v_z")):
        assert error.psnr_db > 250 and error.rms < 1e-12
        assert 0.5 < error.read < 1 and error.covered == 1 - 9 / 36


@pytest.mark.parallel(1)
def test_vectors_published_twice() -> None:
    """Some versions of nekRS's plugin: components u, v, w, and scalars that end in _x, _y, _z."""
    mesh = dealt(2, "hex", COMM, duplicated=True)
    names = [f"v_{letter}" for letter in "xyz"]
    parts = {letter: mesh["fields"][n]["values"] for letter, n in zip("uvw", names, strict=True)}
    mesh["fields"]["v"] = {"topology": "t", "association": "vertex", "values": parts}
    boxes = Resampler(COMM, (4, 4, 4)).to_boxes(mesh, ["v", *names])
    (vector,) = partitions(boxes, "v")
    for component, name in zip(vector.components, names, strict=True):
        (alone,) = partitions(boxes, name)
        np.testing.assert_array_equal(component, alone.components[0])


@pytest.mark.parallel(3)
def test_ranks_without_a_box() -> None:
    mesh = dealt(4, "hex", COMM)
    resampler = Resampler(COMM, (1, 1, 1))
    boxes = resampler.to_boxes(mesh, ["p"])
    assert COMM.allreduce(boxes is not None) == 1
    assert resampler.error(boxes, "p").psnr_db > 150


@pytest.mark.parallel(3)
def test_one_rank_with_a_wrong_mesh() -> None:
    mesh = dealt(2, "hex", COMM)
    if COMM.rank == 0:
        mesh["fields"]["p"]["values"] = mesh["fields"]["p"]["values"][:-1]
    with pytest.raises(RemoteError, match=r"fields/p/values: .* values, expected"):
        Resampler(COMM).to_boxes(mesh, ["p"])


@pytest.mark.parallel([1, 3])
def test_nobody_has_cells() -> None:
    resampler = Resampler(COMM)
    assert resampler.to_boxes(None, []) is None
    with pytest.raises(MeshError, match="no rank has any cells"):
        resampler.to_boxes(None, ["p"])
