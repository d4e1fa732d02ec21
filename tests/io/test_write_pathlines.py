"""Pathlines in files, read by VTK."""

from pathlib import Path

import numpy as np
import pytest

from insitu.filters.particles.line_segments import gather_lines
from insitu.filters.particles.pathlines import pathlines
from insitu.io.write_geometry import write_lines
from tests.support.flows import COMM, ring, rotation, steps, whole

vtk = pytest.importorskip("vtkmodules.vtkIOXML")
support = pytest.importorskip("vtkmodules.util.numpy_support")


def read(path: Path) -> dict[str, np.ndarray]:
    parallel = path.suffix == ".pvtp"
    reader = vtk.vtkXMLPPolyDataReader() if parallel else vtk.vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    assert reader.GetErrorCode() == 0
    poly = reader.GetOutput()
    data = poly.GetPointData()
    found = {
        data.GetArrayName(i): support.vtk_to_numpy(data.GetArray(i)).copy()
        for i in range(data.GetNumberOfArrays())
    }
    found["offsets"] = support.vtk_to_numpy(poly.GetLines().GetOffsetsArray()).copy()
    found["points"] = support.vtk_to_numpy(poly.GetPoints().GetData()).copy()
    return found


@pytest.mark.parallel([1, 4])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_whole_lines_with_time_and_speed(folder: Path, direction: str) -> None:
    field = steps(rotation, (0.0, 0.5, 1.0), how="mixed")
    lines = pathlines(COMM, field, ring(5), direction=direction)
    path = folder / "lines.vtp"
    write_lines(COMM, path, gather_lines(COMM, lines))
    expected, found = whole(lines), read(path)
    np.testing.assert_array_equal(found["points"], expected.points)
    np.testing.assert_array_equal(found["offsets"], expected.offsets)
    for name in ("time", "speed", "line", "step"):
        np.testing.assert_array_equal(found[name], expected.values[name])
    ascending = np.diff(found["time"])[np.diff(found["line"]) == 0]
    assert len(found["offsets"]) == 6 and (ascending > 0).all()


@pytest.mark.parallel([1, 3])
def test_the_pieces_of_each_rank(folder: Path) -> None:
    field = steps(rotation, (0.0, 0.5, 1.0), how="empty")
    lines = pathlines(COMM, field, ring(5), direction="forward")
    write_lines(COMM, folder / "lines.pvtp", lines)
    found = read(folder / "lines.pvtp")
    assert len(found["points"]) == COMM.allreduce(len(lines.points))
    assert len(found["offsets"]) - 1 == COMM.allreduce(lines.n_lines)
    total = COMM.allreduce(float(lines.values["time"].sum()))
    np.testing.assert_allclose(found["time"].sum(), total)
