"""Filters that move, number, choose or draw, and the pictures of what they give."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines, Surface
from insitu.filters.auto_slice import AutoSlice
from insitu.filters.block_numbers import BlockNumbers
from insitu.filters.derived import Derive
from insitu.filters.geometry.mapped_block import MappedBlock
from insitu.filters.geometry.spheres import spheres
from insitu.filters.geometry.tube_surface import tube_surface
from insitu.filters.pipeline import Data, Filter, Pipeline, Results, VolumeData
from insitu.filters.sampling import HistSampling, acceptance
from insitu.filters.schema import DataSchema
from insitu.filters.surface_filters import Contour, Slice
from insitu.filters.transform import Transform
from insitu.filters.uniform_grid import UniformGrid
from insitu.render.camera import Camera, CameraSettings
from insitu.render.picture.plots import Plot
from insitu.render.picture.scene import PreparedScene
from insitu.render.surface.planes import between_planes
from insitu.store.timestep import newest
from tests.support.windows import window

COMM = MPI.COMM_WORLD
TWICE = Transform("scale", ((2, 0, 0, 0), (0, 3, 0, 0), (0, 0, -1, 0)))
TURN = Transform("transform", ((0, -1, 0, 1), (1, 0, 0, 0), (0, 0, 1, 0)))
MIRROR = Transform("dray_reflect", ((-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)), both=True)


def result(names: set[str], *filters: Filter) -> tuple[Data, Results]:
    (step,) = newest(window(COMM, (5,)), {"density", "velocity"}, 1)
    results = Results(COMM, step)
    return results.of(Pipeline("p", filters), frozenset(names)), results


def whole(array: np.ndarray) -> np.ndarray:
    """Of all ranks, those without any aside."""
    return np.concatenate([part for part in COMM.allgather(array) if len(part)])


def area(surface: Surface) -> float:
    a, b, c = (surface.points[surface.triangles[:, i]] for i in range(3))
    mine = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    return COMM.allreduce(float(mine))


@pytest.mark.parallel([1, 3])
def test_a_volume_is_scaled_with_its_values_and_derivatives() -> None:
    plain, _ = result({"density"})
    data, results = result({"density"}, TWICE)
    assert isinstance(plain, VolumeData) and isinstance(data, VolumeData)
    low, high = results.bounds
    np.testing.assert_allclose(data.bounds[0], [2 * low[0], 3 * low[1], -high[2]])
    np.testing.assert_allclose(data.bounds[1], [2 * high[0], 3 * high[1], -low[2]])
    for before, after in zip(plain.fields["density"], data.fields["density"], strict=True):
        assert isinstance(after, MappedBlock)
        points = np.random.default_rng(2).uniform(*before.bounds, (50, 3))
        moved = points * [2, 3, -1]
        np.testing.assert_allclose(after(moved), before(points))
        np.testing.assert_allclose(
            after.gradient(moved), before.gradient(points) / [2, 3, -1], rtol=1e-6, atol=1e-9
        )
        units = np.array([0.0, 0.3, 1.0]), np.array([0.25, 0.5]), np.array([0.1, 0.9])
        x, y, z = (
            np.interp(unit, np.linspace(0, 1, len(n)), n)
            for unit, n in zip(units, after.nodes, strict=True)
        )
        grid = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
        np.testing.assert_allclose(after.on_grid(*units).ravel(), after(grid), rtol=1e-4, atol=1e-5)


@pytest.mark.parallel([1, 3])
def test_surfaces_are_turned_and_mirrored() -> None:
    contour = Contour("density", (0.4,))
    plain, _ = result({"density"}, contour)
    turned, results = result({"density"}, contour, TURN)
    both, _ = result({"density"}, contour, MIRROR)
    assert all(isinstance(found, Surface) for found in (plain, turned, both))
    np.testing.assert_allclose(turned.points[:, 0], 1 - plain.points[:, 1])
    assert area(turned) == pytest.approx(area(plain))
    assert area(both) == pytest.approx(2 * area(plain))
    low, high = MIRROR.bounds(results.bounds)
    assert (low[0], high[0]) == (-results.bounds[1][0], results.bounds[1][0])
    of_volume, _ = result({"density"}, MIRROR)
    outer, _ = result({"density"})
    assert area(of_volume) == pytest.approx(2 * area(outer.surface(COMM)))


@pytest.mark.parallel([1, 3])
def test_blocks_are_numbered() -> None:
    ranks = BlockNumbers("add_mpi_ranks", "rank").on(DataSchema({"density": 1}))
    ids = BlockNumbers("add_domain_ids", "id").on(DataSchema({"density": 1}))
    data, _ = result({"rank", "id"}, ranks, ids)
    assert isinstance(data, VolumeData)
    for block in data.fields["rank"]:
        assert np.asarray(block.on_grid(*[np.array([0.5])] * 3)).ravel() == [COMM.rank]
    plain, _ = result({"density"})
    for block, before in zip(data.fields["id"], plain.fields["density"], strict=True):
        assert block.range.tolist() == [[before.domain_id] * 2]


@pytest.mark.parallel([1, 3])
def test_the_slice_with_the_most_information() -> None:
    z = (0.0, 0.0, 1.0)
    found, results = result({"velocity"}, AutoSlice("density", z, 5))
    assert isinstance(found, Surface)
    heights = whole(found.points[:, 2])
    low, high = results.bounds[0][2], results.bounds[1][2]
    levels = low + (high - low) * (np.arange(5) + 1) / 6
    assert np.ptp(heights) < 1e-9 and np.abs(levels - heights[0]).min() < 1e-9
    ends = None
    entropies = []
    for level in levels:
        plane, _ = result({"density"}, Slice(z, (0.5, 0.5, float(level))))
        values = whole(plane.values["density"])
        ends = ends or (-1.0, 2.0)
        counts, _ = np.histogram(values, 64, ends)
        share = counts[counts > 0] / counts.sum()
        entropies.append(-(share * np.log(share)).sum())
    # Another binning, so that the order of neighbours may differ, not that of the extremes.
    assert np.argmin(entropies) != np.abs(levels - heights[0]).argmin()


@pytest.mark.parallel([1, 3])
def test_samples_are_drawn_so_that_rare_values_are_kept() -> None:
    found, _ = result({"density", "velocity"}, HistSampling("density", 8, 0.2))
    assert isinstance(found, Lines)
    plain, _ = result({"density"})
    every = [np.asarray(block.decode()).ravel() for block in plain.fields["density"]]
    values = whole(np.concatenate([np.zeros(0), *every]))
    drawn = whole(found.values["density"])
    assert 0.1 < len(drawn) / len(values) < 0.3
    ends = np.linspace(values.min(), values.max(), 9)
    counts, kept = np.histogram(values, ends)[0], np.histogram(drawn, ends)[0]
    common = int(np.argmax(counts))
    rare = int(np.argmin(np.where(counts > 0, counts, 1 << 30)))
    assert kept[rare] / counts[rare] > kept[common] / counts[common]
    assert len(np.unique(whole(found.points), axis=0)) == len(drawn)


def test_the_chance_to_be_drawn() -> None:
    counts = np.array([100, 0, 4, 50])
    chance = acceptance(counts, 0.25)
    assert (chance * counts).sum() == pytest.approx(0.25 * counts.sum())
    assert chance[2] == 1.0 and chance[1] == 0.0
    assert chance[0] * 100 == pytest.approx(chance[3] * 50)


@pytest.mark.parallel([1, 3])
def test_a_grid_beyond_the_domain_has_its_value_there() -> None:
    _, results = result({"density"})
    low, high = results.bounds
    far = [float(x) for x in low - 0.5]
    grid = UniformGrid((21, 21, 21), tuple(far), (0.1, 0.1, 0.1), None, -7.0)
    data, _ = result({"density"}, grid)
    assert isinstance(data, VolumeData)
    np.testing.assert_allclose(data.bounds[0], far)
    np.testing.assert_allclose(data.bounds[1], np.maximum(high, np.add(far, 2.0)))
    outside = np.array([far, np.add(far, 0.2)])
    found = [np.asarray(block(outside)) for block in data.fields["density"]]
    values = whole(np.concatenate([np.zeros(0), *(f[np.isfinite(f)] for f in found)]))
    assert len(values) == 2 and (values == -7.0).all()
    surface = data.surface(COMM)
    assert whole(surface.points).min() == pytest.approx(min(far))


def test_tubes_have_sides_and_caps() -> None:
    z = np.linspace(0, 2, 5)
    line = np.stack([0 * z, 0 * z, z], axis=1)
    lines = Lines(np.concatenate([line, line[:1]]), np.array([0, 5, 6]), {"v": np.arange(6.0)})
    open_, closed = (tube_surface(lines, 0.5, 4, capped=c) for c in (False, True))
    side = 0.5 * np.sqrt(2)
    assert area(open_) * 1 == pytest.approx(COMM.size * 4 * side * 2)
    assert area(closed) == pytest.approx(COMM.size * (4 * side * 2 + 2 * side**2))
    assert set(closed.values["v"]) == set(range(5))
    a, b, c = (closed.points[closed.triangles[:, i]] for i in range(3))
    facing = np.cross(b - a, c - a)
    np.testing.assert_array_less(0, (facing * ((a + b + c) / 3 - [0, 0, 1])).sum(axis=1))
    empty = tube_surface(Lines(np.empty((0, 3)), np.array([0]), {"v": np.empty(0)}), 1.0, 3)
    assert not len(empty.points)


@pytest.mark.parallel([1, 3])
def test_points_are_spheres() -> None:
    mine = np.array([[COMM.rank, 0.0, 0.0], [COMM.rank, 1.0, 0.0]])
    points = Lines(mine, np.arange(3), {"v": mine[:, 1]})
    found = spheres(COMM, points, "v", 0.2, 0.5)
    sizes = np.linalg.norm(found.points - np.repeat(mine, len(found.points) // 2, axis=0), axis=1)
    np.testing.assert_allclose(sizes, np.repeat([0.1, 0.3], len(sizes) // 2))
    plain = spheres(COMM, points, "v")
    assert len(np.unique(np.round(plain.points, 6), axis=0)) == 2 * 42
    assert not len(
        spheres(COMM, Lines(np.empty((0, 3)), np.array([0]), {"v": np.empty(0)}), "v").points
    )


@pytest.mark.parallel([1, 3])
def test_the_picture_of_what_is_moved_is_that_of_the_moved_camera() -> None:
    """By depth, over all ranks, as in the order of blocks."""
    (step,) = newest(window(COMM, (5,)), {"density", "velocity"}, 1)
    contour = Contour("density", (0.4,))
    away = Transform("transform", ((1, 0, 0, 5), (0, 1, 0, 0), (0, 0, 1, 0)))
    camera = Camera((0.5, 0.5, 3.0), (0.5, 0.5, 0.5), width=64, height=48)
    moved = Camera((5.5, 0.5, 3.0), (5.5, 0.5, 0.5), width=64, height=48)
    images = []
    for filters, eye in (((contour,), camera), ((contour, away), moved)):
        plot = Plot(field="density", type="pseudocolor", pipeline=Pipeline("p", filters))
        (scene,) = PreparedScene.at(COMM, [plot], [step])
        images.append(scene.image(eye))
    if COMM.rank == 0:
        assert images[0][..., 3].max() > 0.9
        np.testing.assert_allclose(images[0], images[1], atol=0.1)


@pytest.mark.parallel([1, 3])
def test_what_is_beyond_the_planes_of_a_camera_is_cut_off() -> None:
    surface, results = result({"density"}, Slice((1.0, 0.0, 0.0), (0.5, 0.5, 0.5)))
    volume, _ = result({"density"})
    settings = CameraSettings(
        position=(0.5, 0.5, 3.0), look_at=(0.5, 0.5, 0.0), near_plane=2.25, far_plane=2.75
    )
    camera = settings.camera(results.bounds, 32, 32)
    left = between_planes(COMM, surface, camera, results.bounds)
    assert area(left) == pytest.approx(area(surface) / 2)
    heights = whole(left.points[:, 2])
    assert heights.min() == pytest.approx(0.25) and heights.max() == pytest.approx(0.75)
    half = between_planes(COMM, volume, camera, results.bounds)
    heights = whole(half.surface(COMM).points[:, 2])
    assert heights.min() == pytest.approx(0.25) and heights.max() == pytest.approx(0.75)
    points = np.array([[0.5, 0.5, z] for z in (0.1, 0.5, 0.6, 0.9, 0.3)])
    lines = Lines(points, np.array([0, 5]), {"v": np.arange(5.0)})
    kept = between_planes(COMM, lines, camera, results.bounds)
    assert kept.values["v"].tolist() == [1, 2, 4] and kept.offsets.tolist() == [0, 2, 3]


def test_derivatives_may_have_samples_at_cells() -> None:
    data, _ = result({"g"}, Derive("gradient", "density", "g", at_cells=True))
    assert {block.association for block in data.fields["g"]} <= {"element"}
