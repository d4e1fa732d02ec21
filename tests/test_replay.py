"""A record replayed gives the pictures that the run gave, on any number of ranks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI
from PIL import Image

import insitu
from insitu import actions, config
from insitu.core.errors import ConfigError
from insitu.metrics import psnr
from insitu.queries.triggers import Event
from insitu.session.replay import Replay, Report, moments
from insitu.store.record import open_record
from insitu.store.shared_series import SharedSeries
from tests.support.moving import Moving

COMM = MPI.COMM_WORLD
NETWORK = {"log2_hashmap_size": 9, "n_levels": 2}
LOOK = {"image_width": 72, "image_height": 64, "annotations": "false"}
HEARD: list[Event] = []

ACTIONS = yaml.safe_load("""
- action: add_queries
  queries:
    q1: {params: {name: peak, expression: "max(field('density'))"}}
    q2:
      params:
        name: change
        expression: avg(abs(field('density') - field('density', step=-1)))
    q3: {params: {name: whirl, expression: "avg(curl(field('velocity')).z)"}}
- action: add_triggers
  triggers:
    late:
      params:
        condition: cycle() >= 6 and peak > history(peak, relative_index=1)
        mode: edge
        actions:
          - action: add_pipelines
            pipelines:
              shell: {f: {type: contour, params: {field: density, iso_values: 0.6}}}
              plane: {f: {type: slice, params: {point: [0.5, 0.5, 0.45], normal: [0, 0, 1]}}}
              paths: {f: {type: pathlines, params: {field: velocity, rendering: {tube_size: 0.02},
                seeds: {type: isosurface, field: density, iso_value: 0.6, num_seeds: 20}}}}
          - action: add_scenes
            scenes:
              shell: {plots: {p: {type: pseudocolor, pipeline: shell, field: velocity}}}
              plane: {plots: {p: {type: pseudocolor, pipeline: plane, field: density}}}
              paths:
                plots:
                  p: {type: pseudocolor, pipeline: paths, field: time}
                  q: {type: volume, field: density}
          - action: add_extracts
            extracts:
              saved: {type: relay, params: {path: saved, protocol: numpy, fields: [density]}}
- action: add_scenes
  scenes:
    volume: {window: 2, plots: {p: {type: volume, field: density}}}
- action: add_extracts
  extracts:
    film: {type: movie, window: 3, params: {scene: volume, path: film_%02d.gif}}
""")


def run_file(folder: Path) -> dict[str, Any]:
    """Every second of 6 steps is recorded; pictures are small."""
    given = yaml.safe_load(yaml.safe_dump(ACTIONS))
    for entry in (given[1]["triggers"]["late"]["params"]["actions"][1], given[2]):
        for name, scene in entry["scenes"].items():
            scene["renders"] = {"r": {"image_prefix": f"{name}_%02d", **LOOK}}
    return {
        "fields": {"density": {"psnr": 38, "network": NETWORK},
                   "velocity": {"psnr": 42}},
        "window": {"steps": 3, "every": 2},
        "actions": given,
        "record": {"path": str(folder / "record"), "on": ["trigger", "end"]},
        "output": str(folder / "run"),
        "on_error": "raise",
    }  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run by all ranks, its record, and its run file."""
    folder = Path(COMM.bcast(tmp_path_factory.mktemp("ran")))
    settings = run_file(folder)
    session = insitu.open(settings, COMM)
    simulation = Moving(COMM, steps=6)
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        session.execute()
    session.close()
    if COMM.rank == 0:
        (folder / "run.yaml").write_text(yaml.safe_dump(settings))
    COMM.barrier()
    return folder


def replayed(comm: MPI.Comm, folder: Path, name: str, **options: Any) -> Report:
    """Replay the record into the folder `name`, by its run file."""
    series = SharedSeries(comm, open_record(folder / "record"))
    run, places = config.read_actions(folder / "run.yaml")
    kinds = {name: n for name, (_, n) in series.kinds.items()}
    wanted, left_out = actions.parse_for_record(run, places, kinds)
    assert left_out == []
    options = {"window": run.window.steps, "every": run.window.every, **options}
    report = Replay(comm, series, wanted, folder / name, **options).run(moments(series))
    comm.barrier()
    return report


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(float)


