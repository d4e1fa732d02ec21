"""Lines in files, read by VTK."""

from pathlib import Path

import numpy as np
import pytest

from insitu.extract.pathlines import particle_advection, pathlines
from insitu.extract.write_lines import write_lines
from insitu.parallel import RemoteError
from tests.extract.flows import COMM, ring, rotation, steps
from tests.extract.test_pathlines import whole

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
    for name, cells in (("lines", poly.GetLines()), ("verts", poly.GetVerts())):
        found[f"{name} at"] = support.vtk_to_numpy(cells.GetOffsetsArray()).copy()
        found[name] = support.vtk_to_numpy(cells.GetConnectivityArray()).copy()
    points = poly.GetPoints()
    found["points"] = support.vtk_to_numpy(points.GetData()).copy() if points else np.empty((0, 3))
    return found


@pytest.mark.parallel([1, 2, 4])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_whole_lines_with_time_and_speed(folder: Path, direction: str) -> None:
    field = steps(rotation, (0.0, 0.5, 1.0), how="mixed")
    lines = pathlines(COMM, field, ring(5), direction=direction)
    path = write_lines(COMM, folder / "deep" / "lines.vtp", lines)
    expected, found = whole(lines), read(path)
    np.testing.assert_array_equal(found["points"], expected.points)
    np.testing.assert_array_equal(found["lines at"], expected.offsets)
    np.testing.assert_array_equal(found["lines"], np.arange(len(expected.points)))
    for name in ("time", "speed", "line", "step"):
        np.testing.assert_array_equal(found[name], expected.values[name])
    ascending = np.diff(found["time"])[np.diff(found["line"]) == 0]
    assert (ascending > 0).all()
    assert [p.name for p in path.parent.iterdir()] == ["lines.vtp"]


@pytest.mark.parallel([1, 3])
def test_a_piece_of_each_rank(folder: Path) -> None:
    field = steps(rotation, (0.0, 0.5, 1.0), how="empty")
    lines = pathlines(COMM, field, ring(5), direction="forward")
    path = folder / "lines.pvtp"
    if COMM.rank == 0:
        (folder / "lines").mkdir()
        (folder / "lines" / "00017.vtp").write_text("of a run with more ranks")
    COMM.barrier()
    write_lines(COMM, path, lines)
    found = read(path)
    assert len(found["points"]) == COMM.allreduce(len(lines.points))
    assert len(found["lines at"]) - 1 == COMM.allreduce(lines.n_lines)
    total = COMM.allreduce(float(lines.values["time"].sum()))
    np.testing.assert_allclose(found["time"].sum(), total)
    assert len(list((folder / "lines").iterdir())) == COMM.size


@pytest.mark.parallel([1, 2])
def test_single_points_and_nothing(folder: Path) -> None:
    field = steps(rotation, (0.0, 1.0))
    ends = particle_advection(COMM, field, ring(4))
    found = read(write_lines(COMM, folder / "ends.vtp", ends))
    assert len(found["verts at"]) == 5 and len(found["lines"]) == 0
    nothing = pathlines(COMM, field, np.empty((0, 3)))
    for name in ("none.vtp", "none.pvtp"):
        assert len(read(write_lines(COMM, folder / name, nothing))["points"]) == 0


@pytest.mark.parallel([1, 2])
def test_other_files(folder: Path) -> None:
    lines = pathlines(COMM, steps(rotation, (0.0, 1.0)), ring(2))
    with pytest.raises(RemoteError, match=r"written as \.vtp or \.pvtp"):
        write_lines(COMM, folder / "lines.obj", lines)
