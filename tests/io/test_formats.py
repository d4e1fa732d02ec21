"""Files as others write them: other names, groups, links, filters, integers, axes that decrease."""

import shutil
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import netCDF4
import numpy as np
import pytest

import insitu
from insitu.core.errors import ConfigError
from insitu.io.array_source import ArrayVolume
from insitu.io.sources import datasets, open_volume, split_name
from tests.support.waves import waves

SHAPE = (4, 5, 6)


def netcdf(path: Path, values: np.ndarray, name: str = "T", group: str = "", **axes: Any) -> None:
    """A variable (z, y, x), with coordinate variables of its dimensions where they are given."""
    with netCDF4.Dataset(str(path), "w") as file:
        for letter, n in zip("zyx", values.shape, strict=True):
            file.createDimension(letter, n)
            if letter in axes:
                file.createVariable(letter, "f8", (letter,))[:] = axes[letter]
        inner = file.createGroup(group) if group else file
        inner.createVariable(name, values.dtype, tuple("zyx"))[:] = values


def test_formats_are_known_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = waves(SHAPE)
    netcdf(Path("a.nc"), values)
    shutil.copy("a.nc", "wrfout_d01_2001-10-24_12:00:00")
    with netCDF4.Dataset("classic", "w", format="NETCDF3_CLASSIC") as file:
        for letter, n in zip("zyx", SHAPE, strict=True):
            file.createDimension(letter, n)
        file.createVariable("T", "f4", tuple("zyx"))[:] = values
    with h5py.File("flow_hdf5_plt_cnt_0000", "w") as file:
        file["gas:density"] = values
    np.save("a.npy", values)
    shutil.move("a.npy", "array")
    np.savez("two.npz", a=values)
    shutil.move("two.npz", "zipped.0001")
    for name in (
        "wrfout_d01_2001-10-24_12:00:00",
        "wrfout_d01_2001-10-24_12:00:00:T",
        "classic",
        "flow_hdf5_plt_cnt_0000",
        "flow_hdf5_plt_cnt_0000:gas:density",
        "array",
        "zipped.0001:a",
    ):
        volume = open_volume(name)
        np.testing.assert_array_equal(volume.read(volume.whole), values)
    assert split_name("flow_hdf5_plt_cnt_0000:gas:density")[1] == "gas:density"
    Path("text").write_text("no array")
    with pytest.raises(ConfigError, match="text: unknown format"):
        open_volume("text")


def test_netcdf_groups(tmp_path: Path) -> None:
    path, x = tmp_path / "sat.nc", np.linspace(0, 5, 6)
    netcdf(path, waves(SHAPE), "no2", "PRODUCT/DETAIL", x=x, y=np.arange(5.0), z=np.arange(4.0))
    assert list(datasets(path)) == ["PRODUCT/DETAIL/no2"]
    for name in (f"{path}", f"{path}:PRODUCT/DETAIL/no2", f"{path}:/PRODUCT/DETAIL/no2"):
        volume = open_volume(name)
        assert volume.name == "no2"
        np.testing.assert_array_equal(volume.nodes[0], x)  # of a dimension of the file's root
    with pytest.raises(ConfigError, match="did you mean 'PRODUCT/DETAIL/no2'"):
        open_volume(f"{path}:PRODUCT/DETAIL/no")


def test_hdf5_links_and_filters(tmp_path: Path) -> None:
    values, path = waves(SHAPE), tmp_path / "m.h5"
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file["deep/data"] = values
    with h5py.File(path, "w") as file:
        file["g/a"] = values
        file["soft"] = h5py.SoftLink("/g/a")
        file["ext"] = h5py.ExternalLink("part.h5", "/deep/data")
        file["lost"] = h5py.ExternalLink("nowhere.h5", "/deep/data")
        file["g/back"] = h5py.SoftLink("/")  # a circle
        file.create_dataset("blosc", data=values, chunks=(2, 2, 2), **hdf5plugin.Blosc())
    assert sorted(datasets(path)) == ["blosc", "ext", "g/a", "soft"]
    for name in datasets(path):
        volume = open_volume(f"{path}:{name}")
        np.testing.assert_array_equal(volume.read(volume.whole), values)


@pytest.mark.parametrize("kind", ["i1", "u1", "<i2", ">u2", "i4", "u4", "i8", "u8", "f2"])
def test_integers_and_half_precision(kind: str, tmp_path: Path) -> None:
    values = (100 * (1 + waves(SHAPE, np.float64)) / 2).astype(kind)
    values.flat[0] = 1 if kind == "f2" else np.iinfo(kind).max
    np.save(tmp_path / "a.npy", values)
    for volume in (open_volume(str(tmp_path / "a.npy")), ArrayVolume(values)):
        read = volume.read(volume.whole)
        assert volume.dtype == (np.float64 if values.itemsize > 2 else np.float32) == read.dtype
        np.testing.assert_array_equal(read, values.astype(np.float64))
        assert volume.raw_nbytes == values.nbytes
    array = insitu.compress(values, max_error=0.4)
    np.testing.assert_allclose(array.decode(), values.astype(np.float64), atol=0.4)
    assert array.ratio == values.nbytes / array.nbytes


def test_axes_that_decrease_are_turned_round(tmp_path: Path) -> None:
    values, path = waves(SHAPE), tmp_path / "t.nc"
    x, y, z = np.linspace(-10, 20, 6), np.linspace(60, 40, 5), np.array([1000.0, 850, 500, 100])
    netcdf(path, values, x=x, y=y, z=z)
    volume = open_volume(str(path))
    assert volume.reversed == ("z", "y")
    for found, given in zip(volume.nodes, (x, y[::-1], z[::-1]), strict=True):
        np.testing.assert_array_equal(found, given)
    turned = values[::-1, ::-1]
    np.testing.assert_array_equal(volume.read(volume.whole), turned)
    box = (slice(1, 3), slice(0, 2), slice(2, 6))
    np.testing.assert_array_equal(volume.read(box), turned[box])
    other = tmp_path / "u.nc"
    netcdf(other, values, x=x, y=np.zeros(5), z=z)  # y is no coordinate: cells are counted
    assert open_volume(str(other)).reversed == ()


def test_vtk_and_hdf5_axes_that_decrease(tmp_path: Path) -> None:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkRectilinearGrid
    from vtkmodules.vtkIOXML import vtkXMLRectilinearGridWriter

    values = waves(SHAPE)
    lines = [np.arange(6.0), np.linspace(60, 40, 5), np.arange(4.0)]
    grid = vtkRectilinearGrid()
    grid.SetDimensions(6, 5, 4)
    for letter, axis in zip("XYZ", lines, strict=True):
        getattr(grid, f"Set{letter}Coordinates")(numpy_to_vtk(axis, deep=True))
    array = numpy_to_vtk(values.ravel(), deep=True)
    array.SetName("T")
    grid.GetPointData().AddArray(array)
    writer = vtkXMLRectilinearGridWriter()
    writer.SetFileName(str(tmp_path / "t.vtr"))
    writer.SetInputData(grid)
    writer.Write()
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["T"] = values
        for i, (letter, axis) in enumerate(zip("zyx", lines[::-1], strict=True)):
            file[letter] = axis
            file[letter].make_scale(letter)
            file["T"].dims[i].attach_scale(file[letter])
    for name in ("t.vtr", "t.h5:T"):
        volume = open_volume(str(tmp_path / name))
        assert volume.reversed == ("y",)
        np.testing.assert_array_equal(volume.nodes[1], lines[1][::-1])
        np.testing.assert_array_equal(volume.read(volume.whole), values[:, ::-1])
