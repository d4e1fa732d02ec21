"""Hexahedra resampled to a box: exact for what trilinear cells represent, masked outside."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from insitu.mesh.tree import MeshError
from insitu.mesh.unstructured import read, resample, structured


def hexahedra(n: int, bend: float = 0.0, own: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """n^3 cells of the unit cube, the inner points moved by `bend`; `own`: no point is shared."""
    axis = np.linspace(0, 1, n + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)[:, ::-1]
    wave = np.sin(np.pi * points).prod(axis=1)[:, None]
    points = points + bend * wave * np.array([1.0, -0.7, 0.4])
    number = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    corners = [
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 1),
        (0, 1, 0),
        (1, 0, 0),
        (1, 0, 1),
        (1, 1, 1),
        (1, 1, 0),
    ]
    cells = np.stack(
        [number[k : k + n, j : j + n, i : i + n].ravel() for k, j, i in corners], axis=1
    )
    if own:
        points, cells = points[cells].reshape(-1, 3), np.arange(cells.size).reshape(-1, 8)
    return points, cells


def on_box(nodes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    z, y, x = np.meshgrid(nodes[2], nodes[1], nodes[0], indexing="ij")
    return x, y, z


@pytest.mark.parallel(1)
@pytest.mark.parametrize("own", [False, True])
def test_linear_fields_are_exact_on_bent_cells(own: bool) -> None:
    points, cells = hexahedra(7, bend=0.06, own=own)
    found = resample(points, cells)
    assert found.inside.all()
    x, y, z = on_box(found.nodes)
    values = 2 * points[:, 0] - points[:, 1] + 3 * points[:, 2]
    np.testing.assert_allclose(found(values), 2 * x - y + 3 * z, atol=1e-8)
    assert found(values.astype(np.float32)).dtype == np.float32


@pytest.mark.parallel(1)
def test_error_falls_as_the_square_of_the_spacing() -> None:
    """Interpolation of a smooth field in bent cells, against the field itself, root mean square."""

    def field(x: Any, y: Any, z: Any) -> Any:
        return np.sin(2 * x) * np.cos(3 * y) + z**2

    errors = []
    for n in (12, 24, 48):
        points, cells = hexahedra(n, bend=0.05)
        found = resample(points, cells)
        difference = found(field(*points.T)) - field(*on_box(found.nodes))
        errors.append(np.sqrt(np.mean(difference**2)))
    assert errors[1] < errors[0] / 3 and errors[2] < errors[1] / 3


@pytest.mark.parallel(1)
def test_outside_is_masked() -> None:
    """An L of cells: the missing quarter is NaN, its faces belong to the mesh."""
    points, cells = hexahedra(8)
    centres = points[cells].mean(axis=1)
    kept = cells[(centres[:, 0] < 0.5) | (centres[:, 1] < 0.5)]
    found = resample(points, kept)
    x, y, _ = on_box(found.nodes)
    np.testing.assert_array_equal(found.inside, (x <= 0.5) | (y <= 0.5))
    values = found(np.ones(len(points)))
    np.testing.assert_array_equal(np.isnan(values), ~found.inside)
    per_cell = found(np.arange(len(kept), dtype=float))
    np.testing.assert_array_equal(np.isnan(per_cell), ~found.inside)


@pytest.mark.parallel(1)
def test_a_tree_of_pyfr(root: Path) -> None:
    """Recorded from PyFR: a discontinuous solution on elements that do not fill a box."""
    leaves = np.load(root / "tests" / "data" / "pyfr" / "tree.npz")
    covered = 0
    for rank, cells in ((0, 96), (1, 120)):
        domain: dict[str, Any] = {}
        for key in leaves.files:
            owner, _, *path = key.split("/")
            if int(owner) == rank:
                here = domain
                for name in path[:-1]:
                    here = here.setdefault(name, {})
                value = leaves[key]
                here[path[-1]] = str(value) if value.dtype.kind == "U" else value
        name, points, connectivity = read(domain)
        assert (name, len(connectivity)) == ("mesh", cells)
        found = resample(points, connectivity)
        tree = structured(domain, name, found)
        velocity = tree["fields"]["velocity"]["values"]
        x, y, z = on_box(found.nodes)
        exact = np.sin(x) * np.cos(y) * np.cos(z)  # nearly, after a hundredth of a time unit
        difference = (velocity["x"] - exact)[found.inside]
        # Order 2 on three elements a side: the solution itself is that coarse.
        assert np.sqrt(np.mean(difference**2)) < 0.1
        np.testing.assert_array_equal(np.isnan(tree["fields"]["pressure"]["values"]), ~found.inside)
        covered += len(connectivity)
    assert covered == (3 * 2) ** 3


@pytest.mark.parallel(1)
def test_mistakes() -> None:
    points, cells = hexahedra(2)
    tree = {
        "coordsets": {"c": {"type": "explicit", "values": dict(zip("xyz", points.T, strict=True))}},
        "topologies": {
            "t": {
                "type": "unstructured",
                "coordset": "c",
                "elements": {"shape": "hex", "connectivity": cells.ravel()},
            }
        },
        "fields": {"f": {"association": "vertex", "topology": "t", "values": np.zeros(5)}},
    }
    name, *mesh = read(tree)
    with pytest.raises(MeshError, match="fields/f/values: 5 values, there are 8 cells, 27 points"):
        structured(tree, name, resample(*mesh))
    elements = tree["topologies"]["t"]["elements"]
    elements["connectivity"] = cells.ravel() + 1
    with pytest.raises(MeshError, match=r"names points beyond 0\.\.26"):
        read(tree)
    elements["connectivity"] = cells.ravel()[:9]
    with pytest.raises(MeshError, match="expected 8 a cell"):
        read(tree)
    elements["shape"] = "tet"
    with pytest.raises(MeshError, match="'tet' is not supported"):
        read(tree)
