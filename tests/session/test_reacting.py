"""A session that reacts: what is trained and when, callbacks, the past of fields, query results."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError
from tests.support.moving import Moving
from tests.support.sessions import steps

COMM = MPI.COMM_WORLD
FIELD = {"iterations": 20, "network": {"log2_hashmap_size": 9, "n_levels": 2}}
HEARD: list[Any] = []
LISTEN = "tests.session.test_reacting:listen"


def listen(event: Any) -> None:
    """What run files name as LISTEN."""
    HEARD.append(event)


def scene(prefix: str, field: str = "density", window: Any = 1) -> dict[str, Any]:
    render = {"image_prefix": prefix, "image_width": 16, "image_height": 16}
    plots = {"p": {"type": "volume", "field": field}}
    scenes = {prefix: {"plots": plots, "renders": {"r": render}, "window": window}}
    return {"action": "add_scenes", "scenes": scenes}


def queries(**expressions: str) -> dict[str, Any]:
    found = {n: {"params": {"expression": e, "name": n}} for n, e in expressions.items()}
    return {"action": "add_queries", "queries": found}


def trigger(name: str = "t", **params: Any) -> dict[str, Any]:
    return {"action": "add_triggers", "triggers": {name: {"params": {"actions": [], **params}}}}


def run_file(folder: Path, *actions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Records every second of 8 steps; nothing reads what is recorded unless `actions` do."""
    return {
        "fields": {"density": FIELD, "velocity": FIELD},
        "window": {"steps": 3, "every": 2},
        "actions": list(actions),
        "output": str(folder),
        "on_error": "raise",
        **changes,
    }


def empty_last(rank: int, size: int) -> int:
    """The last of several ranks has no domain."""
    return 0 if rank == size - 1 and size > 1 else 1


DUE = [2, 4, 6, 8]
FIRES = "cycle() == 5"  # not a step of the window


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("actions", "changes", "expected"),
    [
        # Fields alone are recorded.
        ([], {}, {"density": DUE, "velocity": DUE}),
        # Nobody reads: nothing is trained, whatever queries ask of the raw data.
        ([queries(a="max(field('density'))"), trigger(condition="a > 0")], {}, {}),
        # A record, or a window that is wanted whole, reads all fields at every step of the window.
        ([], {"record": True}, {"density": DUE, "velocity": DUE}),
        (
            [],
            {"window": {"steps": 3, "every": 2, "keep": "all"}},
            {"density": DUE, "velocity": DUE},
        ),
        (
            [trigger(condition=FIRES)],
            {"record": True},
            {"density": [2, 4, 5, 6, 8], "velocity": [2, 4, 5, 6, 8]},
        ),
        # A scene reads its field when it is due.
        ([scene("s")], {}, {"density": DUE}),
        # A trigger's scene reads it when the trigger fires ...
        ([trigger(condition=FIRES, actions=[scene("s", "velocity")])], {}, {"velocity": [5]}),
        ([trigger(condition="cycle() > 99", actions=[scene("s")])], {}, {}),
        # ... but if it shows a window, at every step of that, until it cannot fire any more.
        (
            [trigger(condition=FIRES, actions=[scene("s", window=2)])],
            {},
            {"density": [2, 4, 5, 6, 8]},
        ),
        (
            [trigger(condition=FIRES, actions=[scene("s", window="all")], max_firings=1)],
            {},
            {"density": [2, 4, 5]},
        ),
        # Expressions read the past of fields at every step of the window.
        ([queries(a="avg(field('density', step=-2))")], {}, {"density": DUE}),
        ([trigger(condition="max(window('velocity', 2).x) > 9")], {}, {"velocity": DUE}),
        (
            [trigger(condition="max(window('velocity', 2).x) > -9", max_firings=1)],
            {},
            {},
        ),
        # All of these at the same steps, those between included at which another field is.
        (
            [
                queries(a="avg(field('density', step=-2))"),
                trigger(condition=FIRES, actions=[scene("s", "velocity")]),
            ],
            {},
            {"density": [2, 4, 5, 6, 8], "velocity": [5]},
        ),
        # The present step alone needs no network.
        ([queries(a="max(field('density', step=0)) + max(window('density', 1))")], {}, {}),
        # A function may look at any field.
        (
            [trigger(condition=FIRES, callback=LISTEN, max_firings=1)],
            {},
            {"density": [2, 4, 5], "velocity": [2, 4, 5]},
        ),
    ],
)
def test_what_is_trained(
    folder: Path,
    trainings: list[tuple[int, str]],
    actions: list[Any],
    changes: dict[str, Any],
    expected: dict[str, list[int]],
) -> None:
    if changes.get("record"):
        changes = {"record": {"path": str(folder / "record"), "scratch": str(folder)}}
    session = insitu.open(run_file(folder, *actions, **changes), COMM)
    steps(session, Moving(COMM, steps=8, domains=empty_last))
    session.close()
    found: dict[str, list[int]] = {}
    for cycle, name in trainings:
        found.setdefault(name, []).append(cycle)
    assert found == expected
    assert max(Counter(trainings).values(), default=1) == 1


