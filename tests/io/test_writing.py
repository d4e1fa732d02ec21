"""What insitu decode writes is read by VTK's own readers (ParaView's), h5py and NumPy."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from insitu.cli.command_line import main
from insitu.core.errors import ConfigError
from insitu.io import vtk_write
from insitu.io.array_source import ArrayVolume
from insitu.io.part import Part
from insitu.store.record import open_record
from tests.support import records

pytest.importorskip("vtkmodules")
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import (
    vtkXMLImageDataReader,
    vtkXMLPImageDataReader,
    vtkXMLPRectilinearGridReader,
    vtkXMLRectilinearGridReader,
)

READERS = {
    ".vti": vtkXMLImageDataReader,
    ".vtr": vtkXMLRectilinearGridReader,
    ".pvti": vtkXMLPImageDataReader,
    ".pvtr": vtkXMLPRectilinearGridReader,
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record"
    records.write(path)
    return path


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)


def read(file: Path) -> Any:
    reader = READERS[file.suffix]()
    assert reader.CanReadFile(str(file))
    reader.SetFileName(str(file))
    reader.Update()
    assert reader.GetErrorCode() == 0
    return reader.GetOutput()


def lines(grid: Any) -> list[np.ndarray]:
    if grid.IsA("vtkImageData"):
        return [
            origin + spacing * np.arange(low, high + 1)
            for origin, spacing, low, high in zip(
                grid.GetOrigin(),
                grid.GetSpacing(),
                grid.GetExtent()[::2],
                grid.GetExtent()[1::2],
                strict=True,
            )
        ]
    return [vtk_to_numpy(getattr(grid, f"Get{c}Coordinates")()) for c in "XYZ"]


@pytest.mark.parametrize("suffix", READERS)
def test_cells_points_and_vectors(suffix: str, path: Path, tmp_path: Path) -> None:
    nz, ny, nx = records.CELLS
    for name in ("density", "velocity", "height"):
        file = tmp_path / f"{name}{suffix}"
        assert main(["decode", f"{path}:{name}", str(file), "--step", "1"]) == 0
        grid = read(file)
        assert grid.GetExtent() == (0, nx, 0, ny, 0, nz)
        for at, n in zip(lines(grid), (nx, ny, nz), strict=True):
            np.testing.assert_allclose(at, np.arange(n + 1) / n, atol=1e-12)
        cells = name == "density"
        data = grid.GetCellData() if cells else grid.GetPointData()
        other = grid.GetPointData() if cells else grid.GetCellData()
        assert [data.GetArrayName(i) for i in range(data.GetNumberOfArrays())] == [name]
        assert other.GetNumberOfArrays() == 0
        truth = open_record(path)[name].sel(step=1).decode()
        values = vtk_to_numpy(data.GetArray(name))
        assert values.dtype == truth.dtype
        np.testing.assert_allclose(values.reshape(truth.shape), truth, atol=1e-6)
        assert (data.GetVectors() is not None) == (name == "velocity")
    written = {p.name for p in tmp_path.iterdir()}
    folders = {"density", "velocity", "height"} if suffix[1] == "p" else set()
    assert written == folders | {f"{n}{suffix}" for n in ("density", "velocity", "height")}
    for folder in folders:
        assert len(list((tmp_path / folder).iterdir())) == 8  # one piece per block, no more


def test_time_and_regions(path: Path, tmp_path: Path) -> None:
    region = ["--region", "3:9,:,7:8"]
    for name, suffix in (("density", ".vtr"), ("height", ".pvtr"), ("density", ".pvti")):
        file = tmp_path / f"{name}{suffix}"
        assert main(["decode", f"{path}:{name}", str(file), "--step", "-1", *region]) == 0
        grid = read(file)
        truth = open_record(path)[name].sel(step=-1).decode()[3:9, :, 7:8]
        data = grid.GetPointData() if name == "height" else grid.GetCellData()
        values = vtk_to_numpy(data.GetArray(name)).reshape(truth.shape)
        np.testing.assert_allclose(values, truth, atol=1e-6)
        x, _, z = lines(grid)
        assert (x[0], z[0]) == pytest.approx((7 / 20, 3 / 12))
    grid = read(tmp_path / "density.vtr")
    assert grid.GetFieldData().GetArray("TimeValue").GetValue(0) == 1.0


def test_a_second_time_replaces_the_pieces(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "d.pvtr"
    for _ in range(2):
        assert main(["decode", f"{path}:density", str(file)]) == 0
    assert read(file).GetNumberOfCells() == 12 * 16 * 20
    (tmp_path / "d" / "mine.txt").write_text("not a piece")
    assert main(["decode", f"{path}:density", str(file)]) == 2
    assert (tmp_path / "d" / "mine.txt").exists()
    assert not list(tmp_path.glob(".*"))


def test_both_kinds_of_pieces_beside_each_other(path: Path, tmp_path: Path) -> None:
    for suffix in ("pvti", "pvtr", "pvti", "pvtr"):
        assert main(["decode", f"{path}:density", str(tmp_path / f"d.{suffix}")]) == 0
    for suffix in ("pvti", "pvtr"):
        assert read(tmp_path / f"d.{suffix}").GetNumberOfCells() == 12 * 16 * 20


def test_an_even_grid_far_from_the_origin_is_an_image() -> None:
    x = 1e6 + np.arange(9) * 1e-3
    assert vtk_write.is_uniform((x, x, x))


@pytest.mark.parametrize("unit", [1, 1e-9])
def test_stretched_grids_are_no_images(tmp_path: Path, unit: float) -> None:
    steps = (np.array([0, 1, 4.0]), np.arange(4.0), np.array([0, 0.5, 3, 7]))
    nodes = (unit * steps[0], unit * steps[1], unit * steps[2])
    values = np.arange(18, dtype=np.float64).reshape(3, 3, 2)
    volume = ArrayVolume(values, "f", nodes=nodes)
    part = Part(volume, volume.whole)
    for suffix in (".vti", ".pvti"):
        write = vtk_write.write if suffix == ".vti" else vtk_write.write_pieces
        with pytest.raises(ConfigError, match=r"not evenly spaced; write \.p?vtr"):
            write(tmp_path / f"f{suffix}", part)
    vtk_write.write(tmp_path / "f.vtr", part)
    grid = read(tmp_path / "f.vtr")
    for at, expected in zip(lines(grid), nodes, strict=True):
        np.testing.assert_array_equal(at, expected)
    np.testing.assert_array_equal(vtk_to_numpy(grid.GetCellData().GetArray("f")), values.ravel())


def test_what_cannot_be_written_is_an_error(path: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        for suffix in (".vtr", ".pvtr", ".npy"):
            assert main(["decode", f"{path}:velocity", str(tmp_path / f"v{suffix}")]) == 3, suffix
            assert list(tmp_path.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("suffix", [".npy", ".raw"])
def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(
    suffix: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has no room on the disk is found before the file is mapped and filled."""

    def full(number: int, first: int, nbytes: int) -> None:
        assert nbytes >= 12 * 16 * 20 * 4
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    assert main(["decode", f"{path}:velocity", str(tmp_path / f"v{suffix}")]) == 3
    assert list(tmp_path.iterdir()) == []


