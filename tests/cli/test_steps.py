"""Several files, patterns and all steps at once; what decode writes, compress and compare read."""

import json
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest
import vtk

import insitu
from insitu.cli.command_line import main
from insitu.core import launcher
from insitu.io.array_source import ArrayVolume
from insitu.io.part import Part
from insitu.io.plain_write import write_hdf5, write_netcdf
from insitu.io.sources import open_volume
from tests.support import records
from tests.support.waves import waves

SHAPE = (6, 7, 8)
LOW = ["--psnr", "25"]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record"
    records.write(path)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (*launcher.RANKS, *launcher.SIZES):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def refused(capsys: Any, *arguments: str) -> str:
    capsys.readouterr()
    assert main([*arguments]) == 2
    return str(capsys.readouterr().err)


def test_several_files_and_patterns(here: Path, capsys: Any) -> None:
    for i in range(3):
        with h5py.File(f"run_{i}.h5", "w") as file:
            file["fluid/u"], file["fluid/v"] = waves(SHAPE) + i, waves(SHAPE)
    assert main(["compress", "run_*.h5:fluid/u", "out", *LOW, "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    files = [f"out/run_{i}_fluid_u.insitu" for i in range(3)]
    assert [one["output"] for one in told] == files
    assert [round(insitu.load(file).range[0]) for file in files] == [-1, 0, 1]
    assert main(["decode", *files, "u.npy"]) == 0  # files are steps
    assert np.load("u.npy").shape == (3, *SHAPE)
    assert main(["decode", "out/*.insitu", "again.npy"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("u.npy"))
    assert "no_*.h5: no file matches" in refused(capsys, "compress", "no_*.h5", "out")
    assert "would be written twice" in refused(
        capsys, "compress", "run_0.h5:fluid/u", f"{here}/run_0.h5:fluid/u", "out"
    )
    assert "name a folder" in refused(capsys, "compress", "run_*.h5:fluid/u", "u.npy")


def test_all_steps_of_an_array_of_four_axes(here: Path, capsys: Any) -> None:
    values = np.stack([waves(SHAPE) * (1 + i) for i in range(3)])
    np.save("u.npy", values)
    assert "--step all" in refused(capsys, "compress", "u.npy", "u.insitu")
    assert main(["compress", "u.npy", "steps", "--step", "all", *LOW]) == 0
    assert sorted(p.name for p in Path("steps").iterdir()) == [
        f"u_{i:04d}.insitu" for i in range(3)
    ]
    assert main(["decode", "steps/*.insitu", "back.npy"]) == 0
    errors = np.abs(np.load("back.npy") - values).max(axis=(1, 2, 3))
    assert (errors < 0.5 * np.array([1, 2, 3])).all()
    assert main(["compare", "u.npy", "back.npy", "--step", "2"]) == 0
    assert "neither a number" in _usage(capsys, "compress", "u.npy", "s", "--step", "some")


def _usage(capsys: Any, *arguments: str) -> str:
    capsys.readouterr()
    assert main([*arguments]) == 2
    return str(capsys.readouterr().err)


@pytest.mark.parametrize("suffix", ["npy", "raw", "h5", "nc"])
def test_all_steps_of_a_record_in_one_file(suffix: str, record: Path, here: Path) -> None:
    of = insitu.open_record(record)
    for name in ("density", "velocity"):
        assert main(["decode", f"{record}:{name}", f"{name}.{suffix}", "--step", "all"]) == 0
        truth = np.stack([field.decode() for field in of[name]])
        if suffix == "npy":
            values = np.load(f"{name}.npy")
        elif suffix == "raw":
            values = np.fromfile(f"{name}.raw", truth.dtype).reshape(truth.shape)
        elif suffix == "h5":
            with h5py.File(f"{name}.h5") as file:
                values, times = file[name][:], file[name].dims[0][0][:]
            np.testing.assert_allclose(times, of[name].times)
        else:
            with netCDF4.Dataset(f"{name}.nc") as file:
                values = file[name][:]
                assert file[name].dimensions[:4] == ("time", "z", "y", "x")
                np.testing.assert_allclose(file["time"][:], of[name].times)
        np.testing.assert_allclose(values, truth, atol=1e-6)


@pytest.mark.parametrize("suffix", ["vti", "pvtr"])
def test_all_steps_for_paraview(suffix: str, record: Path, here: Path, capsys: Any) -> None:
    assert main(["decode", f"{record}:density", f"d.{suffix}", "--step", "all", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files == [*(f"d_{i:04d}.{suffix}" for i in range(3)), "d.pvd"]
    text = Path("d.pvd").read_text()
    for i, time in enumerate((0.0, 0.5, 1.0)):
        assert f'timestep="{time}" part="0" file="d_{i:04d}.{suffix}"' in text
        volume = open_volume(f"d_{i:04d}.{suffix}")
        truth = insitu.open_record(record)["density"][i].decode()
        np.testing.assert_allclose(volume.read(volume.whole), truth, atol=1e-6)
    kind = "ImageData" if suffix == "vti" else "PRectilinearGrid"
    reader = getattr(vtk, f"vtkXML{kind}Reader")()
    reader.SetFileName(files[1])
    reader.UpdateInformation()
    key = vtk.vtkStreamingDemandDrivenPipeline.TIME_STEPS()
    assert reader.GetOutputInformation(0).Get(key, 0) == 0.5


@pytest.mark.parametrize("suffix", ["npy", "h5", "nc", "vti", "pvtr"])
def test_all_steps_that_are_written_are_read(
    suffix: str, record: Path, here: Path, capsys: Any
) -> None:
    assert main(["decode", f"{record}:height", f"h.{suffix}", "--step", "all"]) == 0
    series = "h.pvd" if suffix in ("vti", "pvtr") else f"h.{suffix}"
    truth = insitu.open_record(record)["height"]
    for step in range(len(truth)):
        volume = open_volume(series, step=step)
        assert volume.n_steps == len(truth)
        np.testing.assert_allclose(volume.read(volume.whole), truth[step].decode(), atol=1e-6)
        same = ["compare", f"{record}:height", series, "--step", str(step), "--psnr", "100"]
        assert main(same) == 0
    assert main(["compress", series, "again", "--step", "all", "--psnr", "20"]) == 0
    assert len(list(Path("again").iterdir())) == len(truth)
    assert "--step 0 to 2" in refused(capsys, "compress", series, "one.insitu")
    assert "no step 3" in refused(capsys, "compress", series, "one.insitu", "--step", "3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<VTKFile><Collection>", "not a complete .pvd file"),
        ("<VTKFile><Collection/></VTKFile>", "lists no file"),
        ('<VTKFile><DataSet timestep="one" file="a.vti"/></VTKFile>', "not a complete .pvd file"),
        ('<VTKFile><DataSet timestep="1" file="a.vtu"/></VTKFile>', "a.vtu is not a grid"),
        ('<VTKFile><DataSet timestep="1" file="a.vti"/></VTKFile>', "not a complete .vti file"),
        ("<VTKFile>" + 2 * '<DataSet file="a.vti"/>' + "</VTKFile>", "several files at one time"),
    ],
)
def test_collections_that_cannot_be_read(text: str, said: str, here: Path, capsys: Any) -> None:
    Path("a.pvd").write_text(text)
    assert said in refused(capsys, "compress", "a.pvd", "a.insitu")


@pytest.mark.parametrize("suffix", ["npy", "h5", "nc", "vti", "vtr", "pvti", "pvtr"])
def test_what_is_written_is_read(suffix: str, record: Path, here: Path) -> None:
    for name in ("density", "height"):  # in cells, at nodes
        assert main(["decode", f"{record}:{name}", f"{name}.{suffix}"]) == 0
        written, source = open_volume(f"{name}.{suffix}"), open_volume(f"{record}:{name}")
        assert written.name == source.name and written.shape == source.shape
        np.testing.assert_allclose(
            written.read(written.whole), source.read(source.whole), atol=1e-6
        )
        if suffix != "npy":
            assert written.association == source.association
            for found, given in zip(written.nodes, source.nodes, strict=True):
                np.testing.assert_allclose(found, given, atol=1e-12)
        assert main(["compare", f"{record}:{name}", f"{name}.{suffix}", "--psnr", "100"]) == 0


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_uneven_grid_lines_are_kept(association: Any, here: Path) -> None:
    extra = int(association == "element")
    nodes = tuple(np.arange(n + extra) ** 1.5 for n in SHAPE[::-1])
    source = ArrayVolume(waves(SHAPE), "u", nodes=nodes, association=association)
    for path, write in ((Path("u.nc"), write_netcdf), (Path("u.h5"), write_hdf5)):
        write(path, Part(source, source.whole, time=2.5))
        volume = open_volume(str(path))
        assert volume.association == association
        for found, given in zip(volume.nodes, nodes, strict=True):
            np.testing.assert_array_equal(found, given)


def test_a_moving_grid_does_not_fit_one_file(here: Path, capsys: Any) -> None:
    session = insitu.open({"fields": {"u": {"psnr": 30}}, "window": {"every": 1}}, quiet=True)
    for cycle in range(2):
        x, y, z = (np.linspace(0, 1 + cycle, n + 1) for n in SHAPE[::-1])
        session.publish(insitu.mesh.rectilinear({"u": waves(SHAPE)}, x, y, z, cycle=cycle))
        session.execute()
    session.close()
    text = refused(capsys, "decode", "out/record:u", "u.nc", "--step", "all")
    assert "grid of step 1 is not that of the first; write .vtr" in text
    assert not Path("u.nc").exists()
    assert main(["decode", "out/record:u", "u.vtr", "--step", "all"]) == 0
    assert open_volume("u_0001.vtr").nodes[0][-1] == pytest.approx(2)
