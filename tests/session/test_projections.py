"""Radiographs and projections of recorded fields, written by a session on any number of ranks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.mesh import uniform

COMM = MPI.COMM_WORLD
N = 6  # cells of a rank along each axis


def run_file(folder: Path) -> dict[str, Any]:
    camera = {"position": [3, 3, 60], "look_at": [3, 3, 0], "fov": 6, "projection": "parallel"}
    size = {"image_width": 20, "image_height": 20}
    xray = {"absorption": "f", "emission": "g", "filename": "x_%d", "camera": camera, **size}
    plane = {"center": [3, 3, -1], "normal": [0, 0, 1], "width": 4, "height": 4}
    pixels = {"type": "dray_project_2d", "params": {"fields": ["f"], "plane": plane, **size}}
    relay = {"path": "p_%d", "protocol": "numpy", "fields": ["f", "depth"]}
    return {
        "fields": {"f": {"psnr": 50}, "g": {"psnr": 50}},
        "window": {"every": 1},
        "output": str(folder),
        "on_error": "raise",
        "actions": [
            {"action": "add_pipelines", "pipelines": {"seen": {"f1": pixels}}},
            {
                "action": "add_extracts",
                "extracts": {
                    "radiograph": {"type": "xray", "params": xray},
                    "table": {"type": "relay", "pipeline": "seen", "params": relay},
                },
            },
        ],
    }


@pytest.mark.parallel([1, 3])
def test_a_session_writes_both(tmp_path_factory: Any) -> None:
    folder: Path = COMM.bcast(tmp_path_factory.mktemp("seen") if COMM.rank == 0 else None)
    z, y, x = np.mgrid[0:N, 0:N, 0:N] + 0.5
    fields = {"f": 0.01 * (1 + x / N), "g": 0.1 * (1 + 0 * y * z * x)}
    tree = uniform(
        fields, spacing=1, origin=(0, 0, N * COMM.rank), cycle=4, time=0.5, domain_id=COMM.rank
    )
    with insitu.open(run_file(folder), COMM, quiet=True) as session:
        session.publish(tree)
        session.execute()
    with np.load(folder / "x_4.npz") as found:
        intensity, share, cycle = found["intensity"], found["transmitted"], found["cycle"]
    length = N * COMM.size
    middle = 0.01 * (1 + 3 / N)
    assert cycle == 4
    assert share[9:11, 9:11].mean() == pytest.approx(np.exp(-middle * length), rel=0.01)
    glow = 0.1 / middle * (1 - np.exp(-middle * length))
    assert intensity[9:11, 9:11].mean() == pytest.approx(glow, rel=0.01)
    picture = np.asarray(Image.open(folder / "x_4.png"))
    assert picture.shape == (20, 20, 3) and picture.max() == 255
    (file,) = (folder / "p_4").glob("*.npz") if (folder / "p_4").is_dir() else folder.glob("p_4*")
    with np.load(file) as found:
        f, depth = np.squeeze(found["f"]), np.squeeze(found["depth"])
    # Looking along +z with y up, x is to the left.
    assert f.shape == (20, 20)
    at = 3 - 0.2 * (np.arange(20) - 9.5)
    assert f[10] == pytest.approx(0.01 * (1 + at / N), abs=3e-4)
    assert np.ptp(depth) < 0.02 * N
