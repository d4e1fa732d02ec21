"""The comparison: our own bytes, and the table that does not flatter them.

In: small volumes with three different lengths. Out: nothing but pass or fail.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import rate_distortion
from equal_quality import Outcome
from rate_distortion import BEST, OURS, SPARSE, best_tables, network, print_table, reached

SHAPE = (19, 28, 37)
Z, Y, X = np.meshgrid(*(np.linspace(0, 1, n) for n in SHAPE), indexing="ij")
VALUES = (np.sin(3 * X + 2 * Y) * np.cos(Z)).astype(np.float32)


def test_our_bytes_reach_what_is_said_of_them() -> None:
    outcome = network(VALUES, 30.0)
    assert outcome.psnr >= 30.0
    assert outcome.nbytes < VALUES.nbytes
    assert outcome.encode_seconds > 0 and outcome.decode_seconds > 0


def test_a_table_is_what_was_asked_for() -> None:
    small, large = network(VALUES, 30.0, 6), network(VALUES, 30.0, 9)
    assert (small.setting, large.setting) == (6, 9)


def test_the_best_table_is_no_larger_than_another_that_reaches_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_distortion, "TABLES", (8, 12))
    targets = [25.0, 30.0]
    for target, outcome in zip(targets, best_tables(VALUES, targets, [np.inf] * 2), strict=True):
        assert reached(outcome, target)
        others = [network(VALUES, target, table) for table in (8, 12)]
        smallest = min(o.nbytes for o in others if reached(o, target))
        assert outcome.nbytes <= smallest + 16  # the header says how long training took


def test_tables_end_where_none_reaches_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def never(values: np.ndarray, target: float, table: int) -> Outcome:
        tried.append((target, table))
        return Outcome(100 * table, 20.0 + table, 0.1, 0.1, table)

    monkeypatch.setattr(rate_distortion, "network", never)
    (closest,) = best_tables(VALUES, [50.0, 60.0], [np.inf] * 2)
    assert closest.psnr == 38.0
    assert tried == [(50.0, table) for table in rate_distortion.TABLES]
    tried.clear()
    assert len(list(best_tables(VALUES, [50.0, 60.0], [1100, 1100]))) == 2
    # More bytes than the limit serve nobody; the next target has another limit.
    assert tried == [(target, table) for target in (50.0, 60.0) for table in (8, 10, 12)]


def figures(ratio: float, db: float = 40.1, reached: bool = True) -> dict[str, object]:
    return {
        "ratio": ratio, "psnr": db, "reached": reached, "setting": 9.0, "encode_seconds": 0.5,
        "decode_seconds": 0.25,
    }  # fmt: skip


def test_the_table_shows_who_wins_and_who_did_not_get_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {
        "volume": "v 1", "target": 40.0, OURS: figures(9000, 37.2, False), BEST: figures(123.4),
        "ZFP": figures(20, 44.0), "SZ3": figures(1234.5), "TTHRESH": {"no result": "why"} |
        {"reached": False},
    }  # fmt: skip
    print_table([row], [OURS, BEST, "ZFP", "SZ3", "TTHRESH", "SPERR"], [OURS, "TTHRESH"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == (
        "| v 1 | 40 | not reached: 37.2 dB | 123, 2^9 | 20 (44.0 dB) | **1234** | no result | "
        "missing | 0.500 / 0.250 | - |"
    )


def test_a_folder_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "wave_00001.npz", values=VALUES)
    np.savez(tmp_path / "other_00001.npz", values=VALUES)
    monkeypatch.setitem(sys.modules, "zfpy", None)
    monkeypatch.setitem(sys.modules, "numcodecs_wasm_tthresh", None)
    told = tmp_path / "figures.json"
    arguments = ["--data", str(tmp_path), "--volumes", "wave", "--targets", "30", "25", "--tables"]
    monkeypatch.setattr(sys, "argv", ["rate_distortion.py", *arguments, "--json", str(told)])
    rate_distortion.main()
    printed = capsys.readouterr()
    assert "1/1 wave 00001" in printed.err
    assert "ZFP is missing" in printed.out
    written = json.loads(told.read_text())
    assert set(written["missing"]) >= {"ZFP", "TTHRESH"}
    assert [row["target"] for row in written["rows"]] == [25.0, 30.0]
    for row in written["rows"]:
        assert row["volume"] == "wave 00001"
        assert {OURS, BEST, SPARSE} <= row.keys()
        sz3 = row["SZ3"]
        assert sz3["reached"] and sz3["psnr"] >= row["target"]
        assert sz3["ratio"] == pytest.approx(VALUES.nbytes / sz3["nbytes"])
