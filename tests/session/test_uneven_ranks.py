"""Ranks that publish unequal things: the record opens, and has every block's values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu

COMM = MPI.COMM_WORLD
N = 8


def truth(x: Any) -> Any:
    return np.sin(0.4 * x)


def block(first: int, dtype: str, domain: int) -> dict[str, Any]:
    """N^3 cells from x = `first` on."""
    values = np.broadcast_to(truth(first + 0.5 + np.arange(N)), (N, N, N)).astype(dtype)
    return {
        "state": {"cycle": 0, "time": 0.0, "domain_id": domain},
        "coordsets": {
            "c": {
                "type": "uniform",
                "dims": dict.fromkeys("ijk", N + 1),
                "origin": {"x": float(first), "y": 0.0, "z": 0.0},
            }
        },
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {
            "u": {"association": "element", "topology": "t", "values": values.ravel()},
        },
    }


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("step", [N, N - 3])
@pytest.mark.parametrize("ghosts", ["trust", "exchange"])
def test_mixed_types_and_overlapping_blocks(step: int, ghosts: str, folder: Path) -> None:
    mine = [i for i in range(3) if i % COMM.size == COMM.rank]
    session = insitu.open(
        {
            "fields": {"u": {"max_error": 1e-3, "codec": "sz3"}},
            "window": {"every": 1},
            "record": {"path": str(folder / "record")},
            "output": str(folder),
            "ghosts": ghosts,
            "on_error": "raise",
        },
        COMM,
    )
    session.publish([block(step * i, "f4" if i == 1 else "f8", i) for i in mine])
    session.execute()
    session.close()
    COMM.barrier()
    field = insitu.open_record(folder / "record").load("u")
    x, y, z = field.grid.coordinates
    assert (x.size, y.size, z.size) == (2 * step + N, N, N)
    decoded = field.decode()
    assert decoded.dtype == np.float64
    np.testing.assert_allclose(decoded, np.broadcast_to(truth(x), decoded.shape), atol=1e-3)
    points = np.stack([x, np.full_like(x, 2.5), np.full_like(x, 3.5)], axis=1)
    np.testing.assert_allclose(field(points), truth(x), atol=1e-3)
