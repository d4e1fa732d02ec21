"""insitu replay: a file of actions over a record, on any number of ranks; refusals, reports."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI
from PIL import Image

import insitu
from insitu import actions, config
from insitu.cli import record_source
from insitu.cli.command_line import main
from insitu.session.replay import Replay, moments
from tests.support.waves import waves

COMM = MPI.COMM_WORLD
RENDER = {"image_width": 40, "image_height": 40}


def scene(name: str, field: str, **words: Any) -> dict[str, Any]:
    plots = {"p": {"type": "volume", "field": field}}
    renders = {"r": {"image_prefix": f"{name}_%02d", **RENDER}}
    return {
        "action": "add_scenes", "scenes": {name: {"plots": plots, "renders": renders, **words}}
    }  # fmt: skip


def query(name: str, expression: str) -> dict[str, Any]:
    params = {"name": name, "expression": expression}
    return {"action": "add_queries", "queries": {name: {"params": params}}}


def trigger(name: str, condition: str, *actions: Any) -> dict[str, Any]:
    params = {"condition": condition, "actions": list(actions)}
    return {"action": "add_triggers", "triggers": {name: {"params": params}}}


@pytest.fixture
def here(folder: Path, written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of 8 blocks in the folder that all ranks work in: density and height at the cycles
    0, 5, 10, velocity at 0 and 5."""
    if COMM.rank == 0:
        shutil.copytree(written, folder / "record")
    COMM.barrier()
    monkeypatch.chdir(folder)
    return folder


def write(name: str, content: Any) -> str:
    if COMM.rank == 0:
        Path(name).write_text(yaml.safe_dump(content))
    COMM.barrier()
    return name


