"""What stands beside the fields that something reads is nobody's business: no step is dropped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.queries.session_file import SESSION_FILE

COMM = MPI.COMM_WORLD
N = (6, 5, 4)  # nx, ny, nz


def box(cycle: int = 0, origin: float = 0.0, domain_id: int = 0, **fields: Any) -> dict[str, Any]:
    nx, ny, nz = N
    tree: dict[str, Any] = {
        "state": {"cycle": cycle, "time": 0.5 * cycle, "domain_id": domain_id},
        "coordsets": {
            "c": {
                "type": "uniform",
                "dims": {"i": nx + 1, "j": ny + 1, "k": nz + 1},
                "origin": {"x": origin, "y": 0.0, "z": 0.0},
                "spacing": {"dx": 1.0, "dy": 1.0, "dz": 1.0},
            }
        },
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {"u": cells(np.arange(nx * ny * nz) + origin)},
    }
    tree["fields"].update(fields)
    return tree


def cells(values: Any, topology: str = "t", association: str = "element") -> dict[str, Any]:
    return {"association": association, "topology": topology, "values": np.asarray(values)}


def query(name: str, expression: str) -> dict[str, Any]:
    params = {"name": name, "expression": expression}
    return {"action": "add_queries", "queries": {name: {"params": params}}}


def particles(tree: dict[str, Any]) -> None:
    at = np.random.default_rng(0).random((3, 7))
    tree["coordsets"]["p"] = {"type": "explicit", "values": dict(zip("xyz", at, strict=True))}
    tree["topologies"]["p"] = {"type": "points", "coordset": "p"}
    tree["fields"]["ux"] = cells(at[0], "p", "vertex")


def particles_as_cells(tree: dict[str, Any]) -> None:
    particles(tree)
    elements = {"shape": "point", "connectivity": np.arange(7)}
    tree["topologies"]["p"] = {"type": "unstructured", "coordset": "p", "elements": elements}


def high_order(tree: dict[str, Any]) -> None:
    tree["fields"]["ho"] = {"basis": "H1_3D_P2", "topology": "t", "values": np.ones(50)}


def materials(tree: dict[str, Any]) -> None:
    tree["matsets"] = {"m": {"topology": "t", "volume_fractions": {"a": np.ones(120)}}}
    part = {"association": "element", "topology": "t", "matset": "m"}
    tree["fields"]["part"] = {**part, "matset_values": {"a": np.ones(120)}}


def polar(tree: dict[str, Any]) -> None:
    values = {"r": np.arange(5.0), "theta": np.arange(4.0), "z": np.arange(3.0)}
    tree["coordsets"]["pol"] = {"type": "rectilinear", "values": values}
    tree["topologies"]["pol"] = {"type": "rectilinear", "coordset": "pol"}
    tree["fields"]["q"] = cells(np.ones(24), "pol")


def wrong_size(tree: dict[str, Any]) -> None:
    tree["fields"]["w"] = cells(np.ones(7))


BESIDE = [particles, particles_as_cells, high_order, materials, polar, wrong_size]


def run(folder: Path, steps: list[Any], fields: list[str], *actions: Any) -> list[Any]:
    config = {
        "fields": {name: {"psnr": 30, "model": "dense_grid"} for name in fields},
        "window": {"every": 1, "steps": 10},
        "record": {"path": folder / "rec", "scratch": folder},
        "output": folder,
        "actions": list(actions),
    }
    reports = []
    with insitu.open(config, COMM, quiet=True) as session:
        for step in steps:
            session.publish(step)
            reports.append(session.execute())
            assert session.dropped == ""
    return reports


def results(folder: Path, name: str) -> list[float]:
    found = yaml.safe_load((folder / SESSION_FILE).read_text())[name]
    return [float(result["value"]) for _, result in sorted(found.items())]


@pytest.mark.parallel(1)
@pytest.mark.parametrize("beside", BESIDE)
def test_what_nobody_reads_is_left_alone(beside: Any, tmp_path: Path) -> None:
    tree = box()
    beside(tree)
    (report,) = run(tmp_path, [tree], ["u"], query("n", "count(field('u'))"))
    assert [field.name for field in report.fields] == ["u"]
    assert results(tmp_path, "n") == [120]


@pytest.mark.parallel(1)
def test_a_field_that_cannot_be_read_costs_itself_alone(tmp_path: Path, caplog: Any) -> None:
    tree = box(w=cells(np.ones(7)))
    asked = [query("n", "count(field('u'))"), query("m", "count(field('w'))")]
    first, second = run(tmp_path, [tree, box(1, w=cells(np.ones(120)))], ["u", "w"], *asked)
    assert [field.name for field in first.fields] == ["u"]
    assert [field.name for field in second.fields] == ["u", "w"]
    assert results(tmp_path, "n") == [120, 120]
    first_m, second_m = results(tmp_path, "m")
    assert np.isnan(first_m) and second_m == 120
    assert "fields/w/values: 7 values, topology 't' has 120 elements" in caplog.text


@pytest.mark.parallel([1, 3])
def test_a_field_on_some_domains_and_an_empty_domain(tmp_path_factory: Any) -> None:
    folder = COMM.bcast(tmp_path_factory.mktemp("some") if COMM.rank == 0 else None)
    steps = []
    for cycle in range(2):
        mine = [box(cycle, 6.0 * COMM.rank, COMM.rank, v=cells(np.ones(120)))]
        if COMM.rank == 0:
            mine.append(box(cycle, -6.0, 7))  # without v
            nothing = box(cycle, 50, 8)
            nothing["coordsets"]["c"]["dims"] = {"i": 0, "j": 0, "k": 0}
            nothing["fields"]["u"]["values"] = np.zeros(0)
            mine.append(nothing)
        if COMM.rank == 2:
            del mine[0]["fields"]["v"]
        steps.append(mine)
    asked = [query("n", "count(field('u'))"), query("m", "sum(field('v') + 0 * field('u'))")]
    reports = run(folder, steps, ["u", "v"], *asked)
    assert [[f.name for f in report.fields] for report in reports] == [["u", "v"]] * 2
    if COMM.rank == 0:
        assert results(folder, "n") == [120 * (COMM.size + 1)] * 2
        assert results(folder, "m") == [120 * min(COMM.size, 2)] * 2


@pytest.mark.parallel(1)
def test_grids_and_cells_with_fields_of_their_own_on_several_topologies(tmp_path: Path) -> None:
    tree = box()
    corners = np.array([[x, y, z] for z in (0.0, 1.0) for y in (0.0, 1.0) for x in (0.0, 1.0, 2.0)])
    tree["coordsets"]["h"] = {
        "type": "explicit",
        "values": dict(zip("xyz", corners.T, strict=True)),
    }
    hexes = np.array([[0, 1, 4, 3, 6, 7, 10, 9], [1, 2, 5, 4, 7, 8, 11, 10]])
    elements = {"shape": "hex", "connectivity": hexes.ravel()}
    tree["topologies"]["h"] = {"type": "unstructured", "coordset": "h", "elements": elements}
    tree["fields"]["solid"] = cells(corners[:, 0].copy(), "h", "vertex")
    line = {"type": "rectilinear", "values": {axis: np.arange(4.0) for axis in "xyz"}}
    tree["coordsets"]["r"] = line
    tree["topologies"]["r"] = {"type": "rectilinear", "coordset": "r"}
    tree["fields"]["other"] = cells(np.arange(27), "r")  # integers
    asked = [query("a", "max(field('solid'))"), query("b", "sum(field('other'))")]
    (report,) = run(tmp_path, [tree], ["u", "solid", "other"], *asked)
    assert [field.name for field in report.fields] == ["u", "solid", "other"]
    record = insitu.open_record(tmp_path / "rec")
    assert record["other"].sel(step=0).decode().shape == (3, 3, 3)
    assert float(record["solid"].sel(step=0)([[1.5, 0.5, 0.5]])[0]) == pytest.approx(1.5, abs=0.2)
    assert results(tmp_path, "b") == [27 * 13]


@pytest.mark.parallel(1)
def test_ghosts_by_any_of_several_names(tmp_path: Path) -> None:
    flags = np.zeros((4, 5, 6), np.int32)
    flags[:, :, -1] = 1
    (part,) = insitu.mesh.partitions(
        box(halo=cells(flags)), "u", ghosts="ignore", ghost_field=("ascent_ghosts", "halo")
    )
    assert part.cells == (4, 5, 5)
