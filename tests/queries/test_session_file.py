"""ascent_session.yaml: what any YAML reader finds in it."""

import math

import pytest
import yaml

from insitu.queries import known_results, session_file
from insitu.queries.binnings import uniform
from insitu.queries.expressions import Expression
from insitu.queries.restart import Earlier, SessionFile
from insitu.queries.scalars import Constant, Result
from insitu.queries.trigger_state import TriggerState
from insitu.queries.values import (
    ARRAY,
    BIN,
    BINNING,
    BOX,
    CONDITION,
    EXTREMUM,
    HISTOGRAM,
    LINEOUT,
    NUMBER,
    VECTOR,
    Bin,
    BinAxis,
    Binning,
    Box,
    Extremum,
    Histogram,
    Lineout,
)


def test_results_are_found_by_name_and_cycle(tmp_path):
    values = {
        "max_density": (EXTREMUM, Extremum(1.99993896548026, (4.921875, 4.921875, 10.078125))),
        "rise: odd": (NUMBER, 1e-05),
        "big": (NUMBER, -1e300),
        "missing": (NUMBER, math.nan),
        "endless": (NUMBER, -math.inf),
        "hot": (CONDITION, True),
        "where": (VECTOR, (1.0, 2.0, 3e20)),
        "range": (ARRAY, (0.5, math.inf)),
        "counts": (HISTOGRAM, Histogram((1.0, 2.0), -1.0, 1.0)),
    }
    results = {
        name: [Result(10, 0.25, value), Result(15, 0.5, value)]
        for name, (_, value) in values.items()
    }
    path = tmp_path / "new" / session_file.SESSION_FILE
    session_file.write(path, {**results, "never": []}, {n: k for n, (k, _) in values.items()})
    assert [p.name for p in path.parent.iterdir()] == ["ascent_session.yaml"]
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert found["max_density"][10] == {
        "type": "value_position",
        "attrs": {
            "value": {"value": 1.99993896548026, "type": "double"},
            "position": {"value": [4.921875, 4.921875, 10.078125], "type": "vector"},
        },
        "time": 0.25,
    }
    assert found["max_density"][15]["time"] == 0.5
    assert found["rise: odd"][10] == {"type": "double", "value": 1e-05, "time": 0.25}
    assert found["big"][10]["value"] == -1e300
    assert math.isnan(found["missing"][10]["value"])
    assert found["endless"][10]["value"] == -math.inf
    assert found["hot"][10] == {"type": "bool", "value": True, "time": 0.25}
    assert found["where"][10]["value"] == [1.0, 2.0, 3e20]
    assert found["range"][10]["value"] == [0.5, math.inf]
    assert found["counts"][10]["attrs"] == {
        "value": {"value": [1.0, 2.0], "type": "array"},
        "min_val": {"value": -1.0, "type": "double"},
        "max_val": {"value": 1.0, "type": "double"},
        "num_bins": {"value": 2, "type": "int"},
    }
    assert found["never"] == {}


def test_a_repeated_cycle_has_its_last_result(tmp_path):
    path = tmp_path / session_file.SESSION_FILE
    session_file.write(path, {"n": [Result(3, 0.1, 1.0), Result(3, 0.1, 2.0)]}, {"n": NUMBER})
    assert yaml.safe_load(path.read_text())["n"] == {
        3: {"type": "double", "value": 2.0, "time": 0.1}
    }


def number_query(text="max(field('u'))"):
    return Expression(text, Constant(1.0), NUMBER, {}, {}, {})


def test_what_a_restart_replaces_is_told_once_it_is_written(tmp_path, monkeypatch):
    path, kinds = tmp_path / session_file.SESSION_FILE, {"peak": NUMBER}
    session_file.write(path, {"peak": [Result(c, float(c), 1.0) for c in (1, 2, 3, 4)]}, kinds)
    file, new = SessionFile(path, {"peak": number_query()}), {"peak": [Result(3, 3.0, 2.0)]}
    file.resume(3, {})
    new["peak"][:0] = [Result(1, 1.0, 1.0), Result(2, 2.0, 1.0)]

    def fails(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fails)
        with pytest.raises(OSError, match="No space left"):
            file.write(new)
    told = f"{path}: continued at cycle 3; replaces its cycles 3 to 4"
    assert [file.write(new), file.write(new)] == [told, ""]
    found = yaml.safe_load(path.read_text(encoding="utf-8"))["peak"]
    assert {cycle: result["value"] for cycle, result in found.items()} == {1: 1.0, 2: 1.0, 3: 2.0}


