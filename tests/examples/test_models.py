"""One run per model: recorded, drawn, opened again."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import insitu
from insitu.metrics import psnr
from tests.support.paths import ROOT

EXAMPLE = ROOT / "examples" / "models"
RUNS = sorted(path.stem for path in EXAMPLE.glob("*.yaml"))


def vorticity(points: np.ndarray) -> np.ndarray:
    """Of the last step."""
    x, y, z = points.T
    return np.exp(-200 * ((np.hypot(x - 0.5, y - 0.5) - 0.25) ** 2 + (z - 0.45) ** 2))


@pytest.mark.parametrize("name", RUNS)
def test_a_run(name: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "insitu.run", EXAMPLE / f"{name}.yaml", "--quiet",
         "--set", "simulation.cells=24", "--set", f"output={tmp_path}",
         "--set", f"record.path={tmp_path / 'record'}"],
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
    )  # fmt: skip
    (block,) = insitu.open_record(tmp_path / "record").load("vorticity", -1).fields
    assert block.as_model.model.kind == name
    points = (np.stack(np.unravel_index(np.arange(24**3), (24,) * 3)).T[:, ::-1] + 0.5) / 24
    assert psnr(block(points), vorticity(points)) > 30
    picture = np.asarray(Image.open(tmp_path / "ring_004.png").convert("RGB"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_every_model_that_comes_along_has_one() -> None:
    built_in = {"hash_grid", "dense_grid", "sparse_grid", "adaptive_grid"}
    assert built_in <= set(RUNS)
