"""A session on points without connectivity: recorded as Gaussians, opened anywhere, drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.parallel import RemoteError
from tests.support.sessions import drive, run_file

COMM = MPI.COMM_WORLD


class Particles:
    """Particles that move through a bump, dealt out to ranks at random, so that a rank's box has
    points of all of them."""

    def __init__(self, comm: MPI.Comm, steps: int = 8, n: int = 3000, cells: bool = False) -> None:
        self.comm, self.steps, self.cycle, self.time, self.cells = comm, steps, 0, 0.0, cells
        start = np.random.default_rng(0).random((n, 3)) * [1.0, 0.7, 0.8]
        self._start = start[comm.rank :: comm.size]

    @property
    def done(self) -> bool:
        return self.cycle >= self.steps

    def density(self, at: np.ndarray) -> np.ndarray:
        r2 = np.square(at - [0.3 + 0.5 * self.time, 0.4, 0.4]).sum(axis=1)
        return 0.2 + (1 + self.time) * np.exp(-12 * r2)

    def step(self) -> None:
        self.cycle += 1
        self.time = self.cycle * 0.05

    def points(self) -> np.ndarray:
        """This rank's, (n, 3)."""
        x, y, z = self._start.T
        at = np.stack([x, y + 0.1 * self.time * np.sin(6 * x), z], axis=1)
        if self.comm.rank == 0:
            at[0] = [0.3 + 0.5 * self.time, 0.4, 0.4]  # the peak
        return at

    def mesh(self) -> Any:
        at = self.points()
        topology: dict[str, Any] = {"type": "points", "coordset": "c"}
        if self.cells:
            elements = {"shape": "point", "connectivity": np.arange(len(at), dtype=np.int32)}
            topology = {"type": "unstructured", "coordset": "c", "elements": elements}
        return {
            "state": {"cycle": self.cycle, "time": self.time},
            "coordsets": {"c": {"type": "explicit", "values": dict(zip("xyz", at.T, strict=True))}},
            "topologies": {"t": topology},
            "fields": {
                "density": {
                    "topology": "t", "association": "vertex", "values": self.density(at),
                },
                "velocity": {
                    "topology": "t", "association": "element",
                    "values": dict(zip("xyz", (at * [1, 2, 3]).T, strict=True)),
                },
            },
        }  # fmt: skip


FIELDS: dict[str, Any] = {
    "density": {"psnr": 38, "model": "gaussians"},
    "velocity": {"model": {"kind": "gaussians", "n_gaussians": 60}, "iterations": 30},
}


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("cells", [False, True], ids=["points", "unstructured"])
def test_a_run_on_points(folder: Path, cells: bool) -> None:
    simulation = Particles(COMM, cells=cells)
    reports, summary = drive(run_file(folder, fields=FIELDS), simulation)
    assert summary.steps == 4 and reports[7].fired == ("t",) and len(reports[7].files) == 3
    last = {f.name: f for f in reports[7].fields}
    assert last["density"].psnr_db >= 37.9 and last["velocity"].psnr_db > 30
    # Opened by each process on its own: by one, whatever number wrote it.
    record = insitu.open_record(folder / "record")
    density = record["density"].sel(step=-1)
    assert len(density.boxes) == COMM.size
    assert density.summary.metrics.raw_nbytes == 3000 * 8
    at = simulation.points()
    found = density(at)
    assert np.isfinite(found).mean() > 0.99
    truth = simulation.density(at)
    known = np.isfinite(found)
    rms = np.sqrt(np.square(found - truth)[known].mean())
    assert 20 * np.log10(np.ptp(truth) / rms) > 35
    assert record["velocity"].sel(step=-1).n_components == 3


@pytest.mark.parallel([1, 3])
def test_other_models_take_the_nearest_values_on_a_grid(folder: Path) -> None:
    fields = {"density": {"psnr": 30, "model": "hash_grid"}, "velocity": {"psnr": 30}}
    changes = {"fields": fields, "resample": {"cells": [16, 12, 12]}}
    reports, _ = drive(run_file(folder, **changes), Particles(COMM, steps=4))
    assert reports[3].fields[0].psnr_db >= 29.9
    assert insitu.open_record(folder / "record")["density"].sel(step=-1).grid.shape == (12, 12, 16)


@pytest.mark.parallel([1, 3])
def test_gaussians_take_the_nodes_of_a_mesh_of_cells(folder: Path) -> None:
    """Not the samples that the mesh is resampled to."""
    from tests.support.cell_meshes import add, coordinates, cube, tree

    points, connectivity = cube(8, "tet")
    mesh = tree(points, connectivity[COMM.rank :: COMM.size], "tet")
    x, y, z = coordinates(mesh)
    add(mesh, "f", np.sin(3 * x) + y * z)
    mesh["state"] = {"cycle": 1, "time": 0.0}
    config = {
        "fields": {"f": {"model": "gaussians", "psnr": 40}},
        "window": {"every": 1},
        "record": {"path": str(folder / "record"), "scratch": str(folder)},
        "resample": {"cells": [3, 3, 3]},
        "output": str(folder),
    }
    with insitu.open(config, COMM) as session:
        session.publish(mesh)
        session.execute()
    found = insitu.open_record(folder / "record")["f"].sel(step=-1)(np.stack([x, y, z], axis=1))
    assert np.sqrt(np.square(found - (np.sin(3 * x) + y * z)).mean()) < 0.03


@pytest.mark.parallel([1, 3])
def test_no_bound_on_points(folder: Path) -> None:
    fields = {"density": {"model": "gaussians", "max_error": 0.01}}
    simulation = Particles(COMM)
    with insitu.open(run_file(folder, fields=fields, on_error="raise"), COMM) as session:
        for _ in range(2):
            simulation.step()
        session.publish(simulation.mesh())
        with pytest.raises(RemoteError, match="max_error: field 'density' has its values at p"):
            session.execute()
