"""Every format gives the same box of the same samples; what cannot be read is refused in words."""

from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkRectilinearGrid
from vtkmodules.vtkIOXML import vtkXMLImageDataWriter, vtkXMLRectilinearGridWriter

from insitu.core.errors import ConfigError
from insitu.io.sources import datasets, open_volume
from tests.support.waves import waves

SHAPE = (7, 8, 9)
BOX = (slice(2, 5), slice(0, 8), slice(3, 4))
X, Y, Z = np.linspace(0, 2, 9) ** 2, np.linspace(-1, 1, 8), np.linspace(5, 6, 7)


def vtk_file(path: Path, values: np.ndarray, *, cells: bool, name: str = "density") -> None:
    """values (nz, ny, nx[, n]) at points or in cells; an extent that does not begin at 0."""
    nz, ny, nx = (n + int(cells) for n in values.shape[:3])
    grid = vtkImageData() if path.suffix == ".vti" else vtkRectilinearGrid()
    grid.SetExtent(4, 3 + nx, 0, ny - 1, 0, nz - 1)
    if path.suffix == ".vti":
        grid.SetOrigin(10, 0, 0)
        grid.SetSpacing(0.5, 1, 1)
        writer = vtkXMLImageDataWriter()
    else:
        grid.SetXCoordinates(numpy_to_vtk(X, deep=True))
        grid.SetYCoordinates(numpy_to_vtk(Y, deep=True))
        grid.SetZCoordinates(numpy_to_vtk(Z, deep=True))
        writer = vtkXMLRectilinearGridWriter()
    flat = values.reshape(-1, *values.shape[3:])
    array = numpy_to_vtk(np.ascontiguousarray(flat), deep=True)
    array.SetName(name)
    (grid.GetCellData() if cells else grid.GetPointData()).AddArray(array)
    writer.SetFileName(str(path))
    writer.SetInputData(grid)
    writer.Write()


def write(kind: str, folder: Path, values: np.ndarray) -> str:
    """A file of that kind -> its name on the command line."""
    path = folder / f"density.{kind}"
    if kind == "npy":
        np.save(path, values)
    elif kind == "npz":
        np.savez_compressed(path, density=values)
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file["fluid/density"] = values
            file["time"] = np.arange(3.0)
        return f"{path}:fluid/density"
    elif kind == "nc":
        with netCDF4.Dataset(str(path), "w") as file:
            for name, n in zip("zyx", values.shape, strict=True):
                file.createDimension(name, n)
            file.createVariable("density", values.dtype, ("z", "y", "x"))[:] = values
    else:
        vtk_file(path, values, cells=kind == "vti")
    return str(path)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["npy", "npz", "h5", "nc", "vti", "vtr"])
def test_the_same_samples_from_every_format(kind: str, dtype: type, tmp_path: Path) -> None:
    values = waves(SHAPE, dtype)
    volume = open_volume(write(kind, tmp_path, values))
    assert volume.name == "density"
    assert (volume.shape, volume.dtype) == (SHAPE, dtype)
    np.testing.assert_array_equal(volume.read(BOX), values[BOX])
    np.testing.assert_array_equal(volume.read(volume.whole), values)
    extra = 0 if volume.association == "vertex" else 1
    assert [lines.size for lines in volume.nodes] == [n + extra for n in SHAPE[::-1]]


def test_order_of_axes_and_bytes(tmp_path: Path) -> None:
    values = waves(SHAPE, np.float64)
    np.save(tmp_path / "f.npy", np.asfortranarray(values))
    np.testing.assert_array_equal(open_volume(str(tmp_path / "f.npy")).read(BOX), values[BOX])
    values.astype(">f8").tofile(tmp_path / "big.raw")
    volume = open_volume(str(tmp_path / "big.raw"), shape=SHAPE, dtype=">f8")
    np.testing.assert_array_equal(volume.read(BOX), values[BOX])
    assert volume.read(BOX).dtype.isnative