@pytest.mark.parametrize("written_by_ascent", [False, True])
def test_a_restart_has_the_results_of_the_same_expressions(tmp_path, written_by_ascent):
    path = tmp_path / session_file.SESSION_FILE
    top = number_query("max(field('u'))")
    first = SessionFile(path, {"peak": top, "other": top})
    assert first.resume(1, {"t": "peak > 1"}) == Earlier()
    results = [Result(c, c / 2, float(c)) for c in (1, 2, 3)]
    state = TriggerState([1, 3], [(1, True), (2, False), (3, True)])
    first.write({"peak": results, "other": results}, {"t": ("peak > 1", state)})
    if written_by_ascent:  # without the comment
        path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    queries = {"peak": top, "other": number_query("min(field('u'))"), "new": top}
    second = SessionFile(path, queries)
    found = second.resume(3, {"t": "peak > 1", "late": "peak > 2"})
    assert found.results["peak"] == results[:2]
    assert ("other" in found.results) == written_by_ascent  # nothing says of which expression
    assert found.states == (
        {} if written_by_ascent else {"t": TriggerState([1], [(1, True), (2, False)])}
    )
    assert found.told.endswith(f": continued from cycles 1 to 2 of {path}") and not found.problem
    assert SessionFile(path, queries).resume(3, {"t": "peak > 5"}).states == {}
    assert SessionFile(path, queries, overwrite=True).resume(3, {}) == Earlier()
    second.write({"peak": [*results[:2], Result(5, 5.0, 7.0)], "other": [], "new": []})
    after = yaml.safe_load(path.read_text())
    assert sorted(after["peak"]) == [1, 2, 5] and sorted(after["other"]) == [1, 2]


@pytest.mark.parametrize(
    "text", ["notes: [", "# insitu: {", "peak: {1: {type: double}}\n", "- 1\n"]
)
def test_a_file_that_cannot_be_understood_is_told_and_kept(tmp_path, text):
    path = tmp_path / session_file.SESSION_FILE
    path.write_text(text)
    file = SessionFile(path, {"peak": number_query()})
    problem = file.resume(3, {}).problem
    assert str(path) in problem and "queries and triggers begin anew" in problem
    told = file.write({"peak": [Result(3, 3.0, 2.0)]})
    assert "of an earlier run is now" in told
    assert (tmp_path / "ascent_session.1.yaml").read_text() == text


def test_structured_results_come_back_as_they_were(tmp_path):
    axes = (BinAxis("x", (0.0, 1.0, 4.0), clamp=True), uniform("p: q", 2, -1.0, 1.0, False))
    values = {
        "binning": (BINNING, Binning((1.0, 2.0, 0.0, -4.0), "p", "max", axes)),
        "no axes yet": (BINNING, Binning((), "", "", ())),
        "bin": (BIN, Bin(2.0, 0.0, 1.0, 0.5)),
        "box": (BOX, Box((0.0, 1.0, 2.0), (3.0, 4.0, 5.0))),
        "line": (LINEOUT, Lineout((0.0,), (1.0,), (2.0,), (("p: q", (3.0,)),), -1.0)),
        "no line yet": (LINEOUT, Lineout((), (), (), (), -1.0)),
        "counts": (HISTOGRAM, Histogram((1.0, 2.0), -1.0, 1.0)),
        "top": (EXTREMUM, Extremum(2.0, (0.0, 1.0, 2.0))),
    }
    path = tmp_path / session_file.SESSION_FILE
    results = {name: [Result(3, 0.5, value)] for name, (_, value) in values.items()}
    session_file.write(path, results, {name: kind for name, (kind, _) in values.items()})
    found = known_results.read(path)
    assert {name: steps[3].value for name, steps in found.items()} == {
        name: value for name, (_, value) in values.items()
    }


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ("", False),
        ("the same", False),
        ("fewer", False),
        ("other cycles", True),
        ("another value", True),
        ("another query", True),
        ("notes of somebody", True),
    ],
)
def test_a_replay_keeps_other_results(tmp_path, there, kept):
    path, kinds = tmp_path / session_file.SESSION_FILE, {"peak": NUMBER, "other": NUMBER}
    new = {"peak": [Result(c, float(c), 1.0) for c in (1, 2)]}
    old = {
        "the same": new,
        "fewer": {"peak": new["peak"][:1]},
        "other cycles": {"peak": [*new["peak"], Result(3, 3.0, 1.0)]},
        "another value": {"peak": [Result(1, 1.0, 5.0)]},
        "another query": {"other": new["peak"]},
    }.get(there)
    if old is not None:
        session_file.write(path, old, kinds)
    elif there:
        path.write_text(there)
    before = path.read_bytes() if there else b""
    aside = session_file.write_beside(path, new, kinds)
    assert set(yaml.safe_load(path.read_text())["peak"]) == {1, 2}
    assert (aside is not None) == kept == (len(list(tmp_path.iterdir())) == 2)
    if aside is not None:
        assert aside.name == "ascent_session.1.yaml" and aside.read_bytes() == before
