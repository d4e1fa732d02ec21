"""A run with `model: sparse_grid` or `auto` on several ranks: what the record has is what was
published, and does not depend on which rank had which block."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.metrics import psnr

COMM = MPI.COMM_WORLD
N, STEPS, DOMAINS = 12, 4, 3
PSNR = 45.0


def truth(domain: int, step: int) -> np.ndarray:
    """N^3 values: a front; one with a hole; a constant."""
    if domain == 2:
        return np.full((N, N, N), 0.25, np.float32)
    z, y, x = np.meshgrid(*[np.linspace(0, 1, N)] * 3, indexing="ij")
    values = np.tanh(6 * (x + domain + 0.3 * y - 0.9 - 0.05 * step)) * np.cos(2 * z)
    if domain == 1:
        values[3:6, 4:9, 2:7] = np.nan
    return values.astype(np.float32)


def mesh(domain: int, step: int) -> dict[str, Any]:
    dims = dict.fromkeys("ijk", N + 1)
    origin = {"x": float(N * domain), "y": 0.0, "z": 0.0}
    field = {"association": "element", "topology": "t", "values": truth(domain, step).ravel()}
    return {
        "state": {"cycle": step, "time": 0.1 * step, "domain_id": domain},
        "coordsets": {"c": {"type": "uniform", "dims": dims, "origin": origin}},
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {"u": field},
    }


def record(comm: MPI.Comm, folder: Path, model: str) -> Path:
    """Run to the end on `comm`, whose ranks have the blocks in turn. Collective."""
    config = {
        "fields": {"u": {"model": model, "psnr": PSNR}},
        "window": {"every": 1, "key_every": 3},
        "record": {"path": str(folder / "record"), "scratch": str(folder)},
        "output": str(folder),
        "on_error": "raise",
    }
    with insitu.open(config, comm, quiet=True) as session:
        for step in range(STEPS):
            mine = [d for d in range(DOMAINS) if d % comm.size == comm.rank]
            session.publish([mesh(domain, step) for domain in mine])
            (field,) = session.execute().fields
            # One block is constant, and has no model.
            assert field.chosen.startswith("sparse_grid 2 blocks (") == (model == "auto")
    return folder / "record"


@pytest.mark.parallel(3)
@pytest.mark.parametrize("model", ["sparse_grid", "auto"])
def test_the_record_has_what_was_published_wherever_blocks_were(folder: Path, model: str) -> None:
    together = record(COMM, folder, model)
    alone = folder / "alone"
    if COMM.rank == 0:
        record(MPI.COMM_SELF, alone, model)
    COMM.barrier()
    found, other = insitu.open_record(together), insitu.open_record(alone / "record")
    for step in range(STEPS):
        published = np.concatenate([truth(d, step) for d in range(DOMAINS)], axis=2)
        decoded = found["u"][step].decode()
        np.testing.assert_array_equal(decoded, other["u"][step].decode())
        np.testing.assert_array_equal(np.isnan(decoded), np.isnan(published))
        np.testing.assert_array_equal(decoded[:, :, 2 * N :], 0.25)
        assert psnr(decoded, published) >= PSNR
