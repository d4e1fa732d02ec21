"""Slices as arrays: the values at every pixel, on rank 0."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.extract.slice_image import slice_image

from .analytic_fields import flow, wave
from .test_slice import step

COMM = MPI.COMM_WORLD


@pytest.mark.parallel([1, 2, 3, 4])
@pytest.mark.parametrize(
    ("normal", "shape", "labels", "extent"),
    [
        ((0, 0, 1), (48, 64), ("x", "y"), (-1, 1, 0, 1.5)),
        ((0, -3, 0), (48, 64), ("x", "z"), (-1, 1, -0.5, 1)),
        ((2, 0, 0), (64, 64), ("y", "z"), (0, 1.5, -0.5, 1)),
        ((1, 1, 0.5), None, ("u", "v"), None),
    ],
)
def test_values_are_those_of_the_pixels(
    normal: tuple, shape: tuple | None, labels: tuple, extent: tuple | None
) -> None:
    origin = (0.1, 0.7, 0.2)
    image = slice_image(COMM, step(), origin, normal, pixels=64)
    if image is None:
        assert COMM.rank > 0
        return
    assert image.labels == labels
    if shape is not None:
        assert image.shape == shape
        assert image.extent == pytest.approx(extent)
    left, right, bottom, top = image.extent
    height, width = image.shape
    assert max(height, width) == 64
    u = left + (right - left) * (np.arange(width) + 0.5) / width
    v = bottom + (top - bottom) * (np.arange(height) + 0.5) / height
    at = image.origin + u[:, None] * image.axes[0] + v[:, None, None] * image.axes[1]
    np.testing.assert_allclose((at - origin) @ np.array(normal), 0, atol=1e-12)
    x, y, z = at.transpose(2, 0, 1)
    inside = ((at >= [-1, 0, -0.5]) & (at <= [1, 1.5, 1])).all(axis=-1)
    pressure, velocity = image.values["pressure"], image.values["velocity"]
    np.testing.assert_allclose(pressure[inside], wave(x, y, z)[inside], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(velocity[..., 1][inside], flow()[1](x, y, z)[inside], atol=1e-9)
    assert np.isnan(pressure[~inside]).all()
    assert inside.all() == (shape is not None)


@pytest.mark.parallel([1, 2])
def test_a_plane_that_misses_the_domain_fails_everywhere() -> None:
    with pytest.raises(ValueError, match="misses the domain"):
        slice_image(COMM, step(), (0, 0, 5), (0, 0, 1))
    slice_image(COMM, step(), (0, 0, 1 + 1e-13), (0, 0, 1), pixels=8)


def test_many_rows_are_reduced_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = step(comm=MPI.COMM_SELF)
    whole = slice_image(MPI.COMM_SELF, fields, (0, 0.5, 0), (1, 1, 1), pixels=40)
    monkeypatch.setattr("insitu.extract.slice_image._POINTS", 100)
    monkeypatch.setattr("insitu.extract.sample._GRID_POINTS", 100)
    parts = slice_image(MPI.COMM_SELF, fields, (0, 0.5, 0), (1, 1, 1), pixels=40)
    np.testing.assert_array_equal(parts.values["velocity"], whole.values["velocity"])
    straight = slice_image(MPI.COMM_SELF, fields, (0, 0.5, 0), (1, 0, 0), pixels=40)
    assert np.isfinite(straight.values["velocity"]).all()
