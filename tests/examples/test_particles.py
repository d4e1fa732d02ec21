"""The example of particles: recorded as Gaussians, opened, drawn."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import insitu
from tests.support.paths import ROOT

EXAMPLE = ROOT / "examples" / "particles"


def test_particles_are_recorded_and_drawn(tmp_path: Path) -> None:
    """Fewer of them, in smaller pictures."""
    settings = {
        "output": tmp_path,
        "record.path": tmp_path / "record",
        "simulation.particles": 3000,
        "simulation.steps": 10,
        "fields.temperature.psnr": 30,
    }
    command = [sys.executable, "-m", "insitu.run", EXAMPLE / "run.yaml", "--quiet"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    subprocess.run(
        command, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300
    )
    record = insitu.open_record(tmp_path / "record")
    assert record["temperature"].cycles.tolist() == [5, 10]
    (field,) = record.load("temperature", -1).fields
    assert field.as_model.model.kind == "gaussians"
    assert field.metrics.raw_nbytes == 8 * 3000 and field.metrics.psnr_db([1.0]) > 28
    for name in ("volume", "contour"):
        pixels = np.asarray(Image.open(tmp_path / f"{name}_010.png").convert("L"), float)
        assert pixels.std() > 3
