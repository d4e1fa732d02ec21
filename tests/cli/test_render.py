"""insitu render: pictures and movies of a record, by any number of ranks."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.cli.command_line import main
from tests.support.alone import alone
from tests.support.waves import waves

SMALL = ("--size", "120x100")


@pytest.fixture
def record(folder: Path, written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of 8 blocks in the folder that all ranks work in."""
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        shutil.copytree(written, folder / "record")
    comm.Barrier()
    monkeypatch.chdir(folder)
    return folder / "record"


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.parallel(3)
def test_a_picture_is_the_same_from_any_number_of_ranks(record: Path) -> None:
    comm = MPI.COMM_WORLD
    arguments = ["render", "record", "--field", "density", *SMALL, "--out"]
    assert main([*arguments, "many.png"]) == 0
    if comm.rank == 0:
        image = pixels("many.png")
        assert image.shape == (100, 120, 3)
        assert np.ptp(image, axis=2).max() > 60  # colours
        with alone():
            assert main([*arguments, "one.png"]) == 0
        assert np.abs(pixels("many.png") - pixels("one.png")).max() <= 1


@pytest.mark.parallel([1, 3])
def test_pictures_of_several_steps_and_a_movie(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comm = MPI.COMM_WORLD
    words = ["render", "record", "--field", "height", *SMALL, "--json", "--step"]
    assert main([*words, "0..1", "--out", "h_%03d.png"]) == 0
    assert main([*words, "all", "--out", "h.png"]) == 0
    assert main([*words, "all", "--out", "h.gif", "--fps", "4"]) == 0
    if comm.rank > 0:
        assert capsys.readouterr().out == ""
        return
    made = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert made[0] == {
        "output": ["h_000.png", "h_005.png"],
        "field": "height",
        "steps": [0, 1],
        "size": [120, 100],
    }
    assert made[1]["output"] == ["h_000000.png", "h_000005.png", "h_000010.png"]
    assert all(Path(name).is_file() for each in made for name in each["output"])
    with Image.open("h.gif") as movie:
        assert (movie.n_frames, movie.size, movie.info["duration"]) == (3, (120, 100), 250)
    # The colours are fitted to the same last step: the middle frame is the picture of that step.
    assert (pixels("h_000000.png") != pixels("h_000010.png")).any()
    assert sorted(p.name for p in Path().iterdir()) == sorted(
        ["record", "h.gif", *made[0]["output"], *made[1]["output"]]
    )


def test_options_change_the_picture(record: Path) -> None:
    plain = ["render", "record", "--field", "density", *SMALL, "--out"]
    assert main([*plain, "plain.png"]) == 0
    before = pixels("plain.png")
    cool = {"Name": "cool", "ColorSpace": "RGB", "RGBPoints": [0, 0, 0, 1, 2, 1, 0, 0]}
    Path("cool.json").write_text(json.dumps([cool]))
    for options in (
        ("--azimuth", "100"),
        ("--elevation", "-20"),
        ("--zoom", "1.6"),
        ("--color-table", "inferno"),
        ("--max", "0.7"),
        ("--min", "0.2"),
        ("--background", "white"),
        ("--title", "A title"),
        ("--log", "--min", "0.01"),
        ("--projection", "parallel"),
        ("--no-axes",),
        ("--color-table", "cool.json"),
        ("--step", "0"),
    ):
        assert main([*plain, "other.png", *options]) == 0
        assert (pixels("other.png") != before).mean() > 0.005, options
    assert main(["render", "record", "--field", "velocity", *SMALL, "--out", "v.png"]) == 0
    assert np.ptp(pixels("v.png"), axis=2).max() > 60


@pytest.mark.parallel([1, 3])
def test_slices_surfaces_and_lines(record: Path) -> None:
    """Beside the volume, each a picture of its own, and the same from one rank."""
    comm = MPI.COMM_WORLD
    plain = ["render", "record", "--field", "density", "--step", "1", *SMALL, "--out"]
    shown = {
        "volume": (),
        "plane": ("--slice", "z=0.3"),
        "planes": ("--slice", "z=0.3", "--slice", "0.5,0.5,0.5,1,1,0"),
        "surface": ("--isosurface", "0.5"),
        "fast": ("--isosurface", "0.5", "--color-by", "velocity"),
        "lines": ("--pathlines", "velocity", "--seeds", "60"),
        "seeded": ("--pathlines", "velocity", "--seeds", "density=0.5:60", "--color-by", "speed"),
        "both": ("--pathlines", "velocity", "--seeds", "60", "--volume"),
    }
    for name, options in shown.items():
        assert main([*plain, f"{name}.png", *options]) == 0, name
    if comm.rank > 0:
        return
    images = {name: pixels(f"{name}.png") for name in shown}
    for name, image in images.items():
        assert np.ptp(image, axis=2).max() > 60, name
        for other in images:
            assert other == name or (images[other] != image).mean() > 0.003, (name, other)
    with alone():
        for name in ("planes", "fast", "both"):
            assert main([*plain, "alone.png", *shown[name]]) == 0
            assert np.abs(pixels("alone.png") - images[name]).max() <= 1, name


@pytest.mark.parallel([1, 3])
def test_an_insitu_file(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if MPI.COMM_WORLD.rank == 0:
        insitu.compress(waves((20, 16, 12)), psnr=35, block=10, name="waves").save("w.insitu")
    MPI.COMM_WORLD.Barrier()
    assert main(["render", "w.insitu", *SMALL, "--out", "w.png", "--json"]) == 0
    assert main(["render", "w.insitu", *SMALL, "--slice", "x", "--out", "x.png"]) == 0
    if MPI.COMM_WORLD.rank == 0:
        assert json.loads(capsys.readouterr().out.splitlines()[0])["field"] == "waves"
        assert np.ptp(pixels("w.png"), axis=2).max() > 60
        assert (pixels("w.png") != pixels("x.png")).mean() > 0.05


def test_refusals_name_the_remedy(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*arguments: str, field: str = "density", out: str = "o.png") -> str:
        assert main(["render", "record", "--field", field, "--out", out, *arguments]) == 2
        return capsys.readouterr().err

    assert "did you mean 'density'" in refused(field="densty")
    assert "no step 3; density has 3 steps" in refused("--step", "3")
    assert "'x'; expected an index" in refused("--step", "x")
    assert "first step is after the last" in refused("--step", "2..0")
    assert ".png, .gif or .mp4" in refused(out="o.jpg")
    assert "nofolder: no such folder" in refused(out="nofolder/o.png")
    assert "WxH" in refused("--size", "100")
    assert "--zoom: 0.0 is not positive" in refused("--zoom", "0")
    assert "did you mean 'Viridis'" in refused("--color-table", "viridiss")
    assert "--color-table: none.json: No such file" in refused("--color-table", "none.json")
    assert "--log: values from -1.0 to" in refused("--log", "--min", "-1")
    assert "--min 2 is above --max 1" in refused("--min", "2", "--max", "1")
    assert "'w=1' is not of the form x, z=2" in refused("--slice", "w=1")
    assert "the domain goes from z = 0 to 1" in refused("--slice", "z=3")
    assert "the normal is zero" in refused("--slice", "0,0,0,0,0,0")
    assert "--color-by: requires --isosurface" in refused("--color-by", "height")
    assert "did you mean 'height'" in refused("--isosurface", "1", "--color-by", "heigt")
    assert "height has 1 components, expected 3" in refused("--pathlines", "height")
    assert "velocity is not recorded at cycle 10" in refused("--pathlines", "velocity")
    assert "--seeds: 'few' is neither" in refused("--pathlines", "velocity", "--seeds", "few")
    assert "--seeds: requires --pathlines" in refused("--seeds", "9")
    lines = ("--pathlines", "velocity", "--color-by", "height")
    assert "'height' is not one of time, speed, line, step" in refused(*lines)
    assert main(["render", "record", "--out", "o.png"]) == 2
    assert "--field is required; choose one of density, height, velocity" in capsys.readouterr().err
    assert main(["render", "nothing", "--out", "o.png"]) == 2
    assert "nothing: no such file or folder" in capsys.readouterr().err
    assert [p.name for p in Path().iterdir()] == ["record"]