def test_coordinates_of_vtk(tmp_path: Path) -> None:
    values = waves(SHAPE)
    vtk_file(tmp_path / "c.vti", values, cells=True)
    cells = open_volume(str(tmp_path / "c.vti"))
    assert cells.association == "element"
    np.testing.assert_allclose(cells.nodes[0], 12 + 0.5 * np.arange(10))
    vtk_file(tmp_path / "p.vtr", values, cells=False)
    points = open_volume(str(tmp_path / "p.vtr"))
    assert points.association == "vertex"
    for found, given in zip(points.nodes, (X, Y, Z), strict=True):
        np.testing.assert_array_equal(found, given)


def test_one_layer_of_points_is_a_layer_of_cells(tmp_path: Path) -> None:
    values = waves((1, 8, 9))
    vtk_file(tmp_path / "flat.vti", values, cells=False)
    flat = open_volume(str(tmp_path / "flat.vti"))
    assert (flat.association, flat.shape) == ("element", (1, 8, 9))
    np.testing.assert_array_equal(flat.read(flat.whole), values)


def test_netcdf_coordinates_steps_packing_and_fill(tmp_path: Path) -> None:
    path = tmp_path / "climate.nc"
    values = waves((3, *SHAPE))
    with netCDF4.Dataset(str(path), "w") as file:
        for name, n in zip("tzyx", values.shape, strict=True):
            file.createDimension(name, None if name == "t" else n)
        for name, lines in zip("xyz", (X, Y, Z), strict=True):
            file.createVariable(name, "f8", (name,))[:] = lines
        file.createVariable("T", "f4", tuple("tzyx"), fill_value=-999.0)[:] = np.ma.masked_equal(
            values, values[1, 2, 3, 4]
        )
        packed = file.createVariable("packed", "i2", tuple("zyx"))
        packed.scale_factor, packed.add_offset = np.float32(1e-3), np.float32(0.5)
        packed[:] = values[0]
    with pytest.raises(ConfigError, match=r"several arrays.*T.*packed"):
        open_volume(str(path))
    with pytest.raises(ConfigError, match="--step 0 to 2"):
        open_volume(f"{path}:T")
    with pytest.raises(ConfigError, match="no step 3"):
        open_volume(f"{path}:T", step=3)
    volume = open_volume(f"{path}:T", step=1)
    assert (volume.shape, volume.association) == (SHAPE, "vertex")
    np.testing.assert_array_equal(volume.nodes[0], X)
    found = volume.read(volume.whole)
    assert np.isnan(found[2, 3, 4])
    np.testing.assert_array_equal(found[0], values[1, 0])
    packed_volume = open_volume(f"{path}:packed")
    assert packed_volume.dtype == np.float32
    np.testing.assert_allclose(packed_volume.read(packed_volume.whole), values[0], atol=6e-4)
    assert set(datasets(path)) == {"T", "packed"}


def test_axes(tmp_path: Path) -> None:
    def saved(values: np.ndarray, **options: int) -> object:
        np.save(tmp_path / "a.npy", values)
        return open_volume(str(tmp_path / "a.npy"), **options)

    flat = saved(waves((8, 9)))
    assert (flat.shape, flat.grid_shape) == ((8, 9), (1, 8, 9))
    np.testing.assert_array_equal(
        flat.read((slice(0, 1), slice(2, 4), slice(0, 9)))[0], waves((8, 9))[2:4]
    )
    assert saved(waves((1, *SHAPE))).shape == SHAPE
    assert saved(waves((2, *SHAPE)), step=-1).shape == SHAPE
    with pytest.raises(ConfigError, match="reshape"):
        saved(np.zeros(9, np.float32))
    with pytest.raises(ConfigError, match="reshape"):
        saved(np.zeros((2, 2, 3, 4, 5), np.float32), step=1)
    with pytest.raises(ConfigError, match="--step 0 to 1"):
        saved(np.zeros((2, 1, 3, 4, 5), np.float32))
    with pytest.raises(ConfigError, match="no samples"):
        saved(np.zeros((3, 0, 3), np.float32))
    with pytest.raises(ConfigError, match="no steps"):
        saved(waves((8, 9)), step=0)
    for dtype in (np.complex64, bool, np.longdouble):
        with pytest.raises(ConfigError, match="convert them first"):
            saved(np.zeros(SHAPE, dtype))


