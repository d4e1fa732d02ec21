"""A step of a record on a PyVista grid: the fields' own values, in cells and at points."""

from pathlib import Path

import numpy as np
import pytest

import insitu
from tests.support import records

pv = pytest.importorskip("pyvista")


def test_all_fields_of_a_step(tmp_path: Path) -> None:
    records.write(tmp_path / "record")
    record = insitu.open_record(tmp_path / "record")
    grid = insitu.to_pyvista(record, 1)
    assert isinstance(grid, pv.ImageData)
    assert grid.cell_data.keys() == ["density"]
    assert grid.point_data.keys() == ["height", "velocity"]
    np.testing.assert_allclose(grid.bounds, (0, 1) * 3)
    density = record["density"].sel(step=1)
    np.testing.assert_allclose(grid.cell_data["density"], density.decode().ravel(), atol=1e-6)
    at = grid.find_closest_cell((0.31, 0.62, 0.2))
    centre = grid.get_cell(at).center
    assert grid.cell_data["density"][at] == pytest.approx(density(centre)[0], abs=1e-5)
    velocity = record["velocity"].sel(step=1).decode().reshape(-1, 3)
    np.testing.assert_allclose(grid.point_data["velocity"], velocity, atol=1e-6)
    # The third step has no velocity; a field that is asked for has to be there.
    assert insitu.to_pyvista(tmp_path / "record").point_data.keys() == ["height"]
    with pytest.raises(KeyError, match="has no cycle 10"):
        insitu.to_pyvista(record, -1, ["density", "velocity"])
    with pytest.raises(IndexError, match="no step 9"):
        insitu.to_pyvista(record, 9)
