"""A session whose simulation publishes arrays of a GPU, by either interface: each that is used
comes to the host once a step, whatever reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import insitu
from insitu.mesh import uniform
from tests.support.device_arrays import Counted, Exporting
from tests.support.sessions import scene

SHAPE = (10, 12, 14)


def run_file(folder: Path) -> dict:
    query = {"params": {"expression": "max(field('density'))", "name": "peak"}}
    return {
        "fields": {"density": {"psnr": 30}},
        "window": {"steps": 3, "every": 1},
        "actions": [{"action": "add_queries", "queries": {"q": query}}, scene("p", size=20)],
        "output": str(folder / "out"),
        "on_error": "raise",
    }


@pytest.mark.parametrize("kind", [Counted, Exporting])
def test_each_used_array_is_copied_once_a_step(kind: type[Counted], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with insitu.open(run_file(tmp_path), quiet=True) as session:
        for cycle in range(2):
            values = rng.random(SHAPE).cumsum(axis=0).astype(np.float32)
            used, unused = kind(values), kind(values)
            session.publish(uniform({"density": used, "other": unused}, cycle=cycle))
            report = session.execute()
            assert len(report.fields) == 1 and report.files
            assert (used.copied, unused.copied) == (values.size, 0)
    assert list((tmp_path / "out").rglob("*.png"))
