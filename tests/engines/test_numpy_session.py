"""A run from open to close on the NumPy engine: it trains, keeps a window, records and renders."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.engines.cpu.engine import CpuEngine
from insitu.session.report import FieldReport
from tests.support.moving import Moving

COMM = MPI.COMM_WORLD
NETWORK = {"log2_hashmap_size": 8, "n_levels": 2}
PLOTS = {
    "volume": {"type": "volume", "field": "density"},
    "surface": {"type": "pseudocolor", "field": "density", "pipeline": "shell"},
}
ACTIONS = [
    {
        "action": "add_pipelines",
        "pipelines": {
            "shell": {"f": {"type": "contour", "params": {"field": "density", "iso_values": [0.9]}}}
        },
    },
    {
        "action": "add_scenes",
        "scenes": {
            name: {
                "plots": {"p": plot},
                "renders": {
                    "r": {"image_prefix": f"{name}_%d", "image_width": 40, "image_height": 40}
                },
            }
            for name, plot in PLOTS.items()
        },
    },
]


def run(folder: Path, **more: str) -> FieldReport:
    """Two steps of a small simulation -> what is said of the density at the last."""
    config = {
        "fields": {"density": {"network": NETWORK, "iterations": 60}},
        "window": {"steps": 2, "every": 1},
        "actions": ACTIONS,
        "record": {"path": str(folder / "record"), "scratch": str(folder)},
        "output": str(folder),
        "on_error": "raise",
        **more,
    }
    simulation = Moving(COMM, steps=2, cells=(10, 11, 12))
    session = insitu.open(config, COMM)
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        report = session.execute()
    session.close()
    COMM.barrier()
    (density,) = report.fields
    return density


@pytest.mark.parallel(1)
def test_a_run_is_that_of_the_cpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To round-off: the samples, the steps, the record and the pictures are the same."""
    told = {}
    for name in ("numpy", "cpu"):
        monkeypatch.setenv("INSITU_ENGINE", name)
        (folder / name).mkdir(exist_ok=True)
        COMM.barrier()
        told[name] = run(folder / name)
    assert told["numpy"].psnr_db > 20
    assert told["numpy"].psnr_db == pytest.approx(told["cpu"].psnr_db, abs=0.1)
    for scene in PLOTS:
        one, other = (
            np.asarray(Image.open(folder / name / f"{scene}_2.png")).astype(float) / 255
            for name in ("numpy", "cpu")
        )
        assert one[..., :3].std() > 0.02
        assert np.abs(one - other).mean() < 2e-3
    steps = [insitu.open_record(folder / name / "record")["density"].steps for name in told]
    assert [s["cycle"] for s in steps[0]] == [s["cycle"] for s in steps[1]] == [1, 2]


@pytest.mark.parallel([1, 3])
def test_the_engine_of_a_run_file_does_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training, reading and drawing, whatever INSITU_ENGINE says."""
    monkeypatch.setenv("INSITU_ENGINE", "cpu")

    def used(*arguments: object, **more: object) -> None:
        raise AssertionError("the engine cpu was used")

    for name in ("sampler", "trainer", "evaluate_grid", "march", "rasterize"):
        monkeypatch.setattr(CpuEngine, name, used)
    assert run(folder, engine="numpy").psnr_db > 20
