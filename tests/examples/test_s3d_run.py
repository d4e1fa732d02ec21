"""The flame kernel with insitu attached, as its README starts it, but small and soon on fire.

In: the example's run file. Out: nothing but pass or fail.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image
from s3d.__main__ import main

import insitu
from insitu.session import run


@pytest.mark.parallel(1)
def test_the_flame_is_recorded_and_drawn_when_it_ignites(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])  # which `run` puts the example's folder on
    options = {
        "simulation.points": "[14, 14, 14]",
        "simulation.size": "[1.0e-3, 1.0e-3, 1.0e-3]",
        "simulation.spot_temperature": 2300.0,
        "simulation.spot_radius": 2.5e-4,
        "window.every": 20,
        "fields.temperature.psnr": 35,
        "fields.species.psnr": 35,
        "record.path": folder / "record",
        "output": folder,
    }
    arguments = [f"--set={key}={value}" for key, value in options.items()]
    file = str(root / "examples" / "s3d" / "run.yaml")
    assert run.main([file, *arguments, "--steps=100", "--quiet"]) == 0
    record = insitu.open_record(folder / "record")
    assert record["species"].sel(step=-1).summary.range.shape == (10, 2)
    last = record["temperature"].sel(step=-1)
    assert last.summary.psnr_db >= 35 and last.summary.n_blocks == MPI.COMM_WORLD.size
    assert float(last([[0.0, 0.0, 0.0]])[0]) > 1500.0
    assert float(last([[4.0e-4, 4.0e-4, 4.0e-4]])[0]) == pytest.approx(600.0, abs=60.0)
    pictures = sorted(folder.glob("heat_release_*.png"))
    assert pictures
    pixels = np.asarray(Image.open(pictures[-1]).convert("RGB"))
    assert np.ptp(pixels[..., 0]) > 50


def test_alone_it_prints_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--points", "12", "11", "13", "--steps", "3", "--every", "2"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    columns = head.replace("time, s", "time").split()
    assert [row.split()[0] for row in rows] == ["2", "3"]
    values = dict(zip(columns, map(float, rows[-1].split()), strict=True))
    assert values["temperature"] == pytest.approx(1800.0, rel=0.2)
    assert values["mass"] == pytest.approx(6e-9, rel=0.5)


def test_alone_it_refuses_a_grid_shorter_than_the_stencil(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--points", "12", "7", "12"]) == 1
    assert "7 points along an axis" in capsys.readouterr().err