@pytest.mark.parallel(3)
def test_pictures_are_those_of_the_run(ran: Path) -> None:
    report = replayed(COMM, ran, "same")
    assert report.failed == [] and report.cycles == [2, 4, 6]
    assert report.fired == [("late", 6)]
    if COMM.rank > 0:
        return
    assert replayed(MPI.COMM_SELF, ran, "alone").failed == []
    names = {p.relative_to(ran / "run") for p in (ran / "run").rglob("*") if p.is_file()}
    names.remove(Path("insitu_timings.csv"))  # a replay trains nothing
    pictures = sorted(name for name in names if name.suffix == ".png")
    assert len(pictures) == 3 + 3  # of the volume at its steps, and those of the trigger
    for folder in ("same", "alone"):
        there = {p.relative_to(ran / folder) for p in (ran / folder).rglob("*") if p.is_file()}
        assert there == names - {Path("insitu_timings.csv")}  # a replay takes no time of a run
    for name in pictures:
        own, same, alone = (pixels(ran / f / name) for f in ("run", "same", "alone"))
        assert np.ptp(own, axis=2).max() > 60, name
        np.testing.assert_array_equal(same, own, str(name))  # the same blocks on the same ranks
        # Fewer ranks blend layers in another order: rounding, to the next of 256 levels.
        assert np.abs(alone - own).max() <= 1, name
        assert psnr(alone, own, 255.0) > 60, name
    for name in names:
        if name.suffix == ".npz":
            saved = [np.load(ran / f / name) for f in ("run", "same", "alone")]
            for key in saved[0]:
                for other in saved[1:]:  # grid lines that are even are kept as their two ends
                    np.testing.assert_allclose(
                        other[key], saved[0][key], rtol=1e-15 * (key in "xyz")
                    )


@pytest.mark.parallel(3)
def test_queries_read_recorded_fields(ran: Path) -> None:
    """Of the present the decoded ones, with their neighbours' samples; and the steps before."""
    replayed(COMM, ran, "same")
    if COMM.rank > 0:
        return
    replayed(MPI.COMM_SELF, ran, "alone")
    run, same, alone = (
        yaml.safe_load((ran / f / "ascent_session.yaml").read_text())
        for f in ("run", "same", "alone")
    )
    assert sorted(same) == ["change", "peak", "whirl"] and list(same["peak"]) == [2, 4, 6]
    record = open_record(ran / "record")
    for i, cycle in enumerate((2, 4, 6)):
        now = record["density"].sel(cycle=cycle).decode()
        peak = same["peak"][cycle]["attrs"]["value"]["value"]
        assert peak == now.max() and same["peak"][cycle]["time"] == pytest.approx(cycle / 20)
        assert peak == pytest.approx(run["peak"][cycle]["attrs"]["value"]["value"], rel=0.05)
        if i:
            before = record["density"].sel(cycle=cycle - 2).decode()
            change = np.abs(now - before).mean()
            assert same["change"][cycle]["value"] == pytest.approx(change, rel=1e-5)
        u, v = record["velocity"].sel(cycle=cycle).decode()[..., :2].transpose(3, 0, 1, 2)
        whirl = 24 * np.gradient(v, axis=2) - 16 * np.gradient(u, axis=1)
        # Blocks differ where they meet, and each one's own values count in its differences.
        assert same["whirl"][cycle]["value"] == pytest.approx(whirl.mean(), rel=0.05)
        for name in ("peak", "change", "whirl"):
            found = [
                r[name][cycle].get("value", r[name][cycle].get("attrs")) for r in (same, alone)
            ]
            np.testing.assert_equal(found[0], found[1])


