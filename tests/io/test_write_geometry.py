"""Files of surfaces and lines: VTK reads what was written, from any number of ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOGeometry import vtkOBJReader
from vtkmodules.vtkIOPLY import vtkPLYReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader, vtkXMLPPolyDataReader

from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import RemoteError
from insitu.filters.geometry.isosurface import isosurface
from insitu.filters.geometry.join import join, weld
from insitu.io.blueprint import to_blueprint
from insitu.io.write_geometry import write_lines, write_surface
from insitu.mesh.tree import domains, find
from tests.support.analytic_grid import blocks, dealt, sphere, torus
from tests.support.topology import euler, merged, open_edges

READERS = {
    ".vtp": vtkXMLPolyDataReader,
    ".pvtp": vtkXMLPPolyDataReader,
    ".ply": vtkPLYReader,
    ".obj": vtkOBJReader,
}


def ball(comm: MPI.Comm) -> Surface:
    """With a scalar and a vector of two components, in five blocks, the last rank without."""
    colors = {"t": blocks(torus, parts=5), "v": blocks([torus, sphere], parts=5)}
    mine = {name: dealt(by, comm.rank, comm.size) for name, by in colors.items()}
    everything = blocks(sphere, parts=5, noise=1e-3)
    return isosurface(comm, dealt(everything, comm.rank, comm.size), 0.0, color_by=mine)


def read(path: Path) -> Any:
    reader = READERS[path.suffix]()
    reader.SetFileName(str(path))
    reader.Update()
    assert reader.GetErrorCode() == 0
    return reader.GetOutput()


def as_surface(found: Any) -> Surface:
    data = found.GetPointData()
    arrays = [data.GetArray(i) for i in range(data.GetNumberOfArrays())]
    values = {array.GetName(): vtk_to_numpy(array) for array in arrays}
    corners = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return Surface(vtk_to_numpy(found.GetPoints().GetData()), corners, values)


@pytest.mark.parallel([1, 4])
@pytest.mark.parametrize("suffix", [".vtp", ".pvtp", ".ply", ".obj"])
def test_surfaces_come_back(suffix: str, folder: Path) -> None:
    comm = MPI.COMM_WORLD
    surface = ball(comm)
    path = folder / f"ball{suffix}"
    write_surface(comm, path, surface)
    pieces = comm.gather(surface)
    if comm.rank == 0:
        found = as_surface(read(path))
        points, triangles = merged(pieces)
        assert len(found.triangles) == len(triangles)
        assert np.allclose(np.unique(merged([found])[0], axis=0), points, atol=1e-7)
        if suffix != ".pvtp":  # the pieces have their own points
            assert len(found.points) == len(points)
            assert open_edges(found.triangles) == 0 and euler(found.triangles) == 2
        if suffix in (".vtp", ".pvtp"):
            everything = join(pieces)
            if suffix == ".vtp":
                everything = weld(everything)
            np.testing.assert_array_equal(found.points, everything.points)
            np.testing.assert_array_equal(found.triangles, everything.triangles)
            np.testing.assert_array_equal(found.values["f"], everything.values["f"])
            np.testing.assert_array_equal(found.values["t"], everything.values["t"])
            np.testing.assert_array_equal(found.values["v"][:, :2], everything.values["v"])
            np.testing.assert_array_equal(found.values["v"][:, 2], 0)
            np.testing.assert_array_equal(found.values["Normals"], everything.normals)
            assert read(path).GetPointData().GetNormals().GetName() == "Normals"
    comm.barrier()
    assert not [file for file in folder.rglob("*") if ".part" in file.name]


def test_ply_has_normals_and_values(tmp_path: Path) -> None:
    surface = ball(MPI.COMM_SELF)
    write_surface(MPI.COMM_SELF, tmp_path / "a.ply", surface)
    header, _, body = (tmp_path / "a.ply").read_bytes().partition(b"end_header\n")
    lines = [line.split() for line in header.decode().splitlines()]
    names = [line[2] for line in lines if line[0] == "property" and line[1] == "double"]
    assert names == ["x", "y", "z", "nx", "ny", "nz", "f", "t", "v_0", "v_1"]
    welded = weld(surface)
    rows = np.frombuffer(body, "<f8", len(names) * len(welded.points)).reshape(-1, len(names))
    np.testing.assert_array_equal(rows[:, :3], welded.points)
    np.testing.assert_array_equal(rows[:, 3:6], welded.normals)
    np.testing.assert_array_equal(rows[:, 7], welded.values["t"])
    np.testing.assert_array_equal(rows[:, 8:], welded.values["v"])


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("suffix", [".vtp", ".pvtp", ".ply", ".obj"])
def test_no_triangles_are_a_file_too(suffix: str, folder: Path) -> None:
    comm = MPI.COMM_WORLD
    write_surface(comm, folder / f"none{suffix}", isosurface(comm, [], 0.0))
    if comm.rank == 0:
        found = read(folder / f"none{suffix}")
        assert found.GetNumberOfPoints() == 0 and found.GetNumberOfPolys() == 0


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("suffix", [".vtp", ".pvtp"])
def test_lines_come_back(suffix: str, folder: Path) -> None:
    """Rank r has r lines, of 2, 3, ... points."""
    comm = MPI.COMM_WORLD

    def lines(rank: int) -> Lines:
        offsets = np.cumsum([0, *(2 + i for i in range(rank))])
        points = 10.0 * rank + np.arange(3 * offsets[-1]).reshape(-1, 3)
        return Lines(points, offsets, {"speed": points[:, 0].astype(np.float32)})

    write_lines(comm, folder / f"lines{suffix}", lines(comm.rank))
    if comm.rank == 0:
        found = read(folder / f"lines{suffix}")
        every = [lines(rank) for rank in range(comm.size)]
        assert found.GetNumberOfLines() == sum(part.n_lines for part in every)
        if comm.size > 1:
            points = vtk_to_numpy(found.GetPoints().GetData())
            np.testing.assert_array_equal(points, np.concatenate([part.points for part in every]))
            speed = vtk_to_numpy(found.GetPointData().GetArray("speed"))
            assert speed.dtype == np.float32
            np.testing.assert_array_equal(speed, points[:, 0])
            lengths = np.diff(vtk_to_numpy(found.GetLines().GetOffsetsArray()))
            assert lengths.tolist() == [2 + i for r in range(comm.size) for i in range(r)]


@pytest.mark.parallel([1, 3])
def test_a_file_is_replaced_and_a_strange_folder_is_not(folder: Path) -> None:
    comm = MPI.COMM_WORLD
    surface = ball(comm)
    for _ in range(2):
        write_surface(comm, folder / "a.pvtp", surface)
    with pytest.raises(RemoteError, match=r"suffix '.stl'; expected .vtp, .pvtp, .ply, .obj"):
        write_surface(comm, folder / "a.stl", surface)
    if comm.rank == 0:
        (folder / "b").mkdir()
        (folder / "b" / "mine.txt").write_text("x")
    with pytest.raises(RemoteError, match=r"not a folder of \.vtp files"):
        write_surface(comm, folder / "b.pvtp", surface)
    with pytest.raises(RemoteError, match=r"write .*missing"):
        write_surface(comm, folder / "missing" / "a.vtp", surface)
    assert (folder / "b" / "mine.txt").exists()
    comm.barrier()
    assert sorted(p.name for p in folder.iterdir()) == ["a", "a.pvtp", "b"]


def test_points_are_welded_only_where_all_is_equal() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [-0.0, 0, 0], [1, 0, 0], [0, 0, 1]])
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    assert len(weld(Surface(points, triangles)).points) == 4
    values = {"a": np.array([1.0, np.nan, 3, 1, np.nan, 6])}
    welded = weld(Surface(points, triangles, values))
    assert len(welded.points) == 4
    np.testing.assert_array_equal(welded.points[welded.triangles], points[triangles])
    np.testing.assert_array_equal(welded.values["a"][welded.triangles], values["a"][triangles])
    values = {"a": np.arange(6.0)}
    assert len(weld(Surface(points, triangles, values)).points) == 6


@pytest.mark.parallel([1, 3])
def test_blueprint(folder: Path) -> None:
    comm = MPI.COMM_WORLD
    surface = ball(comm)
    mesh = to_blueprint(surface, comm.rank)
    if comm.rank == comm.size - 1 and comm.size > 1:
        assert mesh == {} and domains(mesh) == []
        return
    (domain,) = domains(mesh)  # as a simulation would publish it
    assert find(domain, "state/domain_id") == comm.rank
    assert find(domain, "coordsets/coords/type") == "explicit"
    assert find(domain, "topologies/surface/type") == "unstructured"
    assert find(domain, "topologies/surface/elements/shape") == "tri"
    columns = [find(domain, f"coordsets/coords/values/{axis}") for axis in "xyz"]
    np.testing.assert_array_equal(np.stack(columns, axis=1), surface.points)
    corners = find(domain, "topologies/surface/elements/connectivity")
    np.testing.assert_array_equal(corners.reshape(-1, 3), surface.triangles)
    assert set(find(domain, "fields")) == {"f", "t", "v", "normals"}
    for name in ("f", "t", "v", "normals"):
        assert find(domain, f"fields/{name}/association") == "vertex"
        assert find(domain, f"fields/{name}/topology") == "surface"
    np.testing.assert_array_equal(find(domain, "fields/t/values"), surface.values["t"])
    np.testing.assert_array_equal(find(domain, "fields/v/values/y"), surface.values["v"][:, 1])
