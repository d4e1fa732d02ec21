"""Isosurfaces: they lie where the field has the value, and are closed whoever holds the blocks."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI
from skimage.measure import marching_cubes

from insitu.core.geometry import Surface
from insitu.core.parallel import RemoteError
from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry import flying_edges
from insitu.filters.geometry.isosurface import block_isosurfaces, isosurface
from insitu.models.hash_grid.model import HashGrid
from insitu.training.bricks import compress_bricks
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.analytic_grid import AnalyticBlock, Function, blocks, dealt, sphere, torus
from tests.support.blocks import local_ranges, split
from tests.support.topology import area_and_volume, euler, merged, open_edges


def gathered(everything: list, *arguments: object, **options: object) -> list[Surface]:
    """All ranks' pieces on rank 0, [] elsewhere; blocks are dealt out, the last rank has none."""
    comm = MPI.COMM_WORLD
    mine = dealt(everything, comm.rank, comm.size)
    return comm.gather(isosurface(comm, mine, *arguments, **options)) or []


def test_vertices_have_the_value_and_normals_point_to_lower_ones() -> None:
    (block,) = blocks(sphere)
    surface = isosurface(MPI.COMM_SELF, [block], 0.0)
    error = np.abs(block(surface.points))
    # Next to a node of the lattice it may be off by a thousandth of a cell's diagonal.
    assert np.median(error) < 1e-9 and error.max() < 1e-3 * 0.15
    outward = surface.points - [0.47, 0.52, 0.49]
    outward /= np.linalg.norm(outward, axis=1)[:, None]
    assert (surface.normals * outward).sum(axis=1).min() > 1 - 1e-6
    a, b, c = np.moveaxis(surface.points[surface.triangles], 1, 0)
    facing = np.cross(b - a, c - a)
    assert (facing * surface.normals[surface.triangles[:, 0]]).sum(axis=1).min() > 0


def test_area_and_volume() -> None:
    (block,) = blocks(sphere, (40, 42, 44))
    surface = isosurface(MPI.COMM_SELF, [block], 0.0)
    area, volume = area_and_volume(surface.points, surface.triangles)
    assert area == pytest.approx(4 * np.pi * 0.3**2, rel=3e-3)
    assert volume == pytest.approx(4 / 3 * np.pi * 0.3**3, rel=3e-3)


@pytest.mark.parametrize("function", [sphere, torus])
def test_agrees_with_marching_cubes(function: Function) -> None:
    n = 30
    (block,) = blocks(function, (n, n, n), stretch=0.0)
    nodes = np.linspace(0, 1, n + 1)
    points, faces, _, _ = marching_cubes(block.on_grid(nodes, nodes, nodes)[..., 0], 0.0)
    surface = isosurface(MPI.COMM_SELF, [block], 0.0)
    assert len(surface.points) == len(points) and euler(surface.triangles) == euler(faces)
    # In other orders; theirs is linear along the edge of the lattice, ours on the function, which
    # is not the same where the edge hardly crosses the surface.
    theirs = points[:, ::-1] / n
    near = np.linalg.norm(surface.points[:, None] - theirs[None], axis=2).min(axis=1)
    assert np.quantile(near, 0.95) < 0.1 / n and near.max() < 0.5 / n
    area = area_and_volume(theirs, faces)[0]
    assert area_and_volume(surface.points, surface.triangles)[0] == pytest.approx(area, rel=0.01)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(("function", "characteristic"), [(sphere, 2), (torus, 0)])
@pytest.mark.parametrize("parts", [1, 2, 8, 13])
def test_closed_across_blocks_and_ranks(
    function: Function, characteristic: int, parts: int
) -> None:
    everything = blocks(function, parts=parts, noise=1e-3, rounding=1e-15)
    pieces = gathered(everything, 0.0)
    if MPI.COMM_WORLD.rank == 0:
        points, triangles = merged(pieces)
        assert len(triangles) > 1000
        assert open_edges(triangles) == 0
        assert euler(triangles) == characteristic
        # Not one vertex differs, in any bit, from those of all blocks on one rank.
        alone, _ = merged([isosurface(MPI.COMM_SELF, everything, 0.0)])
        np.testing.assert_array_equal(points, alone)


@pytest.mark.parallel([1, 3])
def test_neighbours_have_the_same_normals_and_colors() -> None:
    temperature = blocks([torus, sphere], parts=9, noise=2e-3, name="t")
    comm = MPI.COMM_WORLD
    mine = dealt(temperature, comm.rank, comm.size)
    pieces = gathered(blocks(sphere, parts=9, noise=1e-3), 0.0, color_by={"t": mine})
    if comm.rank == 0:
        used = [piece for piece in pieces if len(piece.points)]
        rows = np.concatenate(
            [np.concatenate([p.points, p.normals, p.values["t"]], axis=1) for p in used]
        )
        n_points = len(np.unique(rows[:, :3], axis=0))
        assert n_points < len(rows)  # there are common vertices
        assert len(np.unique(rows, axis=0)) == n_points