def test_all_steps_or_as_many_as_are_said(ran: Path) -> None:
    replayed(COMM, ran, "all", window="all")
    replayed(COMM, ran, "one", window=1, every=6)
    with Image.open(ran / "all" / "film_06.gif") as movie:
        assert movie.n_frames == 3
    with Image.open(ran / "one" / "film_06.gif") as movie:
        assert getattr(movie, "n_frames", 1) == 1
    assert not (ran / "one" / "film_04.gif").exists()


@pytest.mark.parallel([1, 3])
def test_a_trigger_set_off_by_hand(ran: Path) -> None:
    series = SharedSeries(COMM, open_record(ran / "record"), ["density"])
    run, places = config.read_actions(ran / "run.yaml")
    wanted, left_out = actions.parse_for_record(run, places, {"density": 1})
    assert len(left_out) == 2  # shell is coloured by the velocity, which paths follow
    wanted, absent = actions.without_fields(wanted, ["density"], ["late"])
    assert absent == ["query whirl reads field 'velocity'"]
    replay = Replay(COMM, series, wanted, ran / "hand", fire={"late": [2, 4]})
    report = replay.run(moments(series)[:2])
    assert report.fired == [("late", 2), ("late", 4)] and report.failed == []
    COMM.barrier()
    assert (ran / "hand" / "plane_02.png").is_file() and (ran / "hand" / "saved_000004").is_dir()
    assert not (ran / "hand" / "shell_02.png").exists()


def listen(event: Event) -> None:
    """What the test below names as tests.test_replay:listen."""
    HEARD.append(event)


def small(series: SharedSeries, given: Any, folder: Path, **options: Any) -> Replay:
    run, places = config.read({"actions": given})
    kinds = {name: n for name, (_, n) in series.kinds.items()}
    wanted, _ = actions.parse_for_record(run, places, kinds)
    return Replay(series.comm, series, wanted, folder, **options)


@pytest.mark.parallel([1, 3])
def test_callbacks_and_failures(ran: Path) -> None:
    series = SharedSeries(COMM, open_record(ran / "record"))
    trigger = {"condition": "cycle() == 4", "callback": "tests.test_replay:listen", "actions": []}
    fails = {"type": "python", "params": {"source": "if comm.rank == comm.size - 1: 1 / 0"}}
    given = [
        {"action": "add_triggers", "triggers": {"t": {"params": trigger}}},
        {"action": "add_extracts", "extracts": {"e": fails}},
    ]
    HEARD.clear()
    told: list[str] = []
    report = small(series, given, ran / "out", tell=told.append).run(moments(series))
    assert [event.cycle for event in HEARD] == [4]
    assert [e.summary.cycle for e in HEARD[0].window.entries("density")] == [2, 4, 6]  # moved on
    assert len(report.failed) == 3 and report.failed == told
    assert f"extract e: rank {COMM.size - 1}: ZeroDivisionError" in report.failed[0]

    trigger = {"callback": "later", "actions": []}
    given = [{"action": "add_triggers", "triggers": {"t": {"params": trigger}}}]
    with pytest.raises(Exception, match="'later' is known only to the program"):
        small(series, given, ran / "out")
    trigger["condition"] = "cycle() == 4"
    told.clear()
    small(series, given, ran / "out", tell=told.append)
    assert told == ["trigger t: callback 'later' is not called"]


def test_expressions_must_fit_the_window_and_the_fields(ran: Path) -> None:
    series = SharedSeries(COMM, open_record(ran / "record"))
    text = "max(field('density', step=-2))"
    query = {"q": {"params": {"name": "q", "expression": text}}}
    given = [{"action": "add_queries", "queries": query}]
    small(series, given, ran / "out")
    with pytest.raises(
        ConfigError, match="query q: this reads 2 steps back and the window keeps 1"
    ):
        small(series, given, ran / "out", window=1)
    query["q"]["params"]["expression"] = "max(curl(field('density')).x)"
    with pytest.raises(ConfigError, match="curl expects a vector field"):
        small(series, given, ran / "out")
