"""Clips: closed surfaces of the right volume, and masks that agree with them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.filters.geometry.clip import clip, clip_with_field, isovolume
from insitu.filters.geometry.derived_quantities import vector_magnitude
from insitu.filters.geometry.shapes import Box, Plane, Sphere
from insitu.filters.geometry.threshold import threshold
from tests.support.analytic_fields import AnalyticBlock, cut, flow, lines, mine, wave
from tests.support.blocks import blob, split
from tests.support.fitting import fit
from tests.support.surface_measures import areas, everyone, open_edges, volume

COMM, SELF = MPI.COMM_WORLD, MPI.COMM_SELF
LOW, HIGH = np.array([-1, 0, -0.5]), np.array([1, 1.5, 1])
WHOLE = 2 * 1.5 * 1.5


def step(
    parts: tuple = (2, 2, 2),
    stretch: float = 0.3,
    comm: MPI.Comm = COMM,
    function: Callable = wave,
) -> dict:
    nodes = cut(lines(stretch=stretch), parts)
    return {
        "pressure": mine(comm, [AnalyticBlock((function,), n) for n in nodes]),
        "velocity": mine(comm, [AnalyticBlock(flow(), n, association="vertex") for n in nodes]),
    }


def below(plane: Plane) -> float:
    """Volume of LOW..HIGH behind a plane, by inclusion and exclusion over the corners."""
    normal = np.array(plane.normal)
    level = normal @ np.array(plane.point)
    total = 0.0
    for corner in np.ndindex(2, 2, 2):
        at = np.where(corner, HIGH, LOW)
        total += (-1) ** sum(corner) * max(level - normal @ at, 0.0) ** 3
    return total / (6 * np.prod(normal))


coordinate = st.floats(-1, 1)
parts = st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2))


@settings(max_examples=40, deadline=None)
@given(
    point=st.tuples(coordinate, st.floats(0, 1.5), st.floats(-0.5, 1)),
    normal=st.tuples(*(st.floats(0.1, 1) | st.floats(-1, -0.1),) * 3),
    parts=parts,
    invert=st.booleans(),
)
def test_planes_leave_their_volume(point: tuple, normal: tuple, parts: tuple, invert: bool) -> None:
    plane = Plane(point, normal)
    left = clip(SELF, step(parts, comm=SELF), plane, invert=invert)
    surface = left.surface(SELF)
    expected = below(plane) if invert else WHOLE - below(plane)
    assert volume([surface]) == pytest.approx(expected, abs=1e-9)
    assert open_edges([surface]) == 0
    distance = plane.distance(surface.points) * (-1 if invert else 1)
    assert (distance > -1e-12).all()
    x, y, z = surface.points.T
    np.testing.assert_allclose(surface.values["pressure"], wave(x, y, z), rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    low=st.tuples(*(st.integers(-12, 11),) * 3),
    size=st.tuples(*(st.integers(1, 12),) * 3),
    parts=parts,
    invert=st.booleans(),
    stretch=st.sampled_from([0.0, 0.3]),
)
def test_boxes_leave_their_volume(
    low: tuple, size: tuple, parts: tuple, invert: bool, stretch: float
) -> None:
    """Also boxes whose faces are faces of cells, of blocks or of the domain."""
    corner = np.array(low) * 0.125
    box = Box(corner, corner + np.array(size) * 0.125)
    surface = clip(SELF, step(parts, stretch, SELF), box, invert=invert).surface(SELF)
    common = np.clip(np.minimum(box.max, HIGH) - np.maximum(box.min, LOW), 0, None).prod()
    assert volume([surface]) == pytest.approx(common if invert else WHOLE - common, abs=1e-9)
    assert open_edges([surface]) == 0


@pytest.mark.parametrize("face", ["low", "middle", "high"])
def test_planes_on_faces(face: str) -> None:
    """Of the domain and between blocks: all or nothing is left, without a sheet."""
    x = {"low": -1.0, "middle": 0.0, "high": 1.0}[face]
    for invert in (False, True):
        fields = step((1, 1, 2), 0.0, SELF)
        surface = clip(SELF, fields, Plane((x, 0, 0), (1, 0, 0)), invert=invert).surface(SELF)
        share = (x + 1) / 2 if invert else (1 - x) / 2
        assert volume([surface]) == pytest.approx(share * WHOLE, abs=1e-12)
        assert open_edges([surface]) == 0
        full = 2 * (1.5 * 1.5 + 2 * share * (1.5 + 1.5)) if share else 0
        assert areas(surface).sum() == pytest.approx(full)


def test_spheres_at_second_order() -> None:
    sphere = Sphere((0, 0.75, 0.25), 0.6)
    errors = []
    for n in (8, 16, 32):
        fields = {"f": [AnalyticBlock((wave,), b) for b in cut(lines((n, n, n)), (1, 2, 2))]}
        inside = clip(SELF, fields, sphere, invert=True).surface(SELF)
        outside = clip(SELF, fields, sphere).surface(SELF)
        assert open_edges([inside]) == open_edges([outside]) == 0
        assert volume([inside]) + volume([outside]) == pytest.approx(WHOLE, abs=1e-9)
        errors.append(abs(volume([inside]) - 4 / 3 * np.pi * 0.6**3))
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


@pytest.mark.parallel(3)
@pytest.mark.parametrize("invert", [False, True])
def test_pieces_of_all_ranks_are_closed_together(invert: bool) -> None:
    for shape in (Plane((0.1, 0.7, 0.2), (1, 2, 0.5)), Box((-2, 0.3, 0), (0, 1, 2)),
                  Sphere((0, 0.7, 0.2), 0.5)):  # fmt: skip
        left = clip(COMM, step(), shape, invert=invert)
        pieces = everyone(COMM, left.surface(COMM))
        assert open_edges(pieces) == 0
        alone = clip(SELF, step(comm=SELF), shape, invert=invert).surface(SELF)
        assert volume(pieces) == pytest.approx(volume([alone]), abs=1e-12)
        assert sum(len(p.triangles) for p in pieces) == len(alone.triangles)
        assert pieces[-1].values["velocity"].shape == (0, 3)


@pytest.mark.parallel([1, 4])
def test_masks_are_what_the_surface_encloses() -> None:
    """The share of points that are left is the volume; the others are NaN, in grids too."""
    points = np.random.default_rng(0).uniform(LOW, HIGH, (4000, 3))
    for left, holds in (
        (clip(COMM, step(), Sphere((0, 0.7, 0.2), 0.5)),
         np.linalg.norm(points - (0, 0.7, 0.2), axis=1) > 0.5),
        (clip(COMM, step(), Box((-2, 0.3, 0), (0, 1, 2)), invert=True),
         ((points > (-2, 0.3, 0)) & (points < (0, 1, 2))).all(axis=1)),
        (clip_with_field(COMM, step(), "pressure", 0.2), wave(*points.T) > 0.2),
        (clip_with_field(COMM, step(), "pressure", 0.2, invert=True), wave(*points.T) < 0.2),
        (isovolume(COMM, step(), "pressure", -0.1, 0.2),
         (wave(*points.T) > -0.1) & (wave(*points.T) < 0.2)),
    ):  # fmt: skip
        share = volume(everyone(COMM, left.surface(COMM))) / WHOLE
        assert holds.mean() == pytest.approx(share, abs=0.02)
        for name, functions in (("pressure", (wave,)), ("velocity", flow())):
            for block in left.fields[name]:
                low, high = block.bounds
                here = ((points > low) & (points < high)).all(axis=1)
                values = block(points[here]).reshape(here.sum(), -1)
                np.testing.assert_array_equal(np.isfinite(values).all(axis=1), holds[here])
                expected = np.stack([f(*points[here].T) for f in functions], axis=1)
                kept = holds[here]
                np.testing.assert_allclose(values[kept], expected[kept], atol=1e-9)
                slopes = block.gradient(points[here]).reshape(here.sum(), -1)
                np.testing.assert_array_equal(np.isfinite(slopes).all(axis=1), kept)
                units = [(np.arange(4) + 0.5) / 4] * 3
                x, y, z = (
                    np.interp(u, np.linspace(0, 1, len(n)), n)
                    for u, n in zip(units, block.nodes, strict=True)
                )
                grid = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1)
                np.testing.assert_allclose(
                    block.on_grid(*units).reshape(64, -1),
                    block(grid.reshape(-1, 3)).reshape(64, -1),
                    atol=1e-9,
                )


@pytest.mark.parallel([1, 3])
def test_networks_that_differ_at_their_faces_make_one_surface() -> None:
    """Both sides of a face, and all blocks at an edge, cut at the same values."""
    fields = [fit(p, n_min=30) for p in split(blob, (12, 12, 12), (2, 2, 2))]
    face = np.array([[0.5, 0.3, 0.4]])
    assert fields[0](face) != fields[1](face)
    step = {"density": mine(COMM, fields)}
    whole = None
    for left in (
        clip_with_field(COMM, step, "density", 0.5),
        clip_with_field(COMM, step, "density", 0.5, invert=True),
        isovolume(COMM, step, "density", 0.3, 0.6),
    ):
        pieces = everyone(COMM, left.surface(COMM))
        assert open_edges(pieces) == 0
        assert sum(len(p.triangles) for p in pieces) > 500
        inside = volume(pieces)
        whole = inside + (0 if whole is None else whole)
        if COMM.size > 1:
            assert len(pieces[-1].triangles) == 0
    halves = volume(everyone(COMM, clip_with_field(COMM, step, "density", 0.5).surface(COMM)))
    rest = clip_with_field(COMM, step, "density", 0.5, invert=True).surface(COMM)
    assert halves + volume(everyone(COMM, rest)) == pytest.approx(1, abs=1e-9)


def test_thin_shells_are_not_lost() -> None:
    """Where both values are passed within a cell."""
    nodes = cut(lines((4, 4, 4)), (1, 1, 2))
    fields = {"f": [AnalyticBlock((lambda x, y, z: x + 0.1 * y,), n) for n in nodes]}
    surface = isovolume(SELF, fields, "f", 0.11, 0.12).surface(SELF)
    assert volume([surface]) == pytest.approx(0.01 * 1.5 * 1.5, rel=1e-6)
    assert open_edges([surface]) == 0


def test_nan_is_outside_and_constants_are_all_or_nothing() -> None:
    def odd(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(x > 0.5, np.nan, np.where(y > 1, np.inf, x))

    fields = step((1, 2, 2), comm=SELF, function=odd)
    for left in (
        clip_with_field(SELF, fields, "pressure", -0.3),
        clip_with_field(SELF, fields, "pressure", 0.3, invert=True),
        isovolume(SELF, fields, "pressure", -0.3, 0.3),
    ):
        surface = left.surface(SELF)
        assert open_edges([surface]) == 0
        assert np.isfinite(surface.points).all()
        assert 0 < volume([surface]) < WHOLE
    fields = step((1, 2, 2), comm=SELF, function=lambda x, y, z: 0 * x + 2)
    for value, share in ((1.0, 1), (2.0, 0), (3.0, 0)):
        surface = clip_with_field(SELF, fields, "pressure", value).surface(SELF)
        assert volume([surface]) == pytest.approx(share * WHOLE)


def test_slabs_are_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = step(comm=SELF)
    whole = clip_with_field(SELF, fields, "pressure", 0.1).surface(SELF)
    monkeypatch.setattr("insitu.filters.geometry.clip_surface.SLAB_POINTS", 1)
    slabs = clip_with_field(SELF, fields, "pressure", 0.1).surface(SELF)
    assert len(slabs.triangles) == len(whole.triangles)
    assert volume([slabs]) == pytest.approx(volume([whole]), abs=1e-12)
    assert open_edges([slabs]) == 0


@pytest.mark.parallel([1, 3])
def test_what_does_not_fit_fails_everywhere() -> None:
    with pytest.raises(RemoteError, match="take its magnitude"):
        clip_with_field(COMM, step(parts=(1, 1, 4)), "velocity", 0)
    with pytest.raises(RemoteError, match="there are pressure, velocity"):
        isovolume(COMM, step(), "density", 0, 1)
    with pytest.raises(ValueError, match="the first less"):
        isovolume(COMM, step(), "pressure", 1, 1)


@pytest.mark.parallel([1, 3])
def test_what_is_left_is_clipped_again() -> None:
    """Two planes leave their common part, closed, and values that are whole at its surface."""
    first, second = Plane((0, 0, 0), (1, 0, 0)), Plane((0, 0.75, 0), (1, 3, 1))
    once = clip(COMM, step(), first)
    twice = clip(COMM, once.fields, second)
    surface = twice.surface(COMM)
    pieces = everyone(COMM, surface)
    assert open_edges(pieces) == 0
    points = np.random.default_rng(0).uniform(LOW, HIGH, (40000, 3))
    holds = (first.distance(points) > 0) & (second.distance(points) > 0)
    assert volume(pieces) == pytest.approx(holds.mean() * WHOLE, rel=0.03)
    x, y, z = surface.points.T
    np.testing.assert_allclose(surface.values["pressure"], wave(x, y, z), atol=1e-9)
    for block in twice.fields["pressure"]:
        low, high = block.bounds
        here = ((points > low) & (points < high)).all(axis=1)
        np.testing.assert_array_equal(np.isfinite(block(points[here])), holds[here])
    # By values and by a box, of something computed of what is left, and into a threshold.
    speed = {"speed": [vector_magnitude(b) for b in twice.fields["velocity"]]}
    for again in (
        isovolume(COMM, speed, "speed", 0.4, 1.2),
        clip(COMM, speed, Box((0.2, 0.2, 0.2), (3, 3, 3))),
        threshold(COMM, speed, "speed", 0.4, 1.2),
    ):
        part = again.surface(COMM)
        pieces = everyone(COMM, part)
        assert open_edges(pieces) == 0
        assert 0.05 < volume(pieces) < holds.mean() * WHOLE
        assert np.isfinite(part.values["speed"]).all()
    cells = threshold(COMM, step(), "pressure", 0.0, 1.0).fields
    with pytest.raises(RemoteError, match="put threshold last"):
        clip(COMM, cells, first).surface(COMM)
