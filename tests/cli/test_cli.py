"""The command `insitu` as a user meets it: files, tables, JSON, exit codes, words of refusal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import insitu
import insitu.engines
from insitu.cli.command_line import COMMANDS, main
from insitu.metrics import psnr
from tests.support.waves import waves

SHAPE = (20, 21, 22)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with waves.npy, and no launcher of MPI programs around."""
    monkeypatch.chdir(tmp_path)
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    np.save("waves.npy", waves(SHAPE))
    return tmp_path


def figures(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == status
    found = capsys.readouterr()
    assert not found.out
    return found.err


def test_there_and_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = figures(capsys, "compress", "waves.npy", "w.insitu", "--psnr", "38", "--block", "12")
    assert made["reached"]
    assert made["psnr_db"] >= 38
    assert made["target"] == {"psnr": 38}
    assert made["nbytes"] == (here / "w.insitu").stat().st_size
    assert (made["blocks"], made["ranks"]) == (8, 1)
    assert sorted(p.name for p in here.iterdir()) == ["w.insitu", "waves.npy"]

    known = figures(capsys, "info", "w.insitu")
    assert (known["kind"], known["name"]) == ("compressed array", "waves")
    assert (known["shape"], known["psnr_db"]) == (list(SHAPE), made["psnr_db"])

    assert main(["decode", "w.insitu", "again.npy"]) == 0
    again = np.load("again.npy")
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, insitu.load("w.insitu").decode(), atol=1e-6)
    assert psnr(again, waves(SHAPE)) == pytest.approx(made["psnr_db"], abs=0.01)
    assert main(["decode", "w.insitu", "part.raw", "--region", "3:5,:,-1"]) == 0
    part = np.fromfile("part.raw", np.float32).reshape(2, 21, 1)
    np.testing.assert_allclose(part, again[3:5, :, -1:], atol=1e-5)

    compared = figures(capsys, "compare", "waves.npy", "w.insitu")
    assert compared["psnr_db"] == pytest.approx(made["psnr_db"], abs=0.01)
    assert compared["max_error"] == pytest.approx(np.abs(again - waves(SHAPE)).max(), rel=1e-3)
    assert 0.8 < compared["ssim"] < 1
    assert 0.2 < compared["seam_ratio"] < 5
    assert compared["dssim"] < compared["ssim"]
    assert compared["missed"] == []


def test_the_model_is_chosen_by_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("sparse_grid", "hash_grid"):
        options = ("--psnr", "30", "--model", model)
        assert figures(capsys, "compress", "waves.npy", f"{model}.insitu", *options)["reached"]
        (field,) = insitu.load(f"{model}.insitu").fields()
        assert field.as_model.model.kind == model
    error = refused(capsys, "compress", "waves.npy", "w.insitu", "--model", "hash_gird")
    assert "model: 'hash_gird' is not a kind of model; did you mean 'hash_grid'?" in error


def test_seams_are_told_by_face(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ghosts in ("0", "1"):
        options = ("--psnr", "30", "--blocks", "2,1,1", "--ghosts", ghosts)
        figures(capsys, "compress", "waves.npy", f"{ghosts}.insitu", *options)
    (apart,) = figures(capsys, "info", "0.insitu", "--seams")["faces"]
    (joined,) = figures(capsys, "info", "1.insitu", "--seams")["faces"]
    assert apart["blocks"] == [0, 1] and apart["axis"] == "x" and apart["conforms"]
    assert apart["max_of_range"] > 1e-3 > 1e-6 > joined["max_of_range"]
    assert main(["info", "0.insitu", "--seams"]) == 0
    assert f"{apart['max_of_range']:.2%} of the range at most" in capsys.readouterr().out
    assert main(["info", "1.insitu", "--seams"]) == 0
    assert "1 of 1 faces" in capsys.readouterr().out
    assert "expected a record or an insitu file" in refused(capsys, "info", "waves.npy", "--seams")


def test_tables_say_what_matters(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "waves.npy", "w.insitu"]) == 0  # 40 dB
    assert main(["info", "w.insitu"]) == 0
    assert main(["compare", "waves.npy", "w.insitu"]) == 0
    text = capsys.readouterr().out
    for words in ("20 x 21 x 22 float32", "ratio", "dB", "blocks", "in cells", "SSIM", "DSSIM"):
        assert words in text