@pytest.mark.parallel([1, 3])
def test_expressions_over_recorded_steps(folder: Path) -> None:
    """A field that moves differs from its past by what its networks say, and triggers see it."""
    past = "avg(abs(field('density') - field('density', step=-2)))"
    actions = [
        queries(moved=past, highest="max(window('density', 4))", mean="avg(field('density'))"),
        trigger("was", condition=f"{past} > 0", max_firings=1),
    ]
    session = insitu.open(run_file(folder, *actions), COMM)
    simulation = Moving(COMM, steps=7, domains=empty_last)
    fired = []
    moved: dict[int, float] = {}
    while not simulation.done:
        simulation.step()
        entries = session.window.entries("density") if session.window.names else []
        if len(entries) >= 2:
            differences = [0.0, 0.0]
            for field, slab in zip(entries[-2].open().fields, simulation.slabs, strict=True):
                now = simulation.arrays[slab[0], "density"][1:-1, 1:-1, 1:-1]
                differences[0] += float(np.abs(now - field.decode()).sum())
                differences[1] += now.size
            whole = [COMM.allreduce(d) for d in differences]
            moved[simulation.cycle] = whole[0] / whole[1]
        session.publish(simulation.mesh())
        report = session.execute()
        fired += [report.cycle] if report and "was" in report.fired else []
    session.close()
    COMM.barrier()
    found = yaml.safe_load((folder / "ascent_session.yaml").read_text())
    assert sorted(moved) == [5, 6, 7] and fired == [5]
    for cycle in range(1, 8):
        value = found["moved"][cycle]["value"]
        assert value == pytest.approx(moved.get(cycle, np.nan), nan_ok=True)
    highest = [found["highest"][c]["attrs"]["value"]["value"] for c in range(1, 8)]
    assert highest == sorted(highest)  # the peak rises


@pytest.mark.parallel(3)
@pytest.mark.parametrize("ghosts", ["trust", "ignore", "exchange"])
def test_derivatives_take_the_ghosts_that_are_asked_for(folder: Path, ghosts: str) -> None:
    action = queries(
        curl="max(magnitude(vorticity(field('velocity'))))", n="sum(gradient(field('density')).x)"
    )
    found = {}
    for comm in (COMM, MPI.COMM_SELF):
        session = insitu.open(run_file(folder, action, ghosts=ghosts), comm)
        steps(session, Moving(comm, steps=2))
        results = session._steps.reactions.results
        found[comm.size] = [results["curl"][-1].value.value, results["n"][-1].value]
        session.close()
    if ghosts != "ignore":
        assert found[COMM.size] == pytest.approx(found[1], rel=1e-9)
    else:
        assert found[COMM.size] == pytest.approx(found[1], rel=0.2)


@pytest.mark.parallel([1, 3])
def test_callbacks_from_the_run_file_and_from_python(folder: Path) -> None:
    HEARD.clear()
    asked, told = [], []
    actions = [
        queries(peak="max(field('density'))"),
        trigger("a", condition="cycle() % 3 == 0", callback=LISTEN),
        trigger("b", callback="mine", mode="edge"),
    ]
    session = insitu.open(run_file(folder, *actions), COMM)

    def mine(event: Any) -> bool:
        asked.append(event.cycle)
        return event.cycle in (4, 5)

    session.on("mine", mine)
    session.on("b", told.append)
    session.on("b", lambda event: told.append(event.trigger))
    with pytest.raises(ConfigError, match="on: no trigger or callback 'mien'; did you mean 'mine'"):
        session.on("mien", mine)
    reports = steps(session, Moving(COMM, steps=6))
    assert [(r.cycle, r.fired) for r in reports if r and r.fired] == [
        (3, ("a",)),
        (4, ("b",)),
        (6, ("a",)),
    ]
    assert asked == [1, 2, 3, 4, 5, 6]
    assert [event.cycle for event in HEARD] == [3, 6]
    assert (told[0].cycle, told[1]) == (4, "b")
    assert told[0].results["peak"].value > 1
    assert told[0].window is session.window
    assert session.window.entries("velocity")[-1].summary.cycle == 6
    session.close()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("on_error", ["warn", "raise"])
