"""The Taylor-Green vortex against exact solutions; its elements; a run with insitu attached."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

COMM = MPI.COMM_WORLD
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nekrs"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))


def plane_vortex(solver: object) -> np.ndarray:
    """sin x cos y, -cos x sin y: its shape stays, its size decays as exp(-2 nu t)."""
    z, y, x = solver.points
    zero = 0 * (x + y + z)
    return np.stack([np.sin(x) * np.cos(y) + zero, -np.cos(x) * np.sin(y) + zero, zero])


@pytest.mark.parallel([1, 3])
def test_transforms_come_back() -> None:
    from spectral import Spectral

    solver = Spectral(COMM, 10, 0.1)
    rng = np.random.default_rng(COMM.rank)
    fields = rng.normal(size=(3, solver.points[0].shape[0], 10, 10))
    np.testing.assert_allclose(solver.backward(solver.forward(fields)), fields, atol=1e-12)


@pytest.mark.parallel([1, 3, 4])
def test_an_exact_solution() -> None:
    from spectral import Spectral

    solver = Spectral(COMM, 12, 0.05)
    start = plane_vortex(solver)
    u = solver.forward(start)
    for _ in range(10):
        u = solver.advanced(u, 0.1)
    np.testing.assert_allclose(solver.backward(u), start * np.exp(-0.1), atol=1e-12)
    z, y, x = solver.points
    expected = 0.25 * (np.cos(2 * x) + np.cos(2 * y)) * np.exp(-0.2) + 0 * z
    np.testing.assert_allclose(solver.backward(solver.pressure(u)[None])[0], expected, atol=1e-12)


@pytest.mark.parallel(1)
def test_time_steps_are_of_order_four() -> None:
    from spectral import Spectral
    from taylor_green import TaylorGreen

    ends = []
    for steps in (8, 16, 64):
        flow = TaylorGreen(COMM, n=16, elements=1, dt=1.6 / steps, reynolds=50.0)
        for _ in range(steps):
            flow.step()
        ends.append(flow._u)
    assert isinstance(flow.solver, Spectral)
    coarse, fine = (np.abs(end - ends[-1]).max() for end in ends[:-1])
    assert 12 < coarse / fine < 24


@pytest.mark.parallel([1, 3])
def test_energy_is_lost_to_viscosity_alone() -> None:
    """And the same on any number of ranks."""
    from taylor_green import TaylorGreen

    flow = TaylorGreen(COMM, n=16, elements=2, dt=0.05, reynolds=100.0)
    assert abs(flow.energy - 1 / 8) < 1e-14
    flow.step()
    # dE/dt = -2 nu (enstrophy), which is 3/8 at first.
    assert abs(flow.energy - (1 / 8 - 0.05 * 0.01 * 0.75)) < 1e-5
    if COMM.rank == 0:
        alone = TaylorGreen(MPI.COMM_SELF, n=16, elements=2, dt=0.05, reynolds=100.0)
        alone.step()
        mine = alone.energy
    else:
        mine = 0.0
    assert abs(COMM.bcast(mine) - flow.energy) < 1e-14


@pytest.mark.parallel(1)
def test_quadrature_points() -> None:
    from elements import gauss_lobatto_legendre

    np.testing.assert_allclose(gauss_lobatto_legendre(2), [-1, 0, 1], atol=1e-15)
    np.testing.assert_allclose(
        gauss_lobatto_legendre(4), [-1, -np.sqrt(3 / 7), 0, np.sqrt(3 / 7), 1], atol=1e-14
    )


@pytest.mark.parallel([1, 3])
def test_the_tree_is_that_of_nek_ascent() -> None:
    """Exact values at all points, every element on one rank, cells of positive volume."""
    from taylor_green import TaylorGreen

    from insitu.mesh import field_names, verify
    from insitu.mesh.cells import read_cells
    from insitu.mesh.resample import _volumes

    flow = TaylorGreen(COMM, n=16, elements=3, order=4)
    tree = flow.mesh()
    verify(tree)
    assert field_names(tree) == ["velocity_x", "velocity_y", "velocity_z", "pressure", "velocity"]
    x, y, z = (tree["coordsets"]["coords"]["values"][letter] for letter in "xyz")
    expected = np.sin(x) * np.cos(y) * np.cos(z)
    np.testing.assert_allclose(tree["fields"]["velocity_x"]["values"], expected, atol=1e-12)
    pressure = (np.cos(2 * x) + np.cos(2 * y)) * (np.cos(2 * z) + 2) / 16
    np.testing.assert_allclose(tree["fields"]["pressure"]["values"], pressure, atol=1e-12)
    cells = read_cells(tree, "mesh")
    volume = COMM.allreduce(_volumes(cells).sum())
    assert len(cells.corners) == 4**3 * len(flow.elements.places)
    assert COMM.allreduce(len(flow.elements.places)) == 27
    assert abs(volume - (2 * np.pi) ** 3) < 1e-9


@pytest.mark.parallel([1, 3])
def test_a_dry_run_tells_which_grid_would_do(capfd: pytest.CaptureFixture[str]) -> None:
    from insitu.session import run

    small = ["simulation.n=16", "simulation.elements=2", "resample.cells=[6,6,6]"]
    options = [part for change in small for part in ("--set", change)]
    assert run.main([str(EXAMPLE / "run.yaml"), "--dry-run", *options]) == 0
    told = [line for line in capfd.readouterr().out.splitlines() if line.startswith("resampled ")]
    if COMM.rank:
        assert not told
        return
    velocity, pressure = told
    assert "velocity to 6 x 6 x 6 cells, 100.0% of it in the domain: 2" in velocity
    assert "pressure to 6 x 6 x 6" in pressure
    for line in told:
        reached = line.split("; with cells: [")[1].split("], ")[1]
        assert 46 <= float(reached.removesuffix(" dB")) < 60


@pytest.mark.parallel([1, 4])
def test_the_run_file(folder: Path) -> None:
    import insitu
    from insitu.session import run

    arguments = [
        str(EXAMPLE / "run.yaml"),
        "--quiet",
        *(
            "--set",
            "simulation.n=16",
            "--set",
            "simulation.elements=2",
            "--set",
            "simulation.steps=20",
        ),
        *("--set", "resample.cells=[16,16,16]", "--set", f"output={folder}"),
        *("--set", f"record.path={folder}/record", "--set", f"record.scratch={folder}"),
    ]
    assert run.main(arguments) == 0
    COMM.barrier()
    record = insitu.open_record(folder / "record")
    velocity = record["velocity"].sel(step=-1)
    assert velocity.n_components == 3 and len(velocity.boxes) == COMM.size
    assert velocity.summary.psnr_db >= 40