def test_a_missed_target_is_status_1(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--psnr", "100", "--iterations", "20")
    made = figures(capsys, "compress", "waves.npy", "w.insitu", *options, status=1)
    assert not made["reached"]
    assert insitu.load("w.insitu").psnr_db == made["psnr_db"]
    assert main(["compress", "waves.npy", "w.insitu", *options]) == 1
    assert "dB; the target is 100 dB" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--psnr", "--ssim", "--dssim"])
def test_thresholds_of_compare(option: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("noisy.npy", waves(SHAPE) + np.random.default_rng(0).normal(size=SHAPE) * 0.02)
    found = figures(capsys, "compare", "waves.npy", "noisy.npy")
    value = found[{"--psnr": "psnr_db", "--ssim": "ssim", "--dssim": "dssim"}[option]]
    assert main(["compare", "waves.npy", "noisy.npy", option, str(value - 1e-6)]) == 0
    missed = figures(
        capsys, "compare", "waves.npy", "noisy.npy", option, str(value + 1e-6), status=1
    )
    assert missed["missed"] == [option[2:]]


def test_max_error_of_compare(here: Path) -> None:
    np.save("far.npy", waves(SHAPE).astype(np.float64) + 0.125)
    assert main(["compare", "waves.npy", "far.npy", "--max-error", "0.126"]) == 0
    assert main(["compare", "waves.npy", "far.npy", "--max-error", "0.124"]) == 1
    assert main(["compare", "waves.npy", "waves.npy", "--max-error", "0", "--psnr", "999"]) == 0


def test_raw_and_npz(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waves(SHAPE, np.float64).tofile("w.raw")
    raw = ("--shape", "20x21x22", "--dtype", "f8")
    made = figures(capsys, "compress", "w.raw", "w.insitu", *raw, "--psnr", "30")
    assert made["dtype"] == "float64"
    assert figures(capsys, "compare", "w.raw", "w.insitu", *raw)["psnr_db"] >= 30
    np.savez("two.npz", a=waves(SHAPE), b=waves(SHAPE))
    assert main(["compress", "two.npz:b", "b.insitu", "--psnr", "30"]) == 0
    assert figures(capsys, "info", "two.npz")["arrays"] == {"a": "array", "b": "array"}
    assert list(figures(capsys, "info", "waves.npy")["arrays"]) == ["waves"]
    assert "choose one as two.npz:a" in refused(capsys, "compress", "two.npz", "c.insitu")


def test_refusals_name_the_remedy(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "x.xyz").write_text("?")
    np.save("complex.npy", np.zeros(SHAPE, np.complex64))
    np.save("steps.npy", np.zeros((3, *SHAPE), np.float32))
    before = sorted(here.iterdir())
    for words, arguments in {
        "no such file": ("compress", "none.npy", "o.insitu"),
        "unknown format; expected .npy": ("compress", "x.xyz", "o.insitu"),
        "convert them first": ("compress", "complex.npy", "o.insitu"),
        "--step 0 to 2": ("compress", "steps.npy", "o.insitu"),
        "psnr: 1000": ("compress", "waves.npy", "o.insitu", "--psnr", "1000"),
        "psnr: expected a number": ("compress", "waves.npy", "o.insitu", "--psnr", "high"),
        "nofolder: no such folder": ("compress", "waves.npy", "nofolder/o.insitu"),
        "is the input": ("compress", "waves.npy", "waves.npy"),
        "expected .npy": ("decode", "waves.npy", "o.vtk"),
        "region": ("decode", "waves.npy", "o.npy", "--region", "0:99:2,:,:"),
        "expected 3 slices": ("decode", "waves.npy", "o.npy", "--region", "0:9"),
        "shapes differ": ("compare", "waves.npy", "steps.npy", "--step", "0"),
    }.items():
        if words == "shapes differ":
            np.save("steps.npy", np.zeros((3, 4, 5, 6), np.float32))
        assert words in refused(capsys, *arguments), words
    assert sorted(here.iterdir()) == before


def test_altered_files_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "waves.npy", "w.insitu", "--psnr", "30"]) == 0
    data = (here / "w.insitu").read_bytes()
    (here / "w.insitu").write_bytes(data[:-9])
    assert "truncated or corrupt" in refused(capsys, "info", "w.insitu")
    (here / "w.insitu").write_bytes(data[:-9] + bytes(9))
    assert "checksum" in refused(capsys, "decode", "w.insitu", "o.npy")
    assert not (here / "o.npy").exists()
    assert [p.name for p in here.glob(".*")] == []


def test_numbers_of_blocks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ("compress", "waves.npy", "w.insitu", "--psnr", "30")
    made = figures(capsys, *small, "--blocks", "2,1,3", "--ghosts", "0", "--plateau", "50")
    assert made["blocks"] == 6 and made["reached"]
    assert figures(capsys, *small, "--blocks", "auto")["blocks"] == 1
    assert "neither of the form I,J,K nor auto" in refused(capsys, *small, "--blocks", "2,1")
    assert "blocks: 999 along x" in refused(capsys, *small, "--blocks", "999,1,1")
    assert "not allowed with" in refused(capsys, *small, "--blocks", "2,2,2", "--block", "9")
    assert "-1 is not in 0..1000000 steps" in refused(capsys, *small, "--plateau", "-1")


def test_usage(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "compress" in capsys.readouterr().err
    assert main(["comprss", "a.npy"]) == 2
    assert "did you mean 'compress'?" in capsys.readouterr().err
    assert main(["compress"]) == 2
    assert main(["--version"]) == 0
    assert insitu.__version__ in capsys.readouterr().out
    for name in [c.__name__.rpartition(".")[2].replace("_", "-") for c in COMMANDS]:
        assert main([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert f"insitu {name}" in text.partition("examples:")[2]
        assert "exit status:" in text
        assert max(map(len, text.partition("options:")[0].splitlines())) <= 100


def test_a_record_of_a_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = """
import numpy as np, insitu
from mpi4py import MPI
from tests.support.waves import waves
session = insitu.open({
    "fields": {"waves": {"psnr": 35}}, "window": {"steps": 3, "every": 1},
    "record": {"path": "record"}, "output": "out",
}, MPI.COMM_SELF)
for cycle in range(2):
    session.publish({
        "state": {"cycle": cycle, "time": float(cycle), "domain_id": 0},
        "coordsets": {"coords": {"type": "uniform", "dims": {"i": 23, "j": 22, "k": 21}}},
        "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
        "fields": {"waves": {"association": "element", "topology": "mesh",
                             "values": waves((20, 21, 22)).ravel() * (cycle + 1)}},
    })
    session.execute()
session.close()
"""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    steps = figures(capsys, "info", "record")["fields"]["waves"]
    assert [step["cycle"] for step in steps] == [0, 1]
    first = figures(capsys, "compare", "waves.npy", "record:waves", "--step", "0")
    assert first["psnr_db"] == pytest.approx(steps[0]["psnr_db"], abs=0.01)
    # The run measures these in some places, and not at the ends of the axes.
    assert 0.5 < first["normals_deg"] / steps[0]["normals_deg"] < 4
    assert first["gradient_psnr_db"] == pytest.approx(steps[0]["gradient_db"], abs=8)
    assert figures(capsys, "info", "record", "--seams") == {"kind": "seams", "faces": []}
    assert "no field 'wave'" in refused(capsys, "info", "record", "--seams", "--field", "wave")
    assert main(["info", "record"]) == 0
    table = capsys.readouterr().out
    assert "gradient" in table and f"{steps[0]['normals_deg']:.1f} deg" in table
    assert f"{steps[0]['max_error_of_range']:.2%}" in table
    assert main(["decode", "record", "last.npy", "--field", "waves"]) == 0
    assert psnr(np.load("last.npy"), 2 * waves(SHAPE)) >= 35
    assert main(["info", "record", "--field", "waves", "--step", "-1"]) == 0
    assert "no step 7; " in refused(capsys, "decode", "record", "o.npy", "--step", "7")
    assert "no array 'wave'" in refused(capsys, "decode", "record:wave", "o.npy")


def test_as_a_program(here: Path) -> None:
    """Nothing but JSON on stdout, nothing on stderr where it is no terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "insitu", "compress", "waves.npy", "w.insitu", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["reached"]


def test_the_engines(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INSITU_ENGINE", raising=False)
    told = figures(capsys, "info", "--engines")
    by_name = {entry["name"]: entry for entry in told["engines"]}
    assert told["kind"] == "engines" and list(by_name)[:2] == ["cpu", "numpy"]
    assert by_name["cpu"]["chosen"] == "auto: the first that can be loaded"
    assert by_name["numpy"]["models"] and not by_name["numpy"]["chosen"]
    (here / "run.yaml").write_text("engine: numpy\n")
    by_name = {e["name"]: e for e in figures(capsys, "info", "--engines", "run.yaml")["engines"]}
    assert by_name["numpy"]["chosen"] == "asked for as engine: numpy"
    monkeypatch.setenv("INSITU_ENGINE", "numpy")
    capsys.readouterr()
    assert main(["info", "--engines"]) == 0
    table = capsys.readouterr().out
    assert "asked for by INSITU_ENGINE" in table
    assert str(insitu.engines.describe()).splitlines()[0].split(":")[0] in table
    monkeypatch.setenv("INSITU_ENGINE", "nmpy")
    assert "INSITU_ENGINE: engine: 'nmpy'" in refused(capsys, "info", "--engines")
    assert "expected a run file" in refused(capsys, "info", "--engines", "waves.npy")
    assert "--engines" in refused(capsys, "info")
