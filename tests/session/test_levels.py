"""Domains of several levels: each place counts once, the finest wins, and pictures show both."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.queries.session_file import SESSION_FILE

COMM = MPI.COMM_WORLD


def patch(n: int, origin: float, spacing: float, domain_id: int, value: float) -> dict[str, Any]:
    """A cube of n^3 cells."""
    lines = origin + spacing * np.arange(n + 1)
    middles = 0.5 * (lines[1:] + lines[:-1])
    x = np.broadcast_to(middles, (n, n, n))
    return {
        "state": {"cycle": 0, "time": 0.0, "domain_id": domain_id},
        "coordsets": {
            "c": {"type": "rectilinear", "values": dict.fromkeys("xyz", lines)},
        },
        "topologies": {"t": {"type": "rectilinear", "coordset": "c"}},
        "fields": {
            "x": {"association": "element", "topology": "t", "values": x + 0.0},
            "level": {
                "association": "element",
                "topology": "t",
                "values": np.full((n,) * 3, value),
            },
        },
    }


def hierarchy() -> list[dict[str, Any]]:
    """8^3 coarse cells, 8^3 finer ones in their middle, over the ranks in turn."""
    patches = [patch(8, 0.0, 1.0, 0, 0.0), patch(8, 2.0, 0.5, 1, 1.0)]
    return [p for i, p in enumerate(patches) if i % COMM.size == COMM.rank]


@pytest.mark.parallel([1, 3])
def test_each_place_counts_once_and_the_finest_wins(tmp_path_factory: Any) -> None:
    folder: Path = COMM.bcast(tmp_path_factory.mktemp("levels") if COMM.rank == 0 else None)
    asked = {
        name: {"params": {"name": name, "expression": expression}}
        for name, expression in (
            ("n", "count(field('level'))"),
            ("fine", "sum(field('level'))"),
            ("slope", "max(gradient(field('x')).x)"),
        )
    }
    render = {"image_prefix": "p_%d", "image_width": 32, "image_height": 32}
    scene = {"plots": {"p": {"type": "pseudocolor", "field": "x"}}, "renders": {"r": render}}
    config = {
        "fields": {"x": {"psnr": 35, "model": "dense_grid"}, "level": {"psnr": 60}},
        "window": {"every": 1},
        "record": {"path": folder / "rec", "scratch": folder},
        "output": folder,
        "actions": [
            {"action": "add_queries", "queries": asked},
            {"action": "add_scenes", "scenes": {"s": scene}},
        ],
    }
    with insitu.open(config, COMM, quiet=True) as session:
        session.publish(hierarchy())
        report = session.execute()
    assert report is not None and len(report.files) == 1
    if COMM.rank:
        return
    found = yaml.safe_load((folder / SESSION_FILE).read_text())
    assert found["n"][0]["value"] == 512 - 64 + 512 and found["fine"][0]["value"] == 512
    record = insitu.open_record(folder / "rec")
    level = record["level"].sel(step=0)
    np.testing.assert_allclose(level([[4.1, 4.1, 4.1], [2.2, 3.0, 4.0]]), 1, atol=0.01)
    np.testing.assert_allclose(level([[1.1, 4.1, 4.1], [4.0, 4.0, 7.5]]), 0, atol=0.01)
    x = record["x"].sel(step=0)
    decoded = x.decode()  # on the finest lines
    at = x.grid.coordinates[0]
    assert np.isfinite(decoded).all()
    assert np.abs(decoded - at).mean() < 0.3


@pytest.mark.parallel(1)
def test_a_patch_that_covers_all_leaves_nothing_of_the_coarse_block() -> None:
    from insitu.mesh import PublishedStep, levels

    step = PublishedStep([patch(4, 0.0, 1.0, 0, 0.0), patch(8, 0.0, 0.5, 1, 1.0)])
    every = levels.owned_boxes(step.domains_read, ["t"])
    assert every.shape == (2, 8)
    step.hide_covered(["t"], every)
    (part,) = step.partitions("x")
    assert part.domain_id == 1 and part.cells == (8, 8, 8)
