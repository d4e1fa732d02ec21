"""Filters that compute fields point by point, or sample them elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Surface
from insitu.filters.clip_filters import Clip
from insitu.filters.derived import Derive
from insitu.filters.geometry.shapes import Plane
from insitu.filters.pipeline import Filter, Pipeline, Results, VolumeData
from insitu.filters.pointwise import Pointwise
from insitu.filters.schema import DataSchema
from insitu.filters.surface_filters import Slice
from insitu.filters.unchanged import Recenter, Unchanged
from insitu.filters.uniform_grid import UniformGrid
from insitu.store.timestep import newest
from tests.support.windows import window

COMM = MPI.COMM_WORLD
POINTS = np.random.default_rng(1).uniform(0.02, 0.98, (200, 3))
UPPER = Clip(Plane((0.0, 0.0, 0.6), (0.0, 0.0, 1.0)))
X, Y = (
    Derive("vector_component", "velocity", "x", 0),
    Derive("vector_component", "velocity", "y", 1),
)


def volume(names: set[str], *filters: Filter) -> VolumeData:
    (step,) = newest(window(COMM, (5,)), {"density", "velocity"}, 1)
    found = Results(COMM, step).of(Pipeline("p", filters), frozenset(names))
    assert isinstance(found, VolumeData)
    return found


def at_points(data: VolumeData, name: str) -> np.ndarray:
    """Of this rank's blocks, NaN outside of them."""
    found = None
    for block in data.fields[name]:
        values = np.asarray(block(POINTS))
        found = values if found is None else np.where(np.isnan(found), values, found)
    return np.zeros(0) if found is None else found


@pytest.mark.parallel([1, 3])
def test_computed_point_by_point() -> None:
    filters = (
        Pointwise("log10", ("density",), "l", 0.05),
        Pointwise("power_of_field", ("density",), "square", 2.0),
        X,
        Y,
        Pointwise("composite_vector", ("x", "y"), "v"),
        Pointwise("add_fields", ("x", "y", "density"), "sum"),
    )
    data = volume({"density", "velocity", "l", "square", "v", "sum"}, *filters)
    density, velocity = at_points(data, "density"), at_points(data, "velocity")
    if not len(density):
        return
    np.testing.assert_allclose(
        at_points(data, "l"), np.log10(np.maximum(density, 0.05)), rtol=2e-6, atol=1e-7
    )
    np.testing.assert_allclose(at_points(data, "square"), density**2, rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(at_points(data, "v")[:, :2], velocity[:, :2], rtol=2e-6, atol=1e-7)
    assert np.nanmax(np.abs(at_points(data, "v")[:, 2])) == 0
    np.testing.assert_allclose(
        at_points(data, "sum"), velocity[:, :2].sum(axis=1) + density, rtol=2e-6, atol=1e-7
    )
    for block in data.fields["l"]:  # the two ways to evaluate
        middle = [0.5 * (low + high) for low, high in zip(*block.bounds, strict=True)]
        half = np.array([0.5])
        np.testing.assert_allclose(
            block.on_grid(half, half, half)[0, 0, 0], block([middle]), rtol=2e-6, atol=1e-7
        )


@pytest.mark.parallel([1, 3])
def test_of_what_is_not_positive_there_is_no_logarithm() -> None:
    data = volume({"x", "l"}, X, Pointwise("log", ("x",), "l"))
    x, logarithm = at_points(data, "x"), at_points(data, "l")
    inside = ~np.isnan(x)
    assert (np.isnan(logarithm) == ~(inside & (x > 0))).all()


@pytest.mark.parallel([1, 3])
def test_on_surfaces_and_around_parts() -> None:
    """On a slice, and on the faces of a part that was cut before the field was computed."""
    (step,) = newest(window(COMM, (5,)), {"density"}, 1)
    logarithm = Pointwise("log", ("density",), "l", 0.01)
    wanted = frozenset({"density", "l"})
    for before in (Slice((0.0, 0.0, 1.0), (0.5, 0.5, 0.5)), UPPER):
        found = Results(COMM, step).of(Pipeline("p", (before, logarithm)), wanted)
        surface = found.surface(COMM) if isinstance(found, VolumeData) else found
        assert isinstance(surface, Surface)
        expected = np.log(np.maximum(surface.values["density"], 0.01))
        np.testing.assert_allclose(surface.values["l"], expected)
        assert COMM.allreduce(len(surface.points)) > 0


@pytest.mark.parallel([1, 3])
def test_recentred() -> None:
    """The same function; samples of nodes become those of cells, and the reverse."""
    data = volume(
        {"density", "velocity"},
        Recenter("recenter", "density", "vertex"),
        Recenter("recenter", "velocity", "element"),
        Unchanged("noop"),
    )
    plain = volume({"density", "velocity"})
    for name, association in (("density", "vertex"), ("velocity", "element")):
        assert {block.association for block in data.fields[name]} <= {association}
        np.testing.assert_array_equal(at_points(data, name), at_points(plain, name))


@pytest.mark.parallel([1, 3])
def test_uniform_grid() -> None:
    """Exact at the grid's points, trilinear between them, nothing outside of it."""
    whole = volume({"density"}, UniformGrid((5, 5, 5), spacing=(0.25, 0.25, 0.25)))
    for block in whole.fields["density"]:
        assert all(len(line) <= 5 + 1 for line in block.nodes)
        x, y, z = np.meshgrid(*block.nodes, indexing="ij")
        points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
        np.testing.assert_allclose(block(points), block.of(points), atol=1e-6)
        first, last = points[0], points[0].copy()
        last[0] = block.nodes[0][1]
        between = block([0.5 * (first + last)])
        np.testing.assert_allclose(between, block([first, last]).mean(), atol=1e-12)
    part = volume({"density"}, UniformGrid((3, 3, 3), (0.25, 0.25, 0.25), (0.25, 0.25, 0.25)))
    values = at_points(part, "density")
    if len(values):
        inside = ((POINTS > 0.25) & (POINTS < 0.75)).all(axis=1)
        assert np.isnan(values[~inside]).all()
    count = COMM.allreduce(int(np.isfinite(values).sum()) if len(values) else 0)
    assert count >= ((POINTS > 0.25) & (POINTS < 0.75)).all(axis=1).sum()
    with pytest.raises(ValueError, match=r"0\.5 long along x, which makes 1 points"):
        UniformGrid().lines((np.zeros(3), np.full(3, 0.5)))
    assert [len(line) for line in UniformGrid().lines((np.zeros(3), np.full(3, 8.0)))] == [9, 9, 9]
    with pytest.raises(ValueError, match="type: uniform_grid needs complete fields; put it before"):
        Pipeline("p", (UPPER, UniformGrid((3, 3, 3)))).outline(DataSchema({"density": 1}))