@pytest.mark.parametrize("decides", [False, True])
def test_callbacks_that_fail(
    folder: Path, on_error: str, decides: bool, caplog: pytest.LogCaptureFixture
) -> None:
    condition = {} if decides else {"condition": "cycle() == 2"}
    actions = [scene("s"), trigger(callback="bad", **condition)]
    session = insitu.open(run_file(folder, *actions, on_error=on_error), COMM)

    def bad(event: Any) -> bool:
        if event.cycle == 2 and COMM.rank == COMM.size - 1:
            raise OSError("lost")
        return False

    session.on("bad", bad)
    simulation = Moving(COMM, steps=2)
    simulation.step()
    session.publish(simulation.mesh())
    session.execute()
    simulation.step()
    session.publish(simulation.mesh())
    if on_error == "raise":
        with pytest.raises(RemoteError, match="lost"):
            session.execute()
    else:
        # What else was due is done.
        report = session.execute()
        assert report is not None and [Path(f).name for f in report.files] == ["s_000002.png"]
        if COMM.rank == 0:
            assert "lost" in caplog.text
    session.close()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("callback", "problem"),
    [
        ("no_such_module:f", "trigger t: callback: no module 'no_such_module'"),
        ("tests.session.test_reacting:lisen", "has no 'lisen'; did you mean 'listen'"),
        ("tests.session.test_reacting:HEARD", "is a list, not a function"),
        (":f", "':f' is not module:function"),
    ],
)
def test_callbacks_that_are_not_there(folder: Path, callback: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        insitu.open(run_file(folder, trigger(callback=callback)), COMM)


@pytest.mark.parallel([1, 3])
def test_what_is_wrong_is_said_at_the_start(folder: Path) -> None:
    """Fields that are not published, or not what an expression takes them for; with the place."""
    actions = [
        queries(a="max(field('denisty'))", b="max(field('velocity'))"),
        trigger(condition="max(curl(field('density')).x) > 1"),
    ]
    mesh = Moving(COMM).mesh()
    session = insitu.open(run_file(folder, *actions), COMM)
    with pytest.raises(ConfigError, match="query a: unknown field 'denisty'; did you mean 'den"):
        session.check(mesh)
    session.close()
    session = insitu.open(run_file(folder, queries(b="max(field('velocity'))"), actions[1]), COMM)
    with pytest.raises(ConfigError) as caught:
        session.check(mesh)
    first, second = caught.value.problems
    assert first.startswith("query b: this is a vector field") and first.endswith("        ^")
    assert second.startswith("trigger t: curl expects a vector field of 3 components")
    session.close()
    session = insitu.open(run_file(folder, trigger(callback="later")), COMM)
    with pytest.raises(ConfigError, match=r"nothing is registered as 'later'; call session\.on"):
        session.check(mesh)
    session.close()


@pytest.mark.parallel([1, 3])
def test_query_results_are_written(folder: Path) -> None:
    action = queries(
        peak="max(field('density'))", high="peak > 1.2", n="histogram(field('density'), 4)"
    )
    session = insitu.open(run_file(folder, action), COMM)
    simulation = Moving(COMM, steps=3, domains=empty_last)
    steps(session, simulation)
    summary = session.close()
    COMM.barrier()
    assert summary.files == (str(folder / "ascent_session.yaml"),)
    found = yaml.safe_load((folder / "ascent_session.yaml").read_text())
    assert {name: sorted(steps) for name, steps in found.items()} == {
        name: [1, 2, 3] for name in ("peak", "high", "n")
    }
    assert found["peak"][3]["type"] == "value_position"
    assert found["peak"][3]["attrs"]["value"]["value"] > 1.2 and found["high"][3]["value"] is True
    assert sum(found["n"][3]["attrs"]["value"]["value"]) == np.prod(simulation.whole)
    assert found["n"][3]["time"] == pytest.approx(0.15)
