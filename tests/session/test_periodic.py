"""A periodic domain: derivatives and lines cross its sides, whatever the number of ranks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.core.errors import ConfigError
from insitu.mesh import rectilinear
from insitu.queries.session_file import SESSION_FILE

COMM = MPI.COMM_WORLD
N = 12
LINES = 2 * np.pi * (np.arange(N + 1) + 0.3 * np.sin(np.arange(N + 1) * 2 * np.pi / N)) / N
"""Of all axes, stretched: the cells at both ends differ from those in the middle."""
ASKED = {
    "worst": "max(abs(gradient(field('f')).x - field('slope')))",
    "divergence": "max(abs(divergence(field('v'))))",
}


def published(association: str) -> dict[str, Any]:
    """This rank's slab along x, of the whole if there is one rank."""
    cut = [round(i * N / COMM.size) for i in range(COMM.size + 1)]
    x = LINES[cut[COMM.rank] : cut[COMM.rank + 1] + 1]
    y = z = LINES
    at = [n if association == "vertex" else 0.5 * (n[1:] + n[:-1]) for n in (z, y, x)]
    zz, yy, xx = np.meshgrid(*at, indexing="ij")
    fields = {
        "f": np.sin(xx + 1),
        "slope": np.cos(xx + 1),
        "v": np.stack([np.sin(xx + 1) * np.cos(yy), -np.cos(xx + 1) * np.sin(yy), 0 * zz], -1),
    }
    return rectilinear(fields, x=x, y=y, z=z, cycle=0, time=0.0, domain_id=COMM.rank)


def errors(folder: Path, association: str, **options: Any) -> dict[str, float]:
    """The results of ASKED."""
    queries = {n: {"params": {"name": n, "expression": e}} for n, e in ASKED.items()}
    config = {
        "fields": {"f": {"psnr": 30}},
        "window": {"every": 2},
        "ghosts": "exchange",
        "output": str(folder),
        "on_error": "raise",
        "actions": [{"action": "add_queries", "queries": queries}],
        **options,
    }
    with insitu.open(config, COMM, quiet=True) as session:
        session.publish(published(association))
        session.execute()
    found = yaml.safe_load((folder / SESSION_FILE).read_text())
    return {n: s[0]["attrs"]["value"]["value"] for n, s in found.items()}


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_derivatives_cross_periodic_sides(tmp_path_factory: Any, association: str) -> None:
    folder: Path = COMM.bcast(tmp_path_factory.mktemp("periodic") if COMM.rank == 0 else None)
    inside = errors(folder / "a", association, periodic=["x", "y", "z"])
    one_sided = errors(folder / "b", association)
    assert inside["worst"] < 0.07
    assert one_sided["worst"] > 2 * inside["worst"]
    assert one_sided["divergence"] > 1.5 * inside["divergence"]


@pytest.mark.parallel([1])
def test_axes_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="periodic"):
        errors(tmp_path, "element", periodic=["w"])
