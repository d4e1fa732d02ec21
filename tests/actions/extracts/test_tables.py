"""Extracts that write fields as tables, numbers and Blueprint files: what stands in them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from mpi4py import MPI

from insitu.actions.extracts.flatten import Flatten
from insitu.actions.extracts.relay import BLUEPRINT, Relay
from insitu.actions.extracts.summary import Summary
from insitu.filters.pipeline import Pipeline
from insitu.filters.surface_filters import Contour
from insitu.store.timestep import TimeStep, newest
from tests.support.windows import window

COMM = MPI.COMM_WORLD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(COMM.bcast(str(tmp_path)))


def steps() -> list[TimeStep]:
    return newest(window(COMM, (5,)), {"density", "velocity"}, 1)


def values(name: str) -> np.ndarray:
    """The samples of all blocks, those on faces between them twice, in the order of ranks."""
    mine = [np.asarray(block.decode(), np.float64) for block in steps()[0].open(name).fields]
    return [one for ranks in COMM.allgather(mine) for one in ranks]


@pytest.mark.parallel([1, 3])
def test_tables_have_a_row_for_each_sample(folder: Path) -> None:
    extract = Flatten(name="e", path="t_%d", fields=("density", "velocity"))
    (path,) = extract.run(COMM, steps(), folder)
    expected, vectors = values("density"), values("velocity")
    assert path == folder / "t_5.csv"
    if COMM.rank:
        return
    with (path / "element_data.csv").open(newline="") as file:
        titles, *rows = list(csv.reader(file))
    assert titles == ["x", "y", "z", "density", "rank", "element_id"]
    found = np.array(rows, float)
    np.testing.assert_allclose(found[:, 3], np.concatenate([v.ravel() for v in expected]))
    assert found[:, :3].min() > 0 and found[:, :3].max() < 1
    with (path / "vertex_data.csv").open(newline="") as file:
        titles, *rows = list(csv.reader(file))
    assert titles[3:6] == ["velocity/x", "velocity/y", "velocity/z"]
    found = np.array(rows, float)
    np.testing.assert_allclose(found[:, 3:6], np.concatenate([v.reshape(-1, 3) for v in vectors]))


@pytest.mark.parallel([1, 3])
def test_statistics_and_histogram_are_numpys(folder: Path) -> None:
    (path,) = Summary(name="s", fields=("density",)).run(COMM, steps(), folder)
    (other,) = Summary(name="h", fields=("density",), bins=7).run(COMM, steps(), folder)
    whole = np.concatenate([v.ravel() for v in values("density")])
    found, counts = (json.loads(p.read_text()) for p in (path, other))
    assert path.name == "s_000005.json" and found["cycle"] == 5
    expected = {
        "count": whole.size,
        "min": whole.min(),
        "max": whole.max(),
        "sum": whole.sum(),
        "mean": whole.mean(),
        "variance": whole.var(),
        "standard_deviation": whole.std(),
        "skewness": ((whole - whole.mean()) ** 3).mean() / whole.std() ** 3,
        "kurtosis": ((whole - whole.mean()) ** 4).mean() / whole.var() ** 2,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert counts["counts"] == np.histogram(whole, 7)[0].tolist()


@pytest.mark.parallel([1, 3])
def test_blueprint_files_have_all_domains(folder: Path) -> None:
    relay = Relay(name="r", path="out", protocol=BLUEPRINT, fields=("density", "velocity"))
    (path,) = relay.run(COMM, steps(), folder)
    contour = Pipeline("p", (Contour("density", (0.4,)),))
    of_surface = Relay(
        name="c", path="c_%d", protocol=BLUEPRINT, fields=("density",), pipeline=contour
    )
    (surface,) = of_surface.run(COMM, steps(), folder)
    expected = values("density")
    if COMM.rank:
        return
    assert (path, surface) == (folder / "out.cycle_000005.root", folder / "c_5.root")
    with h5py.File(path) as root:
        n = int(root["number_of_trees"][()])
        pattern = root["file_pattern"][()].decode()
        index = root["blueprint_index/mesh"]
        assert int(index["state/number_of_domains"][()]) == n == len(expected)
        assert index["fields/velocity/association"][()] == b"vertex"
        assert int(index["fields/velocity/number_of_components"][()]) == 3
        assert index["topologies/mesh/coordset"][()] == b"coords"
    for i, block in enumerate(expected):
        with h5py.File(folder / (pattern % i)) as domain:
            np.testing.assert_allclose(domain["fields/density/values"][:], block.ravel())
            assert int(domain["state/domain_id"][()]) == i
            x, y, z = (len(domain[f"coordsets/coords/values/{a}"]) for a in "xyz")
            assert len(domain["fields/velocity/values/x"]) == x * y * z
    with h5py.File(surface) as root:
        assert root["blueprint_index/mesh/topologies/surface/type"][()] == b"unstructured"