def figures(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    """What it prints on rank 0, on all ranks."""
    capsys.readouterr()
    assert main(["replay", *arguments, "--json"]) == status
    printed = capsys.readouterr().out
    assert COMM.rank == 0 or not printed
    return COMM.bcast(json.loads(printed) if COMM.rank == 0 else None)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it says on rank 0, on all ranks."""
    capsys.readouterr()
    assert main(["replay", *arguments]) == 2
    found = capsys.readouterr()
    assert not found.out
    return str(COMM.bcast(found.err))


@pytest.mark.parallel([1, 3])
def test_ascent_s_actions_over_a_record(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = write(
        "ascent_actions.yaml",
        [
            query("peak", "max(field('density'))"),
            trigger("t", "cycle() > 3 and peak > 0", scene("fast", "velocity")),
            scene("all", "height"),
        ],
    )
    found = figures(capsys, "record", given)
    assert found["cycles"] == [0, 5, 10] and found["failed"] == found["left_out"] == []
    assert found["fired"] == [{"trigger": "t", "cycle": 5}, {"trigger": "t", "cycle": 10}]
    # The velocity is not recorded at cycle 10: the picture of cycle 5 is not made again.
    names = [str(Path(file).relative_to(here / "replay")) for file in found["files"]]
    expected = ["all_00.png", "all_05.png", "fast_05.png", "all_10.png", "ascent_session.yaml"]
    assert names == expected
    assert sorted(p.name for p in (here / "replay").iterdir()) == sorted(expected)
    results = yaml.safe_load((here / "replay" / "ascent_session.yaml").read_text())
    assert list(results["peak"]) == [0, 5, 10]
    assert np.ptp(np.asarray(Image.open(here / "replay" / "fast_05.png")), axis=2).max() > 60


def test_files_are_found_beside_the_actions(here: Path) -> None:
    """As those of a run file; and errors name its lines."""
    Path("sub").mkdir()
    Path("sub/script.py").write_text("files.append(f'seen_{cycle}_{len(window(\"density\"))}')")
    script = {"type": "python", "params": {"file": "script.py", "fields": ["density"]}}
    Path("sub/inner.yaml").write_text(
        yaml.safe_dump([{"action": "add_extracts", "extracts": {"e": script}}])
    )
    params = {"condition": "cycle() > 3", "actions_file": "inner.yaml"}
    Path("sub/a.yaml").write_text(
        yaml.safe_dump([{"action": "add_triggers", "triggers": {"t": {"params": params}}}])
    )
    series = record_source.shared(COMM, record_source.open_file("record"))
    run, places = config.read_actions(Path("sub/a.yaml"))
    wanted, _ = actions.parse_for_record(run, places, {"density": 1})
    report = Replay(COMM, series, wanted, here / "out").run(moments(series))
    assert report.files == ["seen_5_2", "seen_10_3"]


def test_of_a_run_file_the_window_and_every_count(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = write(
        "run.yaml",
        {
            "fields": {"density": {}, "other": {"psnr": 40}},
            "window": {"every": 10, "steps": 2},
            "actions": [scene("s", "density", window="all")],
        },
    )
    found = figures(capsys, "record", given, "--out", "a")
    assert [Path(f).name for f in found["files"]] == ["s_00.png", "s_05.png", "s_10.png"]
    assert found["files"][0].startswith("a")
    found = figures(capsys, "record", given, "--out", "b", "--steps", "-1", "--window", "1")
    assert [Path(f).name for f in found["files"]] == ["s_10.png"] and found["cycles"] == [10]
    found = figures(capsys, "record", given, "--out", "b", "--steps", "2", "--window", "all")
    assert [Path(f).name for f in found["files"]] == ["s_00.png", "s_05.png", "s_10.png"]


def test_fields_that_are_not_recorded(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = write(
        "actions.yaml",
        [
            query("peak", "max(field('pressure'))"),
            query("rise", "peak - history(peak, relative_index=1)"),
            query("top", "max(field('height'))"),
            trigger("shock", "rise > 0", scene("d", "density"), scene("x", "pressure")),
            scene("p", "pressure"),
        ],
    )
    text = refused(capsys, "record", given)
    for words in (
        "record has the fields density, height, velocity; the actions read others",
        "query peak reads field 'pressure'",
        "query rise reads query 'peak'",
        "trigger shock reads query 'rise'",
        "actions.yaml:",
        "no field 'pressure'",
        "--results FILE reads results of queries",
        "--fire shock@CYCLE runs the actions of a trigger",
        "--skip-missing leaves these out",
        "cycles: 0, 5, 10",
    ):
        assert words in text, words
    assert not (here / "replay").exists()
    found = figures(capsys, "record", given, "--skip-missing")
    assert len(found["left_out"]) == 5 and found["fired"] == []
    assert [Path(file).name for file in found["files"]] == ["ascent_session.yaml"]
    found = figures(capsys, "record", given, "--skip-missing", "--fire", "shock@5")
    assert found["fired"] == [{"trigger": "shock", "cycle": 5}]
    assert [Path(file).name for file in found["files"]] == ["d_05.png", "ascent_session.yaml"]
    alone = write("pressure.yaml", [scene("p", "pressure")])
    assert "no action is left" in refused(capsys, "record", alone, "--skip-missing")
    speed = write("speed.yaml", [query("s", "max(magnitude(field('velocity')))")])
    assert figures(capsys, "record", speed)["cycles"] == [0, 5]


@pytest.mark.parallel([1, 3])
def test_results_of_the_run_stand_for_fields_that_are_not_recorded(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also those of steps that are not recorded: the trigger compares with cycle 9."""
    given = write(
        "actions.yaml",
        [
            query("peak", "max(field('pressure'))"),
            query("counts", "histogram(field('pressure'), 2)"),
            query("top", "max(field('height'))"),
            trigger("rise", "peak > 2 * history(peak, relative_index=1)", scene("d", "density")),
            trigger("low", "counts.max_val < 1 and peak.position.x > 0", scene("h", "height")),
        ],
    )
    place = {"position": {"value": [0.5, 0.5, 0.5], "type": "vector"}}
    attributes = {"min_val": {"value": 0.0}, "max_val": {"value": 0.5}, "num_bins": {"value": 2}}
    peaks = dict.fromkeys(range(11), 1.0) | {4: 9.0, 9: 1e-05}
    found = {
        "peak": {
            cycle: {"type": "value_position", "attrs": {"value": {"value": v}, **place},
                    "time": cycle / 10}
            for cycle, v in peaks.items()
        },
        "counts": {
            5: {"type": "histogram", "attrs": {"value": {"value": [1.0, 2.0]}, **attributes},
                "time": 0.5}
        },
        "top": {0: {"type": "double", "value": 7.0, "time": 0.0}},
    }  # fmt: skip
    results = write("ascent_session.yaml", found)
    did = figures(capsys, "record", given, "--results", results)
    assert did["fired"] == [{"trigger": "low", "cycle": 5}, {"trigger": "rise", "cycle": 10}]
    written = yaml.safe_load((here / "replay" / "ascent_session.yaml").read_text())
    assert list(written["peak"]) == list(range(11)) and list(written["top"]) == [0, 5, 10]
    assert written["top"][0]["attrs"]["value"]["value"] < 7  # of the record: it has the field
    del found["peak"]
    assert "query peak reads" in refused(capsys, "record", given, "--results", write("r", found))
    for bad in (["a"], {"peak": {1: {"value": 2}}}, {"peak": {"x": {"value": 2, "time": 1}}}):
        text = refused(capsys, "record", given, "--results", write("bad", bad))
        assert "bad: not the results of queries" in text
    assert "none: No such file" in refused(capsys, "record", given, "--results", "none")


def test_refusals_name_the_remedy(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = write("a.yaml", [trigger("late", "cycle() > 3", scene("s", "density"))])
    for words, arguments in {
        "--fire: 'late' is not of the form NAME@CYCLE": ("--fire", "late"),
        "no trigger 'lat'; did you mean 'late'": ("--fire", "lat@5"),
        "cycle 6 is not recorded; recorded cycles: 0, 5, 10": ("--fire", "late@6"),
        "--steps: no step 3; record has 3 steps": ("--steps", "3"),
        "--window: '0' is neither": ("--window", "0"),
        "--field: no field 'densty'; did you mean 'density'": ("--field", "densty"),
        "the fields height; the actions read others": ("--field", "height"),
        "--out: a.yaml is not a folder": ("--out", "a.yaml"),
    }.items():
        assert words in refused(capsys, "record", given, *arguments), words
    assert "nothing: no such file or folder" in refused(capsys, "nothing", given)
    assert "none.yaml: No such file" in refused(capsys, "record", "none.yaml")
    bad = write("bad.yaml", [scene("s", "density", windw=2)])
    assert "did you mean 'window'" in refused(capsys, "record", bad)
    vector = write("vector.yaml", [query("q", "max(field('velocity'))")])
    assert "query q: this is a vector field" in refused(capsys, "record", vector)


def test_what_fails_is_told_and_the_rest_is_done(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fails = {"e": {"type": "python", "params": {"source": "1 / (cycle - 5)"}}}
    given = write("a.yaml", [{"action": "add_extracts", "extracts": fails}, scene("s", "density")])
    capsys.readouterr()
    assert main(["replay", "record", given]) == 3
    found = capsys.readouterr()
    assert "extract e: rank 0: ZeroDivisionError" in found.err and "1 action failed" in found.err
    assert "s_00.png" in found.out and "0 to 10, 3 steps" in found.out
    assert (here / "replay" / "s_10.png").is_file()


@pytest.mark.parallel([1, 3])
def test_an_insitu_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if COMM.rank == 0:
        insitu.compress(waves((20, 16, 12)), psnr=35, block=10, name="waves").save("w.insitu")
    COMM.barrier()
    given = write(
        "a.yaml", [query("mean", "avg(field('waves'))"), scene("s", "waves", window="all")]
    )
    found = figures(capsys, "w.insitu", given, "--out", "out")
    assert found["files"] == ["out/s_00.png", "out/ascent_session.yaml"]
    results = yaml.safe_load(Path("out/ascent_session.yaml").read_text())
    assert results["mean"][0]["value"] == pytest.approx(waves((20, 16, 12)).mean(), abs=0.02)
