"""Cinema databases: every picture is where the index says, and steps add up."""

import csv
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.render.picture.cinema import FOLDER, Cinema
from insitu.render.picture.view import View

BOUNDS = (np.array([0.0, 0, 0]), np.array([2.0, 4, 4]))  # the diagonal is 6
CINEMA = Cinema(db_name="db", phi=(-180.0, 0.0), theta=(0.0, 90.0), zoom=2, view=View(title="t"))


def test_views() -> None:
    views = {path.name: view for view, path in CINEMA.views(Path("out"), cycle=12, bounds=BOUNDS)}
    assert views.keys() == {
        f"{phi}_{theta}_db.png" for phi, theta in product(("-180.0", "0.0"), ("0.0", "90.0"))
    }
    # From the z axis with y up; turned by 90 degrees about x, from below with z up.
    ahead, below = views["0.0_0.0_db.png"], views["0.0_90.0_db.png"]
    assert ahead.title == "t" and ahead.camera.zoom == 2
    np.testing.assert_allclose(ahead.camera.position, [1, 2, 2 + 7.5])
    np.testing.assert_allclose(ahead.camera.up, [0, 1, 0])
    np.testing.assert_allclose(below.camera.position, [1, 2 - 7.5, 2], atol=1e-12)
    np.testing.assert_allclose(below.camera.up, [0, 0, 1], atol=1e-12)


def test_the_index(tmp_path: Path) -> None:
    path = CINEMA.write_index(MPI.COMM_SELF, tmp_path, [5])
    assert path == tmp_path / FOLDER / "db" / "info.json"
    CINEMA.write_index(MPI.COMM_SELF, tmp_path, [10, 15])
    index = json.loads(path.read_text())
    assert index["metadata"] == {"type": "parametric-image-stack"}
    values = {name: argument["values"] for name, argument in index["arguments"].items()}
    assert values["time"] == ["5", "10", "15"]
    named = {
        index["name_pattern"].format(**dict(zip(values, row, strict=True)))
        for row in product(*values.values())
    }
    drawn = {
        str(file.relative_to(path.parent))
        for cycle in (5, 10, 15)
        for _, file in CINEMA.views(tmp_path, cycle, BOUNDS)
    }
    assert named == drawn and len(named) == 12
    with path.with_name("data.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert {row["FILE"] for row in rows} == drawn
    assert all(row["FILE"].startswith(f"{row['time']}/{row['phi']}_") for row in rows)


@pytest.mark.parametrize("there", ["", "{}", "[]", '{"arguments": 3}'])
def test_an_index_that_is_not_one_of_these_is_replaced(there: str, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "db" / "info.json"
    path.parent.mkdir(parents=True)
    path.write_text(there)
    CINEMA.write_index(MPI.COMM_SELF, tmp_path, [5])
    assert json.loads(path.read_text())["arguments"]["time"]["values"] == ["5"]


def test_a_run_that_starts_again(tmp_path: Path) -> None:
    for cycles in ([5], [10], [15], [10]):
        path = CINEMA.write_index(MPI.COMM_SELF, tmp_path, cycles)
    assert json.loads(path.read_text())["arguments"]["time"]["values"] == ["5", "10"]
    other = Cinema(db_name="db", phi=(0.0,), theta=(0.0,))
    other.write_index(MPI.COMM_SELF, tmp_path, [20])
    assert json.loads(path.read_text())["arguments"]["time"]["values"] == ["20"]
