"""The lines, the table and the timings that a run leaves."""

import csv
import io
import math
import sys

import pytest

from insitu.session.report import (
    FieldReport,
    StepReport,
    Tally,
    Terminal,
    byte_size,
    decibels,
    step_line,
    times,
)


def field(name="density", **changes):
    given = {"psnr_db": 41.25, "ratio": 200.0, "seconds": 0.5, "nbytes": 1000}
    return FieldReport(name=name, **{**given, "iterations": 300, "warm": True, **changes})


def step(cycle=5, **changes):
    given = {"fields": (field(),), "window_nbytes": 2048, "seconds": 0.75}
    return StepReport(cycle=cycle, time=0.125, **{**given, **changes})


def test_a_line_per_step():
    line = step_line(step(fired=("shock",), files=("a.png", "b.png")))
    assert line == (
        "cycle      5  time 0.125      | density 41.2 dB 200x 0.50 s warm | "
        "0.75 s, window 2.0 KiB | fired shock | 2 pictures"
    )


def test_a_line_says_what_was_missed():
    line = step_line(step(fields=(field(wanted_db=45.0), field("energy", wanted_db=40.0))))
    assert "density 41.2 dB of the 45 dB wanted 200x 0.50 s warm | energy 41.2 dB 200x" in line


def test_a_line_tells_of_nan():
    assert "0.50 s warm, 3 NaN or Inf |" in step_line(step(fields=(field(non_finite=3),)))


def test_a_line_tells_what_resampling_costs():
    assert "0.50 s warm, resampled 52.3 dB |" in step_line(step(fields=(field(resampled_db=52.3),)))


def test_numbers_with_their_units():
    assert decibels(math.inf) == "exact"
    assert [times(ratio) for ratio in (4.26, 212.4)] == ["4.3x", "212x"]
    assert [byte_size(n) for n in (0, 1023, 1024, 1.5 * 2**20)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 MiB",
    ]


def test_the_summary_weighs_steps_rightly():
    tally = Tally()
    tally.add(step(fields=(field(warm=False, seconds=2, psnr_db=40, nbytes=100, ratio=100),)))
    tally.add(step(fields=(field(psnr_db=42, nbytes=300, ratio=20),), files=("a.png",)))
    summary = tally.summary(["record"])
    (density,) = summary.fields
    assert (density.steps, density.psnr_min_db, density.psnr_mean_db) == (2, 40, 41)
    assert density.ratio == (100 * 100 + 300 * 20) / 400
    assert (density.seconds_cold, density.seconds_warm) == (2, 0.5)
    assert (summary.steps, summary.seconds, summary.files) == (2, 1.5, ("a.png", "record"))
    warm_only = Tally()
    warm_only.add(step())
    assert math.isnan(warm_only.summary().fields[0].seconds_cold)


def test_timings_appear_when_they_are_complete(tmp_path, capsys):
    terminal, tally = Terminal(tmp_path / "out"), Tally()
    for report in (step(), step(10, fields=(field(), field("energy", psnr_db=math.inf)))):
        tally.add(report)
        terminal.step(report)
        terminal.step(None)
    path = tmp_path / "out" / "insitu_timings.csv"
    assert not path.exists()
    terminal.close(tally.summary())
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    rows = list(csv.DictReader(path.open()))
    assert [(r["cycle"], r["field"]) for r in rows] == [
        ("5", "density"),
        ("10", "density"),
        ("10", "energy"),
    ]
    assert rows[0]["psnr_db"] == "41.2500"
    assert (rows[0]["train_seconds"], rows[0]["step_seconds"]) == ("0.500000", "0.750000")
    assert rows[2]["psnr_db"] == "inf"
    text = capsys.readouterr().out
    assert text.count("\ncycle") == 1
    assert "exact" in text
    assert str(path) in text.replace("\n", "")


def test_a_name_that_the_terminal_cannot_show_ends_no_step(tmp_path, monkeypatch):
    """Text of other alphabets where the locale has ASCII alone, as under some batch systems."""
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="ascii"))
    terminal, tally = Terminal(tmp_path), Tally()
    report = step(fields=(field("ρ"),))
    tally.add(report)
    terminal.step(report)
    terminal.close(tally.summary())
    sys.stdout.flush()
    assert printed.getvalue().count(b"? ") >= 2
    assert "ρ" in (tmp_path / "insitu_timings.csv").read_text(encoding="utf-8")


def test_a_quiet_run_prints_nothing(tmp_path, capsys):
    terminal, tally = Terminal(tmp_path, quiet=True), Tally()
    tally.add(step())
    terminal.step(step())
    terminal.close(tally.summary())
    assert capsys.readouterr().out == ""
    assert (tmp_path / "insitu_timings.csv").exists()


def test_long_series_of_files_are_shortened(tmp_path, capsys):
    terminal, tally = Terminal(tmp_path), Tally()
    tally.add(step(files=tuple(f"frame_{i:03d}.png" for i in range(9))))
    terminal.close(tally.summary(["record"]))
    text = capsys.readouterr().out
    assert "frame_000.png ... frame_008.png (9 files)" in text
    assert "frame_004" not in text


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        Terminal(tmp_path / "file" / "out")


def test_timings_of_an_earlier_run_stay(tmp_path):
    for cycle in (100, 101, 102):
        terminal = Terminal(tmp_path, quiet=True)
        terminal.step(step(cycle))
        terminal.close(None)
    names = ["insitu_timings.csv", "insitu_timings.1.csv", "insitu_timings.2.csv"]
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    found = [[row["cycle"] for row in csv.DictReader((tmp_path / name).open())] for name in names]
    assert found == [["102"], ["100"], ["101"]]