def test_steps_of_planes_and_of_ensembles(tmp_path: Path) -> None:
    path = tmp_path / "t.nc"
    values = waves((3, 4, 8, 9))
    with netCDF4.Dataset(str(path), "w") as file:
        for name, n in (("t", None), ("z", 4), ("y", 8), ("x", 9), ("member", 1)):
            file.createDimension(name, n)
        for name, n in (("y", 8), ("x", 9)):
            file.createVariable(name, "f8", (name,))[:] = np.arange(n) ** 2.0
        file.createVariable("plane", "f4", ("t", "y", "x"))[:] = values[:, 1]
        file.createVariable("first", "f4", ("t", "member", "z", "y", "x"))[:] = values[:, None]
        file.createVariable("inner", "f4", ("t", "z", "member", "y", "x"))[:] = values[:, :, None]
    plane = open_volume(f"{path}:plane", step=2)
    assert plane.shape == (8, 9)
    np.testing.assert_array_equal(plane.read(plane.whole)[0], values[2, 1])
    assert plane.nodes[0][3] == 6.5  # between 4 and 9: centres in one layer of cells
    for name in ("first", "inner"):
        volume = open_volume(f"{path}:{name}", step=1)
        np.testing.assert_array_equal(volume.read(volume.whole), values[1])


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        open_volume(str(tmp_path / "none.npy"))
    np.savez(tmp_path / "two.npz", density=waves(SHAPE), energy=waves(SHAPE))
    with pytest.raises(ConfigError, match=r"several arrays.*density, energy"):
        open_volume(str(tmp_path / "two.npz"))
    with pytest.raises(ConfigError, match="did you mean 'density'"):
        open_volume(f"{tmp_path / 'two.npz'}:densty")
    assert open_volume(f"{tmp_path / 'two.npz'}:energy").name == "energy"
    with pytest.raises(ConfigError, match="not a record"):
        open_volume(str(tmp_path))
    np.save(tmp_path / "one.npy", waves(SHAPE))
    with pytest.raises(ConfigError, match="leave out dataset 'density'"):
        open_volume(str(tmp_path / "one.npy"), dataset="density")


@pytest.mark.parametrize("suffix", ["npy", "npz", "h5", "nc", "vti", "vtr", "xyz"])
def test_rubbish_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rubbish.{suffix}"
    path.write_bytes(b"this is no array at all" * 10)
    with pytest.raises(ConfigError, match="rubbish"):
        open_volume(str(path))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", waves(SHAPE))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(whole[:-5])
    with pytest.raises(ConfigError, match=r"not a .npy file"):
        open_volume(str(tmp_path / "a.npy"))
    waves(SHAPE).tofile(tmp_path / "a.raw")
    with pytest.raises(
        ConfigError, match=r"2016 bytes; --shape 7,8,8 with --dtype float32 needs 1792"
    ):
        open_volume(str(tmp_path / "a.raw"), shape=(7, 8, 8))
    with pytest.raises(ConfigError, match="--dtype"):
        open_volume(str(tmp_path / "a.raw"), shape=SHAPE, dtype="float99")


def test_vectors_are_refused(tmp_path: Path) -> None:
    vtk_file(tmp_path / "v.vti", np.zeros((3, 4, 5, 3), np.float32), cells=True)
    with pytest.raises(ConfigError, match="3 components"):
        open_volume(str(tmp_path / "v.vti"))
