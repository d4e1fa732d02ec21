"""A session on a mesh of cells: recorded, asked and drawn like any other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from tests.support.cell_meshes import add, coordinates, cube, tree
from tests.support.sessions import drive, run_file

COMM = MPI.COMM_WORLD


class Cells:
    """A growing bump in hexahedra, dealt out to ranks in layers that cut across; the points of each
    cell its own, as nekRS publishes them."""

    def __init__(self, comm: MPI.Comm, steps: int = 8, n: int = 16) -> None:
        self.comm, self.steps, self.cycle, self.time = comm, steps, 0, 0.0
        points, connectivity = cube(n, "hex")
        middle = points[connectivity].mean(axis=1)
        rank = np.minimum((middle @ [0.5, 0.3, 0.2] * comm.size).astype(int), comm.size - 1)
        self._mesh = tree(points, connectivity[rank == comm.rank], "hex", duplicated=True)

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def density(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        r2 = (x - 0.3 - 0.5 * self.time) ** 2 + (y - 0.5) ** 2 + (z - 0.45) ** 2
        return 0.2 + (1 + self.time) * np.exp(-12 * r2)

    def step(self) -> None:
        self.cycle += 1
        self.time = self.cycle * 0.05

    def mesh(self) -> Any:
        x, y, z = coordinates(self._mesh)
        add(self._mesh, "density", self.density(x, y, z))
        for letter, values in zip("xyz", (1 + x, y * z, z - x), strict=True):
            add(self._mesh, f"velocity_{letter}", values)
        self._mesh["state"] = {"cycle": self.cycle, "time": self.time}
        return self._mesh


@pytest.mark.parallel([1, 3])
def test_a_run_on_cells(folder: Path) -> None:
    changes = {"resample": {"cells": [24, 16, 16]}}
    simulation = Cells(COMM)
    reports, summary = drive(run_file(folder, **changes), simulation)
    assert summary.steps == 4 and reports[7].fired == ("t",) and len(reports[7].files) == 3
    first, *later = [{f.name: f.resampled_db for f in r.fields} for r in reports if r]
    assert 25 < first["density"] < 45 and first["velocity"] > 40
    assert all(set(fields.values()) == {None} for fields in later)
    record = insitu.open_record(folder / "record")
    density = record["density"].sel(step=-1)
    assert density.grid.shape == (17, 17, 25) and len(density.boxes) == COMM.size
    z, y, x = np.meshgrid(*[np.linspace(0, 1, n) for n in (17, 17, 25)], indexing="ij")
    # A bump of a few cells is linear between their corners; that costs more than compression.
    error = density.decode() - simulation.density(x, y, z)
    assert np.sqrt(np.mean(error**2)) < 0.03 * np.ptp(simulation.density(x, y, z))
    assert record["velocity"].sel(step=-1).n_components == 3
    peak = simulation.density(x, y, z).max()
    results = (folder / "ascent_session.yaml").read_text()
    assert "peak" in results and abs(density.summary.range[0, 1] - peak) < 0.1


@pytest.mark.parallel([1, 3])
def test_what_resampling_costs_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By rank 0, once a field; a warning where it costs more than the field's target allows."""
    caplog.set_level("INFO")
    coarse = run_file(folder, resample={"cells": [4, 4, 4]})
    reports, _ = drive(coarse, Cells(COMM, steps=4))
    told = [r for r in caplog.records if "resampled to 4 x 4 x 4 cells, 100.0%" in r.getMessage()]
    assert reports[1].fields[0].resampled_db < 38
    if COMM.rank:
        assert not told
        return
    assert [record.levelname for record in told] == ["WARNING", "INFO"]
    assert "the target is 38 dB: increase resample.cells" in told[0].getMessage()
    assert f"{reports[1].fields[0].resampled_db:.1f} dB" in told[0].getMessage()
