"""A field that is trained behind a map of values: recorded by several ranks, read by one."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.metrics import psnr
from tests.support.moving import Moving
from tests.support.sessions import NETWORK, drive, run_file

FIELD = {"psnr": 38, "network": NETWORK, "training": {"transform": "asinh", "plateau": 300}}


@pytest.mark.parallel([1, 3])
def test_a_record_has_the_map(tmp_path: Path) -> None:
    comm = MPI.COMM_WORLD
    folder = Path(comm.bcast(str(tmp_path)))
    simulation = Moving(comm, steps=4)
    config = run_file(folder, fields={"density": FIELD, "velocity": {"iterations": 60}})
    reports, _ = drive(config, simulation)
    assert [report.cycle for report in reports if report] == [2, 4]
    record = insitu.open_record(folder / "record")  # all of it, on every rank by itself
    fields = record.load("density", -1).fields
    assert len(fields) == comm.size
    assert {block.as_model.transform.kind for block in fields} == {"asinh"}
    points = np.random.default_rng(0).random((4000, 3))
    field = record["density"].sel(step=-1)
    assert psnr(field(points), simulation.density(*points.T)) > 33
    step = np.array([0, 1e-3, 0])
    inside = points[np.abs(points - 0.5).max(axis=1) < 0.49]
    slope = (field(inside + step) - field(inside - step)) / 2e-3
    assert np.corrcoef(field.gradient(inside)[:, 1], slope)[0, 1] > 0.98
