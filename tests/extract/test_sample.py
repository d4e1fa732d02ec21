"""Samples: values where they were asked for, whatever the ranks and blocks."""

import csv
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.extract.sample import Samples, lineout, sample_points, uniform_grid
from insitu.fields.model_field import ModelField
from insitu.parallel import RemoteError
from tests.blocks import blob, split
from tests.fields.test_neural_field import fit

from .analytic_fields import AnalyticBlock, cut, flow, lines, mine, wave

COMM = MPI.COMM_WORLD


def step(parts: tuple = (2, 2, 2), stretch: float = 0.3) -> dict[str, list[AnalyticBlock]]:
    nodes = cut(lines(stretch=stretch), parts)
    return {
        "pressure": mine(COMM, [AnalyticBlock((wave,), n) for n in nodes]),
        "velocity": mine(COMM, [AnalyticBlock(flow(), n, association="vertex") for n in nodes]),
    }


def points() -> np.ndarray:
    """Within, on faces between blocks, on corners, and outside."""
    rng = np.random.default_rng(1)
    inside = rng.uniform([-1, 0, -0.5], [1, 1.5, 1], (50, 3))
    nodes = lines(stretch=0.3)
    corners = np.stack([rng.choice(n, 50) for n in nodes], axis=1)
    return np.concatenate([inside, corners, inside + 9])


@pytest.mark.parallel([1, 2, 3, 4])
def test_values_at_points() -> None:
    at = points()
    samples = sample_points(COMM, step(), at)
    assert (samples is None) == (COMM.rank > 0)
    everywhere = sample_points(COMM, step(), at, everywhere=True)
    x, y, z = at[:100].T
    np.testing.assert_allclose(everywhere.values["pressure"][:100], wave(x, y, z), rtol=1e-12)
    expected = np.stack([f(x, y, z) for f in flow()], axis=1)
    np.testing.assert_allclose(everywhere.values["velocity"][:100], expected, rtol=1e-12)
    for values in everywhere.values.values():
        assert np.isnan(values[100:]).all()
    if samples is not None:
        np.testing.assert_array_equal(samples.values["pressure"], everywhere.values["pressure"])


@pytest.mark.parallel([1, 2, 3, 4])
def test_networks_give_the_same_for_any_ranks() -> None:
    """On faces too, where the networks of two blocks differ: one of them is asked."""
    fields = [fit(p, n_min=40) for p in split(blob, (8, 8, 16), (1, 1, 2))]
    at = np.concatenate([np.random.default_rng(0).random((40, 3)), np.full((1, 3), 0.5)])
    ours = sample_points(COMM, {"f": mine(COMM, fields)}, at, everywhere=True)
    alone = sample_points(MPI.COMM_SELF, {"f": fields[::-1]}, at)
    np.testing.assert_array_equal(ours.values["f"], alone.values["f"])
    assert ours.values["f"][-1] == fields[1](at[-1:])[0] != fields[0](at[-1:])[0]


@pytest.mark.parallel([1, 2, 3])
def test_nan_and_infinity_stay() -> None:
    nodes = cut(lines(), (1, 1, 2))

    def odd(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.where(x > 0.5, np.nan, np.where(x < -0.5, -np.inf, 7.0))

    blocks = mine(COMM, [AnalyticBlock((odd,), n) for n in nodes])
    samples = sample_points(
        COMM, {"f": blocks}, [[0.7, 1, 0], [-0.7, 1, 0], [0, 1, 0]], everywhere=True
    )
    np.testing.assert_array_equal(samples.values["f"], [np.nan, -np.inf, 7.0])


@pytest.mark.parallel([1, 2, 3])
def test_lines() -> None:
    samples = lineout(COMM, step(), (-1, 0, -0.5), (1, 1.5, 1), 33)
    if samples is not None:
        assert samples.points.shape == (33, 3)
        np.testing.assert_array_equal(samples.points[-1], [1, 1.5, 1])
        assert samples.distance[-1] == pytest.approx(np.linalg.norm([2, 1.5, 1.5]))
        assert np.isfinite(samples.values["pressure"]).all()
    with pytest.raises(RemoteError, match="at least 2"):
        lineout(COMM, step(), (0, 0, 0), (1, 1, 1), 1)


@pytest.mark.parallel([1, 2, 3, 4])
@pytest.mark.parametrize("parts", [(1, 1, 1), (2, 1, 3)])
def test_uniform_grids_are_their_points(parts: tuple) -> None:
    dims = (9, 7, 5)
    grid = uniform_grid(COMM, step(parts), dims)
    beyond = uniform_grid(COMM, step(parts), dims, origin=(-2, 0, 0), spacing=(0.5, 0.25, 0.1))
    if grid is None:
        assert COMM.rank > 0
        return
    x, y, z = (
        np.linspace(lo, hi, n)
        for (lo, hi), n in zip(((-1, 1), (0, 1.5), (-0.5, 1)), dims, strict=True)
    )
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    np.testing.assert_allclose(grid["pressure"], wave(x, y, z), rtol=1e-10, atol=1e-12)
    assert grid["velocity"].shape == (5, 7, 9, 3)
    assert np.isnan(beyond["pressure"][:, :, :2]).all()
    assert np.isfinite(beyond["pressure"][:, :, 2:7]).all()


@pytest.mark.parallel([1, 2])
def test_wrong_arguments_fail_everywhere() -> None:
    with pytest.raises(RemoteError, match="expected \\(n, 3\\)"):
        sample_points(COMM, step(), np.zeros((3, 2)))
    with pytest.raises(RemoteError, match="dims"):
        uniform_grid(COMM, step(), (0, 1, 1))
    with pytest.raises(RemoteError, match="spacing"):
        uniform_grid(COMM, step(), (2, 2, 2), spacing=(1, -1, 1))


def test_files(tmp_path: Path) -> None:
    at = np.array([[0.1, 0.2, 0.3], [9, 9, 9]])
    samples = sample_points(MPI.COMM_SELF, step() if COMM.size == 1 else {}, at)
    path = samples.write_csv(tmp_path / "a" / "line.csv")
    with open(path, newline="") as file:
        names, first, second = csv.reader(file)
    assert names == ["x", "y", "z", "pressure", "velocity:0", "velocity:1", "velocity:2"]
    np.testing.assert_array_equal(
        np.array(first, float),
        np.concatenate([at[0], samples.values["pressure"][:1], samples.values["velocity"][0]]),
    )
    assert second[3:] == ["nan"] * 4
    arrays = np.load(samples.write_npz(tmp_path / "line.npz"))
    np.testing.assert_array_equal(arrays["velocity"], samples.values["velocity"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "line.npz"]
    with pytest.raises(ValueError, match="'points'"):
        Samples(at, {"points": np.zeros(2)}).write_npz(tmp_path / "x.npz")


def test_blocks_are_asked_as_they_are() -> None:
    """A network is a SampledBlock, in an object with `fields` too."""
    field = fit(split(blob, (6, 6, 6), (1, 1, 1))[0], n_min=20)
    assert isinstance(field, ModelField)

    class Distributed:
        fields = (field,)

    at = np.random.default_rng(0).random((5, 3))
    samples = sample_points(MPI.COMM_SELF, {"f": Distributed()}, at)
    np.testing.assert_array_equal(samples.values["f"], field(at).astype(float))
