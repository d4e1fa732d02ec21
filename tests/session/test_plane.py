"""Meshes in a plane, from publishing to the decoded array, with each model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import yaml
from mpi4py import MPI
from PIL import Image

import insitu
from insitu.filters.particles.pathlines import streamlines
from insitu.queries.session_file import SESSION_FILE

COMM = MPI.COMM_WORLD
NX, NY = 24, 16


def tree(cycle: int, association: str = "element") -> tuple[dict[str, Any], Any]:
    """A uniform mesh in a plane, and its values (ny, nx)."""
    extra = 1 if association == "vertex" else 0
    x = (np.arange(NX + extra) + 0.5 * (1 - extra)) / 8
    y = (np.arange(NY + extra) + 0.5 * (1 - extra)) / 8
    rho = np.sin(2 * x) * np.cos(y)[:, None] + 0.1 * cycle
    whirl = {"u": 0 * x + 1.0 - y[:, None], "v": x - 1.5 + 0 * y[:, None]}
    published: dict[str, Any] = {
        "state": {"cycle": cycle, "time": 0.5 * cycle},
        "coordsets": {
            "c": {
                "type": "uniform",
                "dims": {"i": NX + 1, "j": NY + 1},
                "origin": {"x": 0.0, "y": 0.0},
                "spacing": {"dx": 0.125, "dy": 0.125},
            }
        },
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {
            "rho": {"association": association, "topology": "t", "values": rho.ravel()},
            "v": {
                "association": association,
                "topology": "t",
                "values": {name: part.ravel() for name, part in whirl.items()},
            },
        },
    }
    return published, rho


def queries(**named: str) -> dict[str, Any]:
    params = {name: {"params": {"name": name, "expression": e}} for name, e in named.items()}
    return {"action": "add_queries", "queries": params}


@pytest.mark.parallel(1)
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("model", ["hash_grid", "dense_grid", "sparse_grid"])
def test_a_plane_is_recorded_and_decoded_as_a_plane(
    model: str, association: str, tmp_path: Path
) -> None:
    config = {
        "fields": {"rho": {"psnr": 35, "model": model}},
        "window": {"every": 1},
        "record": {"path": tmp_path / "rec", "scratch": tmp_path},
        "output": tmp_path,
        "actions": [
            queries(
                n="count(field('rho'))",
                top="max(field('rho'))",
                turn="avg(curl(field('v')).z)",
                spread="max(abs(divergence(field('v'))))",
                z="max(abs(gradient(field('rho')).z))",
                past="avg(field('rho') - field('rho', step=-1))",
            )
        ],
    }
    rho = np.zeros(0)
    with insitu.open(config, COMM, quiet=True) as session:
        for cycle in range(2):
            published, rho = tree(cycle, association)
            session.publish(published)
            assert session.execute() is not None
    field = insitu.open_record(tmp_path / "rec")["rho"].sel(step=-1)
    decoded = field.decode()
    assert decoded.shape == field.shape == rho.shape
    error = np.sqrt(np.mean((decoded - rho) ** 2))
    assert 20 * np.log10(np.ptp(rho) / error) >= field.summary.psnr_db - 0.01 >= 34.9
    assert field.summary.metrics.raw_nbytes == rho.nbytes
    np.testing.assert_array_equal(field[2:5, ::4], decoded[2:5, ::4])
    np.testing.assert_array_equal(field[-1], decoded[-1])
    opened = xarray.open_dataset(tmp_path / "rec", engine="insitu")
    assert opened.rho.dims == ("time", "y", "x") and "z" not in opened.coords
    np.testing.assert_array_equal(opened.rho[-1].values, decoded)
    found = yaml.safe_load((tmp_path / SESSION_FILE).read_text())
    assert found["n"][1]["value"] == rho.size
    assert found["top"][1]["attrs"]["value"]["value"] == pytest.approx(rho.max())
    assert found["top"][1]["attrs"]["position"]["value"][2] == 0
    assert found["turn"][1]["value"] == pytest.approx(2)
    assert found["spread"][1]["attrs"]["value"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["z"][1]["attrs"]["value"]["value"] == 0
    assert found["past"][1]["value"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parallel(1)
def test_a_picture_of_a_plane_seen_from_z(tmp_path: Path) -> None:
    """The picture's colours are those of the field, row by row from the top."""
    camera = {"look_at": [1.5, 1.0, 0.0], "position": [1.5, 1.0, 10.0], "up": [0, 1, 0]}
    render = {
        "image_prefix": "p_%d",
        "image_width": 96,
        "image_height": 64,
        "annotations": "false",
        "camera": {**camera, "fov": 11.42},
    }
    plot = {"type": "pseudocolor", "field": "rho", "color_table": {"name": "Greys"}}
    scene = {"plots": {"p": plot}, "renders": {"r": render}}
    config = {
        "fields": {"rho": {"psnr": 45, "model": "dense_grid"}},
        "window": {"every": 1},
        "output": tmp_path,
        "actions": [{"action": "add_scenes", "scenes": {"s": scene}}],
    }
    published, rho = tree(0)
    with insitu.open(config, COMM, quiet=True) as session:
        session.publish(published)
        report = session.execute()
    assert report is not None
    shown = np.asarray(Image.open(tmp_path / "p_0.png").convert("L"), float)[::-1]
    # One cell is four pixels; the colours run from one end of grey to the other.
    seen = shown[: 4 * NY, : 4 * NX].reshape(NY, 4, NX, 4).mean(axis=(1, 3))
    inside = np.s_[1:-1, 1:-1]
    assert abs(np.corrcoef(seen[inside].ravel(), rho[inside].ravel())[0, 1]) > 0.93


@pytest.mark.parallel(1)
def test_streamlines_stay_in_the_plane(tmp_path: Path) -> None:
    config = {
        "fields": {"v": {"psnr": 60, "model": "sparse_grid"}},
        "window": {"every": 1},
        "record": {"path": tmp_path / "rec", "scratch": tmp_path},
        "output": tmp_path,
    }
    with insitu.open(config, COMM, quiet=True) as session:
        session.publish(tree(0, "vertex")[0])
        session.execute()
    velocity = insitu.open_record(tmp_path / "rec")["v"].sel(step=0)
    assert velocity.decode().shape == (NY + 1, NX + 1, 2) == velocity.shape
    lines = streamlines(COMM, velocity.share(COMM), [[1.5, 0.5, 0.0]], max_steps=400, step=0.02)
    radius = np.hypot(lines.points[:, 0] - 1.5, lines.points[:, 1] - 1.0)
    assert len(lines.points) > 300 and (lines.points[:, 2] == 0).all()
    np.testing.assert_allclose(radius, 0.5, atol=0.02)