@pytest.mark.parallel([1, 4])
@pytest.mark.parametrize("kind", ["network", "bricks"])
def test_closed_across_trained_blocks(kind: str) -> None:
    comm = MPI.COMM_WORLD

    def bump(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.exp(-6 * ((x - 0.45) ** 2 + (y - 0.5) ** 2 + (z - 0.55) ** 2))

    parts = split(bump, (24, 24, 24), (2, 2, 2))
    whole = GlobalRange(24**3, local_ranges({"f": parts})["f"].range)
    mine = [
        train(
            TrainingJob.of(
                part,
                HashGrid(log2_hashmap_size=10),
                options=TrainingOptions(n_min=300),
                target=Target(),
                whole=whole,
            )
        )
        if kind == "network"
        else compress_bricks(
            TrainingJob.of(part, HashGrid(), target=Target(psnr=50), whole=whole), "zfp"
        )
        for i, part in enumerate(parts)
        if i % comm.size == comm.rank
    ]
    field = DistributedField.gather(comm, mine)
    surface = isosurface(comm, field, 0.5)
    for piece, block in zip(block_isosurfaces(comm, field, 0.5), mine, strict=True):
        inside = ((piece.points > block.bounds[0]) & (piece.points < block.bounds[1])).all(axis=1)
        error = np.abs(block(piece.points[inside]) - 0.5)
        assert np.median(error) < 1e-6
    pieces = comm.gather(surface)
    if comm.rank == 0:
        _, triangles = merged(pieces)
        assert open_edges(triangles) == 0 and euler(triangles) == 2


def waves(seed: int) -> Function:
    """A smooth function without order: a sum of waves of random directions."""
    random = np.random.default_rng(seed)
    directions, phases = random.normal(0, 7, (6, 3)), random.uniform(0, 2 * np.pi, 6)

    def function(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return sum(
            np.cos(a * x + b * y + c * z + p)
            for (a, b, c), p in zip(directions, phases, strict=True)
        )

    return function


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 14), st.sampled_from([0.0, 1e-2]))
def test_open_only_where_the_domain_ends(seed: int, parts: int, noise: float) -> None:
    everything = blocks(waves(seed), (9, 10, 11), parts, noise=noise)
    isovalues = [-0.7, 0.3]
    pieces = [isosurface(MPI.COMM_SELF, everything, isovalues)]
    points, triangles = merged(pieces)
    inside = ((points > 0) & (points < 1)).all(axis=1)
    # Triangles with all corners inside, and what is beside them, have their neighbours.
    ends = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, counts = np.unique(ends, axis=0, return_counts=True)
    assert (counts[inside[edges].any(axis=1)] % 2 == 0).all()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("parts", [1, 8])
def test_cells_without_values_are_left_out(parts: int) -> None:
    def holed(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where((x > 0.6) & (y > 0.45), np.nan, sphere(x, y, z))

    pieces = gathered(blocks(holed, parts=parts, noise=1e-3), 0.0)
    if MPI.COMM_WORLD.rank == 0:
        points, triangles = merged(pieces)
        assert not ((points[:, 0] > 0.6) & (points[:, 1] > 0.45)).any()
        assert np.isfinite(points).all()
        assert euler(triangles) == 1  # a sphere with one hole
        assert len(points) > 600


@pytest.mark.parallel([1, 3])
def test_constant_blocks_and_none_at_all() -> None:
    comm = MPI.COMM_WORLD
    flat = blocks(lambda x, y, z: np.full(x.shape, 2.0), parts=6)
    for everything, isovalue in ((flat, 2.0), (flat, 1.0), ([], 1.0)):
        surface = isosurface(comm, dealt(everything, comm.rank, comm.size), isovalue)
        assert surface.points.shape == (0, 3) and surface.triangles.shape == (0, 3)


def test_several_isovalues() -> None:
    surface = isosurface(MPI.COMM_SELF, blocks(sphere, parts=3), [0.1, 0.0, 0.1])
    radius = np.linalg.norm(surface.points - [0.47, 0.52, 0.49], axis=1)
    assert set(surface.values["f"]) == {0.0, 0.1}
    np.testing.assert_allclose(0.3 - radius, surface.values["f"], atol=2e-4)


def test_components_and_magnitude() -> None:
    functions = [lambda x, y, z: x - 0.47, lambda x, y, z: y - 0.52, lambda x, y, z: z - 0.49]
    vectors = blocks(functions, name="r")
    ball = isosurface(MPI.COMM_SELF, vectors, 0.3)
    np.testing.assert_allclose(
        np.linalg.norm(ball.points - [0.47, 0.52, 0.49], axis=1), 0.3, atol=2e-4
    )
    # Higher outside.
    assert area_and_volume(ball.points, ball.triangles)[1] < 0
    assert list(ball.values) == ["r_magnitude"]
    plane = isosurface(MPI.COMM_SELF, vectors, 0.1, component=1)
    np.testing.assert_allclose(plane.points[:, 1], 0.62, atol=2e-4)
    np.testing.assert_allclose(plane.normals, [[0, -1, 0]] * len(plane.points), atol=1e-6)
    assert list(plane.values) == ["r_1"]


def test_colors_are_values_at_the_vertices() -> None:
    functions = [torus, sphere]
    colors = {"t": blocks(torus, parts=4), "v": blocks(functions, parts=4)}
    surface = isosurface(MPI.COMM_SELF, blocks(sphere, parts=4), 0.05, color_by=colors)
    np.testing.assert_allclose(surface.values["t"], torus(*surface.points.T), atol=1e-12)
    assert surface.values["v"].shape == (len(surface.points), 2)
    assert set(surface.values) == {"f", "t", "v"}


def test_values_equal_to_the_isovalue_make_no_degenerate_triangle() -> None:
    def steps(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.rint(12 * sphere(x, y, z))

    surface = isosurface(MPI.COMM_SELF, blocks(steps, parts=5), 0.0)
    points, triangles = merged([surface])
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0
    assert open_edges(triangles) == 0 and euler(triangles) == 2
    assert np.isfinite(surface.normals).all()
    np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=1), 1)


