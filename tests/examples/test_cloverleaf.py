"""CloverLeaf on one rank: against the Fortran original, and what it publishes.

In: reference runs of the original. Out: nothing but pass or fail.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cloverleaf import CloverLeaf, DeckError
from cloverleaf.__main__ import main
from cloverleaf.axes import X, Y, Z
from mpi4py import MPI

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests" / "data" / "cloverleaf_small"
SPHERE = ROOT.parent / "shared" / "reference" / "cloverleaf3d" / "sphere"
# The original's output sets velocities and viscosities below this to zero.
OUTPUT_CUTOFF = 1e-8


def start(cells: tuple[int, int, int] | None = None) -> CloverLeaf:
    return CloverLeaf(SMALL / "clover.in", MPI.COMM_SELF, cells=cells)


def owned(simulation: CloverLeaf) -> dict[str, np.ndarray]:
    """What the original writes: owned values, small ones cut off."""
    simulation.mesh()
    fields = simulation.fields
    arrays = {
        name: getattr(fields, name + suffix)
        for name, suffix in (("density", "0"), ("energy", "0"), ("pressure", ""))
    }
    cut = {"viscosity": fields.viscosity}
    cut |= {"x_vel": fields.vel0[X], "y_vel": fields.vel0[Y], "z_vel": fields.vel0[Z]}
    arrays |= {name: np.where(np.abs(a) > OUTPUT_CUTOFF, a, 0.0) for name, a in cut.items()}
    return {name: array[2:-2, 2:-2, 2:-2] for name, array in arrays.items()}


def check_against_original(folder: Path) -> None:
    """Run a folder's deck to its end beside the stored summaries and fields."""
    expected = {row["step"]: row for row in json.loads((folder / "summary.json").read_text())}
    simulation = CloverLeaf(folder / "clover.in", MPI.COMM_SELF)
    compared = 0
    while True:
        if simulation.cycle in expected:
            row = expected[simulation.cycle]
            assert simulation.time == pytest.approx(row["time"], rel=1e-13)
            for name, value in simulation.summary().items():
                assert value == pytest.approx(row[name], rel=1e-12, abs=1e-14), name
            compared += 1
        stored = folder / f"fields_{simulation.cycle:05d}.npz"
        if stored.exists():
            ours = owned(simulation)
            with np.load(stored) as theirs:
                assert set(theirs.files) == set(ours)
                for name in theirs.files:
                    scale = np.abs(theirs[name]).max()
                    worst = np.abs(ours[name] - theirs[name]).max()
                    assert worst <= 1e-13 * scale, (name, worst)
            compared += 1
        if simulation.done:
            break
        simulation.step()
    assert compared == len(expected) + 2


def test_cuboid_agrees_with_the_original() -> None:
    check_against_original(SMALL)


def test_moving_states_and_varying_step_agree_with_the_original() -> None:
    if not SPHERE.is_dir():
        pytest.skip(f"the reference run in {SPHERE} is missing")
    check_against_original(SPHERE)


def leaves(tree: dict, prefix: str = "") -> dict[str, object]:
    """Flatten nested dicts to slash separated paths."""
    flat: dict[str, object] = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        flat |= leaves(value, path + "/") if isinstance(value, dict) else {path: value}
    return flat


def test_tree_has_the_paths_of_the_instrumented_original() -> None:
    simulation = start((6, 5, 4))
    simulation.step()
    tree = leaves(simulation.mesh())
    on_cells = {"association": "element", "topology": "mesh"}
    words = {
        "coordsets/coords/type": "rectilinear",
        "topologies/mesh/type": "rectilinear",
        "topologies/mesh/coordset": "coords",
        "fields/ascent_ghosts/type": "scalar",
        "fields/velocity/association": "vertex",
        "fields/velocity/topology": "mesh",
    }
    for field in ("ascent_ghosts", "density", "energy", "pressure"):
        words |= {f"fields/{field}/{key}": word for key, word in on_cells.items()}
    sizes = {f"coordsets/coords/values/{a}": n + 5 for a, n in zip("xyz", (6, 5, 4), strict=True)}
    cells, vertices = 10 * 9 * 8, 11 * 10 * 9
    sizes |= {f"fields/{f}/values": cells for f in ("ascent_ghosts", "density", "energy")}
    sizes["fields/pressure/values"] = cells
    sizes |= {f"fields/velocity/values/{a}": vertices for a in "xyz"}
    state = {"state/time": simulation.time, "state/domain_id": 0, "state/cycle": 1}
    assert set(tree) == set(words) | set(sizes) | set(state)
    assert {path: tree[path] for path in words} == words
    assert {path: tree[path] for path in state} == state
    for path, size in sizes.items():
        values = tree[path]
        assert isinstance(values, np.ndarray)
        assert values.dtype == np.float64 and values.shape == (size,), path


