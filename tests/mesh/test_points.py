"""Points without connectivity, as cubes that overlap."""

from typing import Any

import numpy as np
import pytest

from insitu.mesh import MeshError, PublishedStep
from insitu.mesh.cells import read_cells
from insitu.mesh.point_location import locate
from insitu.mesh.points import REACH, spacing


def domain(at: np.ndarray, **topology: Any) -> dict[str, Any]:
    return {
        "coordsets": {"c": {"type": "explicit", "values": dict(zip("xyz", at.T, strict=True))}},
        "topologies": {"t": {"type": "points", "coordset": "c", **topology}},
        "fields": {"f": {"association": "vertex", "topology": "t", "values": at[:, 0]}},
    }


def points(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 3))


def test_spacing_is_that_of_the_neighbours() -> None:
    even = spacing(points(4000))
    assert np.abs(np.log(even * 4000 ** (1 / 3))).max() < np.log(2.5)
    dense = points(4000)
    dense[:2000] *= 0.1
    found = spacing(dense)
    inside = (dense < 0.09).all(axis=1)
    away = (dense > 0.25).any(axis=1)
    assert 6 < np.median(found[away]) / np.median(found[inside]) < 16


@pytest.mark.parametrize(
    "at", [np.empty((0, 3)), points(1), np.zeros((5, 3)), points(50) * [1, 1, 0]]
)
def test_spacing_of_few_or_degenerate_points(at: np.ndarray) -> None:
    found = spacing(at)
    assert found.shape == (len(at),) and np.isfinite(found).all() and (found >= 0).all()


def test_places_take_the_nearest_point_or_none() -> None:
    at = points(500) * [1, 1, 0.5]
    cells = read_cells(domain(at), "t")
    assert cells.scattered and cells.n_published == 500
    lines = tuple(np.linspace(0, 1, 12) for _ in range(3))
    found = locate(cells, lines)
    z, y, x = np.meshgrid(*lines[::-1], indexing="ij")
    places = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    apart = np.abs(places[:, None] - at).max(axis=2)  # in the largest coordinate
    size = spacing(at)
    relative = (apart / size).min(axis=1)
    np.testing.assert_array_equal(found.sample, np.flatnonzero(relative <= REACH * (1 + 1e-5)))
    own = (apart / size)[found.sample, found.cell]
    assert (own <= REACH * (1 + 1e-4)).all()
    assert not (places[found.sample][:, 2] > 0.8).any()


def test_an_unstructured_topology_of_points_may_name_some() -> None:
    elements = {"shape": "point", "connectivity": np.array([1, 3])}
    tree = domain(points(5), type="unstructured", elements=elements)
    cells = read_cells(tree, "t")
    np.testing.assert_allclose(cells.points[cells.corners].mean(axis=1), points(5)[[1, 3]])
    elements["connectivity"] = np.array([1, 5])
    with pytest.raises(MeshError, match="points 1 to 5, the coordinate set has 5"):
        read_cells(tree, "t")


def test_a_domain_without_points_has_no_field() -> None:
    for n in (0, 3):
        (read,) = PublishedStep(domain(points(n))).domains_read
        assert read.is_made_of_cells("f") and read.has(["f"]) == (n > 0)