def test_only_bricks_with_the_value_are_contoured(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = []
    original = flying_edges._flying_edges

    def counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shapes.append(values.shape)
        return original(values)

    monkeypatch.setattr(flying_edges, "_flying_edges", counted)
    surface = isosurface(MPI.COMM_SELF, blocks(sphere, (96, 96, 96), stretch=0.0), 0.25)
    assert len(surface.triangles) and euler(surface.triangles) == 2
    assert len(shapes) == 1  # of 27: a ball of radius 0.05 in the middle one
    assert shapes[0] == (33, 33, 33)


@pytest.mark.parallel([1, 3])
def test_two_levels_of_refinement() -> None:
    """The same sphere where one half has cells half as long: gaps only between the levels."""
    comm = MPI.COMM_WORLD
    coarse, fine = np.linspace(0.0, 1.0, 25), np.linspace(0.0, 1.0, 49)
    everything = [
        AnalyticBlock((sphere,), (0.5 * coarse, coarse, coarse)),
        AnalyticBlock((sphere,), (0.5 + 0.5 * fine, fine, fine)),
    ]
    mine = everything[comm.rank :: comm.size]
    pieces = comm.gather(isosurface(comm, mine, 0.0)) or []
    if comm.rank == 0:
        areas = [area_and_volume(p.points, p.triangles)[0] for p in pieces if len(p.points)]
        assert sum(areas) == pytest.approx(4 * np.pi * 0.3**2, rel=0.01)
        points = np.concatenate([piece.points for piece in pieces])
        away = np.abs(np.linalg.norm(points - [0.47, 0.52, 0.49], axis=1) - 0.3)
        assert away.max() < 1e-3


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a MiB at a time of a block of 16 MiB; numpy and this block's own temporaries."""
    monkeypatch.setattr(flying_edges, "SLAB_NODES", 2**16)
    (block,) = blocks(sphere, (127, 127, 127))
    isosurface(MPI.COMM_SELF, [block], 0.28)
    tracemalloc.start()
    isosurface(MPI.COMM_SELF, [block], 0.28)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.4 * 128**3 * 8


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: (blocks(sphere), np.nan), "isovalues: nan; expected one or more finite"),
        (lambda: (blocks(sphere), []), "expected one or more finite"),
        (lambda: (blocks(sphere) + blocks(sphere), 0.0), "same cells at x, y, z = .0.0, 0.0, 0.0."),
    ],
)
def test_what_is_wrong_is_said_on_all_ranks(
    make: Callable[[], tuple[list, object]], text: str
) -> None:
    comm = MPI.COMM_WORLD
    everything, isovalues = make()
    with pytest.raises(RemoteError, match=text):
        isosurface(comm, dealt(everything, comm.rank, comm.size), isovalues)


def test_wrong_components_and_colors_are_refused() -> None:
    with pytest.raises(RemoteError, match="component: 1; 'f' has 1"):
        isosurface(MPI.COMM_SELF, blocks(sphere), 0.0, component=1)
    for colors in (blocks(sphere, parts=2), blocks(sphere, (4, 4, 4))):
        with pytest.raises(RemoteError, match="color_by 't'"):
            isosurface(MPI.COMM_SELF, blocks(sphere), 0.0, color_by={"t": colors})


def test_missing_vtk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vtkmodules.vtkFiltersCore", None)
    with pytest.raises(RemoteError, match=r"isosurfaces need vtkmodules.*insitu-inr\[vtk\]"):
        isosurface(MPI.COMM_SELF, blocks(sphere), 0.0)
