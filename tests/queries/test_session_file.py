"""ascent_session.yaml: what any YAML reader finds in it."""

import math

import pytest
import yaml

from insitu.queries import known_results, session_file
from insitu.queries.binnings import uniform
from insitu.queries.scalars import Result
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


def test_what_a_restart_replaces_is_told_once_it_is_written(tmp_path, monkeypatch):
    path, kinds = tmp_path / session_file.SESSION_FILE, {"peak": NUMBER}
    session_file.write(path, {"peak": [Result(c, float(c), 1.0) for c in (1, 2, 3, 4)]}, kinds)
    file, new = session_file.SessionFile(path), {"peak": [Result(3, 3.0, 2.0)]}

    def fails(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fails)
        with pytest.raises(OSError, match="No space left"):
            file.write(new, kinds)
    told = f"{path}: continued at cycle 3; replaces its cycles 3 to 4"
    assert [file.write(new, kinds), file.write(new, kinds)] == [told, ""]
    found = yaml.safe_load(path.read_text(encoding="utf-8"))["peak"]
    assert {cycle: result["value"] for cycle, result in found.items()} == {1: 1.0, 2: 1.0, 3: 2.0}


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
