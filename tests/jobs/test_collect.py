"""Tables, efficiencies and plots of runs."""

import json
from pathlib import Path
from typing import Any

import collect
import pytest


def run(series: str, ranks: int, seconds: float) -> dict[str, Any]:
    figures = {
        "seconds": seconds,
        "cpu_seconds": seconds / 2,
        "psnr_db": 40.25,
        "ratio": 512.0,
        "communicated_bytes_per_rank": 980.0,
    }
    return {
        "series": series, "nodes": ranks // 4, "ranks": ranks, "threads": 8, "gpu": "A100",
        "grid": [64, 64, 128],
        "cold": figures | {"seconds": 2 * seconds}, "warm": figures,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = [
        run("strong", 16, 0.5),
        run("strong", 4, 1.6),
        run("weak", 4, 1.0),
        run("weak", 8, 1.25),
    ]
    for each in runs:
        name = f"{each['series']}_{each['ranks']:05d}.json"
        (tmp_path / name).write_text(json.dumps(each) + "\n")
    return tmp_path


def test_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert collect.main([str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "x 64" in line]
    same = ["40.2 dB", "512", "980"]
    assert rows == [
        ["1", "4", "8", "A100", "64 x 64 x 128", "3.200", "1.600", "0.800", "1.00", *same],
        ["4", "16", "8", "A100", "64 x 64 x 128", "1.000", "0.500", "0.250", "0.80", *same],
        ["1", "4", "8", "A100", "64 x 64 x 128", "2.000", "1.000", "0.500", "1.00", *same],
        ["2", "8", "8", "A100", "64 x 64 x 128", "2.500", "1.250", "0.625", "0.80", *same],
    ]


def test_plot(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "plots/scaling.svg"
    assert collect.main([str(folder), "--plot", str(path)]) == 0
    assert path.read_text().count("<svg") == 1


@pytest.mark.parametrize("content", [None, "{", '{"ranks": 1}', "[]"])
def test_what_is_no_run(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "weak_00001.json").write_text(content)
    assert collect.main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