def test_hdf5_and_numpy(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    h5py = pytest.importorskip("h5py")
    record = open_record(path)
    assert main(["decode", f"{path}:density", str(tmp_path / "d.h5"), "--step", "1"]) == 0
    with h5py.File(tmp_path / "d.h5") as file:
        data = file["density"]
        np.testing.assert_allclose(data[:], record["density"].sel(step=1).decode(), atol=1e-6)
        assert (data.attrs["units"], file.attrs["time"]) == ("kg m-3", 0.5)
        np.testing.assert_allclose(data.dims[0][0][:], (np.arange(12) + 0.5) / 12)
        assert data.dims[2][0].attrs["units"] == "m"
    capsys.readouterr()
    assert main(["decode", f"{path}:velocity", str(tmp_path / "v.npy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shape"] == [13, 17, 21, 3]
    truth = record["velocity"].sel(step=-1).decode()
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), truth, atol=1e-6)
    low = ["--psnr", "25"]
    # An insitu file of an array decodes to all formats, too.
    assert main(["compress", str(tmp_path / "d.h5:density"), str(tmp_path / "d.insitu"), *low]) == 0
    assert main(["decode", str(tmp_path / "d.insitu"), str(tmp_path / "again.pvti")]) == 0
    assert read(tmp_path / "again.pvti").GetCellData().GetArray("density") is not None
