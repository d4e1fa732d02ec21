"""The third-party model of the examples: it conforms, and lives through a whole run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import insitu
from insitu.codecs.frame import unpack
from insitu.fields.read import read_field
from insitu.testing import ModelConformance
from tests.support.paths import ROOT

EXAMPLE = ROOT / "examples" / "own_model"

sys.path.insert(0, str(EXAMPLE))
from bumps import Bumps  # noqa: E402

sys.path.remove(str(EXAMPLE))


class TestBumps(ModelConformance):
    model = Bumps(n=8, n_outputs=2)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the example's run leaves."""
    folder = tmp_path_factory.mktemp("own_model")
    done = subprocess.run(
        [sys.executable, EXAMPLE / "run.py", "--quiet", "--set", f"output={folder}",
         "--set", f"record.path={folder / 'record'}"],
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "INSITU_ENGINE": "auto"},
        cwd=folder,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    (folder / "log").write_text(done.stderr)
    return folder


def test_it_is_recorded_and_opens_again(output: Path) -> None:
    record = insitu.open_record(output / "record")
    assert record["density"].cycles.tolist() == [2, 4, 6]
    (field,) = record.load("density", -1).fields
    assert field.as_model.model == Bumps(n=24)
    assert field.metrics.warm and field.metrics.psnr_db([1.0]) > 35
    header, _ = unpack(field.to_bytes())
    assert header["model"] == {"kind": "bumps", "n": 24, "n_outputs": 1}
    assert read_field(field.to_bytes()).to_bytes() == field.to_bytes()
    z, y, x = np.meshgrid(*[(np.arange(16) + 0.5) / 16] * 3, indexing="ij")
    truth = np.exp(-12 * ((x - 0.7) ** 2 + (y - 0.5) ** 2 + (z - 0.5) ** 2))
    assert np.abs(field.decode() - truth).max() < 0.1


def test_that_another_engine_computes_it_is_logged(output: Path) -> None:
    log = (output / "log").read_text()
    assert log.count("engine cpu does not support the model bumps; engine numpy trains") == 1


@pytest.mark.parametrize("name", ["volume", "contour"])
def test_it_is_drawn(output: Path, name: str) -> None:
    for cycle in (2, 4, 6):
        pixels = np.asarray(Image.open(output / f"{name}_{cycle:03d}.png").convert("L"), float)
        assert pixels.std() > 3