def test_tree_shares_the_simulations_memory() -> None:
    simulation = start((6, 5, 4))
    tree, fields = simulation.mesh()["fields"], simulation.fields
    pairs = {"density": fields.density0, "energy": fields.energy0, "pressure": fields.pressure}
    for name, array in pairs.items():
        assert np.shares_memory(tree[name]["values"], array), name
    for axis, name in ((X, "x"), (Y, "y"), (Z, "z")):
        assert np.shares_memory(tree["velocity"]["values"][name], fields.vel0[axis]), name
    before = tree["density"]["values"].copy()
    simulation.step()
    assert not np.array_equal(before, tree["density"]["values"])


def test_coordinates_are_the_nodes_with_two_ghost_layers() -> None:
    values = start((10, 5, 4)).mesh()["coordsets"]["coords"]["values"]
    np.testing.assert_allclose(values["x"], np.arange(-2.0, 13.0))
    np.testing.assert_allclose(values["y"], np.arange(-4.0, 15.0, 2.0))
    np.testing.assert_allclose(values["z"], np.arange(-4.0, 13.0, 2.0))


def test_ghost_flags_are_two_outside_and_one_within() -> None:
    flags = start((3, 4, 5)).mesh()["fields"]["ascent_ghosts"]["values"].reshape(9, 8, 7)
    assert not flags[2:-2, 2:-2, 2:-2].any()
    assert (flags[1:-1, 1:-1, 1:-1] > 0).sum() == (flags == 1).sum() == 7 * 6 * 5 - 60
    assert (flags == 2).sum() == 9 * 8 * 7 - 7 * 6 * 5
    assert list(flags[4, 4]) == [2, 1, 0, 0, 0, 1, 2]


def test_published_density_ghosts_are_a_step_old_and_pressure_ghosts_are_not() -> None:
    simulation = start((8, 8, 8))
    for _ in range(4):
        simulation.step()
    simulation.mesh()
    start_of_step = simulation.fields.density0[:, :, 2].copy()
    simulation.step()
    simulation.mesh()
    density, pressure = simulation.fields.density0, simulation.fields.pressure
    inner = (slice(2, -2), slice(2, -2))
    np.testing.assert_array_equal(density[:, :, 1][inner], start_of_step[inner])
    assert not np.array_equal(density[:, :, 1][inner], density[:, :, 2][inner])
    np.testing.assert_array_equal(pressure[:, :, 1][inner], pressure[:, :, 2][inner])


def test_publishing_does_not_disturb_the_run() -> None:
    quiet, watched = start((8, 7, 6)), start((8, 7, 6))
    for _ in range(6):
        quiet.step()
        watched.step()
        watched.mesh()
        watched.summary()
    np.testing.assert_array_equal(owned(quiet)["energy"], owned(watched)["energy"])
    assert quiet.time == watched.time


def test_done_at_the_decks_end_step() -> None:
    simulation = start((4, 4, 4))
    for _ in range(40):
        assert not simulation.done
        simulation.step()
    assert simulation.done and simulation.cycle == 40


def test_unstable_run_says_so() -> None:
    simulation = start((4, 4, 4))
    simulation.fields.energy0[3, 3, 3] = np.nan
    with pytest.raises(ArithmeticError, match=r"step 1 .*unstable"):
        simulation.step()


def test_missing_deck_and_bad_cells_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CloverLeaf(tmp_path / "none.in", MPI.COMM_SELF)
    with pytest.raises(DeckError, match="y_cells is 0"):
        start((4, 0, 4))


def test_command_line_prints_the_summary_table(capsys: pytest.CaptureFixture[str]) -> None:
    deck = str(SMALL / "clover.in")
    assert main([deck, "--steps", "12", "--cells", "6", "6", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["step", "time", "volume"]
    assert [int(line.split()[0]) for line in lines[1:]] == [0, 10, 12]


def test_command_line_reports_a_missing_deck(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no_such_deck.in"]) == 1
    assert "no_such_deck.in" in capsys.readouterr().err
