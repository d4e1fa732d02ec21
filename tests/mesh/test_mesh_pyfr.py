"""What PyFR publishes (tests/data/pyfr) becomes boxes: a domain per element type, points of each
element its own, values that differ on faces between elements.

In: the recorded tree, its domains dealt out to ranks. Out: nothing but pass or fail.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from insitu.mesh import PublishedStep, Resampler, field_names, partitions, verify
from insitu.mesh.resample import resampled_names
from tests.support.cell_meshes import SPLITS

COMM = MPI.COMM_WORLD
TREE = Path(__file__).resolve().parents[1] / "data" / "pyfr" / "tree.npz"
CELLS = (8, 10, 9)


def recorded() -> dict[str, dict[str, Any]]:
    """Its two domains, without the state that is PyFR's own."""
    found: dict[str, dict[str, Any]] = {}
    for path, values in np.load(TREE).items():
        _, domain, *keys = path.split("/")
        if keys[0] == "state":
            continue
        at = found.setdefault(domain, {})
        for key in keys[:-1]:
            at = at.setdefault(key, {})
        at[keys[-1]] = values if values.ndim else str(values)
    return found


def of_several_types(domain: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The same with the last third of its elements as tetrahedra, in a domain of their own."""
    elements = domain["topologies"]["mesh"]["elements"]
    corners = elements["connectivity"].reshape(-1, 8)
    cut = 8 * (len(corners) // 24)  # whole elements: 2^3 cells each
    tets = corners[-cut:][:, SPLITS["tet"]].ravel()
    parts = {"hex": corners[:-cut].ravel(), "tet": tets}
    return {
        f"domain_{shape}": {
            **domain,
            "topologies": {
                "mesh": {
                    **domain["topologies"]["mesh"],
                    "elements": {"shape": shape, "connectivity": connectivity},
                }
            },
        }
        for shape, connectivity in parts.items()
    }


def share(comm: MPI.Comm, several: bool) -> Any:
    """This rank's domains; ranks above 1 have none, a single rank has all."""
    domains = recorded()
    if several:
        domains = {"domain_0": domains["domain_0"], **of_several_types(domains["domain_1"])}
    mine = {
        name: domain
        for name, domain in domains.items()
        if comm.size == 1 or comm.rank == (name != "domain_0")
    }
    return mine or None


def whole(comm: MPI.Comm, boxes: Any) -> tuple[np.ndarray, ...] | None:
    """u, v, w of all ranks (nz, ny, nx), on rank 0."""
    mine = [(b.bounds[0], b.owned) for b in partitions(boxes, "velocity")]
    gathered = comm.gather(mine, root=0)
    if gathered is None:
        return None
    result = np.full((3, *(n + 1 for n in CELLS[::-1])), np.nan)
    for low, parts in (block for blocks in gathered for block in blocks):
        x, y, z = (round((v + np.pi) / (2 * np.pi) * n) for v, n in zip(low, CELLS, strict=True))
        nz, ny, nx = parts[0].shape
        result[:, z : z + nz, y : y + ny, x : x + nx] = parts
    return tuple(result)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("several", [False, True])
def test_velocity_and_pressure(several: bool) -> None:
    """The vortex of its initial condition, as well as 3^3 elements of order 2 have it."""
    mesh = share(COMM, several)
    verify(mesh)
    domains = PublishedStep(mesh).domains_read
    assert not domains or resampled_names(domains, field_names(mesh)) == ["velocity", "pressure"]
    resampler = Resampler(COMM, CELLS)
    boxes = resampler.to_boxes(mesh, ["velocity", "pressure"])
    velocity, pressure = (resampler.error(boxes, name) for name in ("velocity", "pressure"))
    assert velocity.covered == pressure.covered == 1 and velocity.read == 1
    assert pressure.n_points == (12 + 15) * 27 and velocity.n_points == 3 * pressure.n_points
    assert 15 < pressure.psnr_db < 40 and 15 < velocity.psnr_db < 40
    found = whole(COMM, boxes)
    if found is None:
        return
    z, y, x = np.meshgrid(*[np.linspace(-np.pi, np.pi, n + 1) for n in CELLS[::-1]], indexing="ij")
    expected = np.sin(x) * np.cos(y) * np.cos(z), -np.cos(x) * np.sin(y) * np.cos(z), 0 * x
    for component, wanted in zip(found, expected, strict=True):
        assert np.sqrt(np.mean((component - wanted) ** 2)) < 0.1
    alone = Resampler(MPI.COMM_SELF, CELLS)
    single = alone.to_boxes(share(MPI.COMM_SELF, several), ["velocity"])
    np.testing.assert_array_equal(whole(MPI.COMM_SELF, single), found)
