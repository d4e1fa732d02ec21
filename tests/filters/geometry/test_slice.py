"""Slices: the whole plane within the domain, each part of it once, with the fields' values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.filters.geometry.clip import clip
from insitu.filters.geometry.shapes import Sphere
from insitu.filters.geometry.slice import slice_plane, three_slice
from insitu.filters.geometry.threshold import threshold
from tests.support.analytic_fields import AnalyticBlock, cut, flow, lines, mine, wave
from tests.support.blocks import blob, split
from tests.support.fitting import fit
from tests.support.surface_measures import areas, corners, everyone

COMM = MPI.COMM_WORLD
LOW, HIGH = np.array([-1, 0, -0.5]), np.array([1, 1.5, 1])


def step(parts: tuple = (2, 2, 2), stretch: float = 0.3, comm: MPI.Comm = COMM) -> dict:
    nodes = cut(lines(stretch=stretch), parts)
    return {
        "pressure": mine(comm, [AnalyticBlock((wave,), n) for n in nodes]),
        "velocity": mine(comm, [AnalyticBlock(flow(), n, association="vertex") for n in nodes]),
    }


def section(origin: np.ndarray, normal: np.ndarray) -> float:
    """Area of a plane within LOW..HIGH: how fast the volume below it grows, by polygon."""
    normal = normal / np.linalg.norm(normal)
    u = np.linalg.svd(normal[None])[2][1]
    v = np.cross(normal, u)
    polygon = [origin + 10 * (a * u + b * v) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    for axis in range(3):
        for sign, face in ((1, LOW[axis]), (-1, HIGH[axis])):
            clipped = []
            for p, q in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
                dp, dq = sign * (p[axis] - face), sign * (q[axis] - face)
                if dp >= 0:
                    clipped.append(p)
                if (dp >= 0) != (dq >= 0):
                    clipped.append(p + dp / (dp - dq) * (q - p))
            polygon = clipped
            if not polygon:
                return 0.0
    fan = np.array(polygon)
    return float(np.linalg.norm(np.cross(fan[1:-1] - fan[0], fan[2:] - fan[0]).sum(axis=0)) / 2)


coordinate = st.integers(-64, 64).map(lambda i: i / 64)
# What is less tilted than rounding counts as straight.
slope = st.just(0.0) | st.floats(1e-6, 1) | st.floats(-1, -1e-6)


@settings(max_examples=40, deadline=None)
@given(
    origin=st.tuples(coordinate, coordinate.map(lambda y: 1.5 * abs(y)), coordinate),
    normal=st.tuples(slope, slope, slope).filter(any),
    parts=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 3)),
    spacing=st.sampled_from([None, 0.11, 0.5]),
)
def test_the_pieces_have_the_area_of_the_plane(
    origin: tuple, normal: tuple, parts: tuple, spacing: float | None
) -> None:
    got = slice_plane(
        MPI.COMM_SELF, step(parts, comm=MPI.COMM_SELF), origin, normal, spacing=spacing
    )
    expected = section(np.array(origin), np.array(normal, float))
    assert areas(got).sum() == pytest.approx(expected, abs=1e-9)
    unit = np.array(normal) / np.linalg.norm(normal)
    np.testing.assert_allclose((got.points - origin) @ unit, 0, atol=1e-9)
    a, b, c = corners(got).transpose(1, 0, 2)
    assert (np.cross(b - a, c - a) @ unit >= -1e-12).all()  # none is turned, so none overlap
    x, y, z = got.points.T
    np.testing.assert_allclose(got.values["pressure"], wave(x, y, z), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        got.values["velocity"], np.stack([f(x, y, z) for f in flow()], axis=1), atol=1e-9
    )


@pytest.mark.parallel(3)
@pytest.mark.parametrize("normal", [(0, 0, 1), (0, -2, 0), (1, 0, 0), (1, 2, 0.5)])
def test_pieces_tile_the_plane_at_any_number_of_ranks(normal: tuple) -> None:
    """Every point of the plane is in exactly one triangle, its corners are where all ranks say."""
    origin = (0.1, 0.7, 0.2)
    pieces = everyone(COMM, slice_plane(COMM, step(), origin, normal))
    alone = slice_plane(MPI.COMM_SELF, step(comm=MPI.COMM_SELF), origin, normal)
    np.testing.assert_allclose(
        np.sort(np.concatenate([areas(p) for p in pieces])), np.sort(areas(alone)), atol=1e-12
    )
    assert len(pieces[-1].points) == 0  # it has no block
    assert pieces[-1].values["velocity"].shape == (0, 3)
    assert pieces[-1].normals.shape == (0, 3)


def count(pieces: list, points: np.ndarray, drop: int) -> np.ndarray:
    """In how many triangles of pieces along the axis `drop` each point is."""
    keep = [a for a in range(3) if a != drop]
    total = np.zeros(len(points), int)
    for piece in pieces:
        a, b, c = corners(piece)[..., keep].transpose(1, 0, 2)[:, :, None]
        p = points[None][..., keep]
        sides = [
            (r - q)[..., 0] * (p - q)[..., 1] - (r - q)[..., 1] * (p - q)[..., 0]
            for q, r in ((a, b), (b, c), (c, a))
        ]
        within = (np.stack(sides) > 0).all(axis=0) | (np.stack(sides) < 0).all(axis=0)
        total += within.sum(axis=0)
    return total


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("level", [-1.0, 0.0, 1.0])
def test_a_plane_that_is_a_face_is_there_once(level: float) -> None:
    """Between blocks and at the ends of the domain; also where blocks face several others."""
    nodes = lines((8, 8, 8))
    left = [n for n in cut(nodes, (1, 1, 2)) if n[0][0] < 0]
    right = [
        (x, y, z) for x, y, z in cut(lines((6, 9, 8)), (3, 2, 2)) if x[0] >= 0
    ]  # cells that do not fit
    fields = {"f": mine(COMM, [AnalyticBlock((wave,), n) for n in [*left, *right]])}
    for normal in ((1, 0, 0), (-1, 0, 0)):
        pieces = everyone(COMM, slice_plane(COMM, fields, (level + 1e-13, 0.5, 0), normal))
        assert sum(areas(p).sum() for p in pieces) == pytest.approx(1.5 * 1.5)
        points = np.random.default_rng(0).uniform(LOW, HIGH, (200, 3))
        assert (count(pieces, points, 0) == 1).all()
    nothing = slice_plane(COMM, fields, (1.001, 0, 0), (1, 0, 0))
    assert len(nothing.triangles) == 0


def test_one_sample_per_cell_or_as_asked() -> None:
    fields = step((1, 1, 1), stretch=0.4, comm=MPI.COMM_SELF)
    nodes = lines(stretch=0.4)
    got = slice_plane(MPI.COMM_SELF, fields, (0, 0, 0.1), (0, 0, 1))
    np.testing.assert_array_equal(np.unique(got.points[:, 0]), nodes[0])
    np.testing.assert_array_equal(np.unique(got.points[:, 1]), nodes[1])
    fine = slice_plane(MPI.COMM_SELF, fields, (0, 0, 0.1), (0, 0, 1), spacing=0.01)
    assert len(fine.points) == 201 * 151
    oblique = slice_plane(MPI.COMM_SELF, fields, (0, 0.5, 0.1), (1, 1, 1), spacing=0.05)
    assert len(oblique.triangles) == pytest.approx(2 * areas(oblique).sum() / 0.05**2, rel=0.15)


@pytest.mark.parallel([1, 4])
def test_three_slices() -> None:
    surface = three_slice(COMM, step(), x_offset=1, y_offset=0, z_offset=-1)
    pieces = everyone(COMM, surface)
    assert sum(areas(p).sum() for p in pieces) == pytest.approx(1.5 * 1.5 + 2 * 1.5 + 2 * 1.5)
    points = np.concatenate([p.points for p in pieces])
    on_plane = np.isclose(points, [1.0, 0.75, -0.5])
    assert on_plane.any(axis=1).all() and on_plane.any(axis=0).all()
    with pytest.raises(RemoteError, match="x_offset: 2"):
        three_slice(COMM, step(), x_offset=2)


@pytest.mark.parallel([1, 3])
def test_of_networks() -> None:
    """Points give what the network gives, along the axes and across."""
    fields = [fit(p, n_min=60) for p in split(blob, (8, 8, 16), (1, 1, 2))]
    for normal in ((0, 1, 0), (0.2, 1, 0)):
        got = slice_plane(COMM, {"f": mine(COMM, fields)}, (0.5, 0.4, 0.5), normal)
        for i, field in enumerate(fields):
            low, high = field.bounds
            here = ((got.points > low) & (got.points < high)).all(axis=1)
            assert here.any() == (i % max(COMM.size - 1, 1) == COMM.rank)
            np.testing.assert_allclose(got.values["f"][here], field(got.points[here]), atol=1e-5)


def test_nan_and_constant_blocks() -> None:
    for value in (np.nan, 4.0):
        block = AnalyticBlock((lambda x, y, z, value=value: 0 * x + value,), lines())
        got = slice_plane(MPI.COMM_SELF, {"f": [block]}, (0, 0.5, 0), (1, 1, 0))
        np.testing.assert_array_equal(got.values["f"], value)
        assert np.isfinite(got.points).all()


@pytest.mark.parallel([1, 3])
def test_of_what_is_left() -> None:
    """A clip takes its part of the slice away; the rest has its values, up to the edge."""
    sphere = Sphere((0, 0.75, 0.25), 0.5)
    left = clip(COMM, step(), sphere).fields
    cells = threshold(COMM, step(), "pressure", 0.0, 9.0)
    for normal in ((0, 0, 1), (0.1, 0, 1)):
        got = slice_plane(COMM, left, (0, 0.75, 0.25), normal, spacing=0.01)
        total = sum(areas(p).sum() for p in everyone(COMM, got))
        whole = section(np.array([0, 0.75, 0.25]), np.array(normal))
        assert total == pytest.approx(whole - np.pi * 0.25, rel=0.01)
        assert np.isfinite(got.values["pressure"]).all()
        centres = corners(got).mean(axis=1)
        assert (sphere.distance(centres) > 0).all()
        part = slice_plane(COMM, cells.fields, (0, 0.75, 0.25), normal)
        assert 0.2 * whole < sum(areas(p).sum() for p in everyone(COMM, part)) < 0.8 * whole


@pytest.mark.parallel([1, 3])
def test_wrong_arguments_fail_everywhere() -> None:
    for origin, normal, spacing, message in (
        ((0, 0, 0), (0, 0, 0), None, "expected a direction"),
        ((0, np.nan, 0), (0, 0, 1), None, "three finite numbers"),
        ((0, 0, 0), (0, 0, 1), -1.0, "positive length"),
    ):
        with pytest.raises(RemoteError, match=message):
            slice_plane(COMM, step(), origin, normal, spacing=spacing)
