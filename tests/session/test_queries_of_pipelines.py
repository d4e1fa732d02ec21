"""Queries that name a pipeline: its result is reduced, whatever the number of ranks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.core.errors import ConfigError
from insitu.mesh import uniform
from insitu.queries.session_file import SESSION_FILE

COMM = MPI.COMM_WORLD
N = (6, 4, 5)  # cells of a rank along z, y, x

PIPELINES = {
    "middle": {
        "f1": {"type": "slice", "params": {"point": [0, 2, 0], "normal": [0, 1, 0]}},
    },
    "speed": {
        "f1": {"type": "vector_magnitude", "params": {"field": "v", "output_name": "m"}},
    },
    "low": {
        "f1": {"type": "threshold", "params": {"field": "f", "min_value": 0, "max_value": 150}},
    },
}


def whole() -> np.ndarray:
    """x + 10 y + 100 z at the cells of all ranks."""
    z, y, x = np.mgrid[0 : N[0] * COMM.size, 0 : N[1], 0 : N[2]] + 0.5
    return np.asarray(x + 10 * y + 100 * z)


def published() -> dict[str, Any]:
    f = whole()[N[0] * COMM.rank : N[0] * (COMM.rank + 1)].copy()
    fields = {"f": f, "v": np.stack([3 * f, 4 * f, 0 * f], -1)}
    return uniform(fields, spacing=1, origin=(0, 0, N[0] * COMM.rank), cycle=0, domain_id=COMM.rank)


def run_file(folder: Path, **asked: tuple[str, str]) -> dict[str, Any]:
    queries = {
        name: {"params": {"expression": text, "name": name}, "pipeline": pipeline}
        for name, (pipeline, text) in asked.items()
    }
    return {
        "fields": {"f": {"psnr": 30}, "v": {"psnr": 30}},
        "window": {"every": 2},
        "output": str(folder),
        "on_error": "raise",
        "actions": [
            {"action": "add_queries", "queries": queries},
            {"action": "add_pipelines", "pipelines": PIPELINES},
        ],
    }


@pytest.mark.parallel([1, 3])
def test_results_of_pipelines_are_reduced(tmp_path_factory: Any) -> None:
    folder: Path = COMM.bcast(tmp_path_factory.mktemp("queries") if COMM.rank == 0 else None)
    config = run_file(
        folder,
        greatest=("middle", "max(field('f'))"),
        mean=("middle", "avg(field('f') + 1)"),
        speed=("speed", "max(field('m'))"),
        low=("low", "sum(field('f'))"),
    )
    config["actions"][0]["queries"]["twice"] = {
        "params": {"expression": "2 * speed.value", "name": "twice"}
    }
    with insitu.open(config, COMM, quiet=True) as session:
        session.publish(published())
        session.execute()
    found = yaml.safe_load((folder / SESSION_FILE).read_text())
    value = {name: steps[0].get("value") for name, steps in found.items()}
    attrs = {name: steps[0].get("attrs") for name, steps in found.items()}
    f = whole()
    greatest = attrs["greatest"]
    # On the plane y = 2 values are those between cells; the outer half cells repeat the last ones.
    assert greatest["value"]["value"] == pytest.approx(f[-1, 1:3, -1].mean())
    assert greatest["position"]["value"][1] == pytest.approx(2)
    assert value["mean"] == pytest.approx(f.mean() + 1, rel=0.1)
    assert attrs["speed"]["value"]["value"] == pytest.approx(5 * f.max())
    assert value["twice"] == pytest.approx(10 * f.max())
    assert value["low"] == pytest.approx(f[f <= 150].sum())


@pytest.mark.parallel([1])
@pytest.mark.parametrize(
    ("pipeline", "text", "told"),
    [
        ("nowhere", "max(field('f'))", "no pipeline 'nowhere'"),
        ("middle", "max(field('g'))", "no field 'g'"),
        ("middle", "max(field('f', step=-1))", "has no past"),
        ("middle", "max(gradient(field('f')).x)", "use the filter gradient"),
        ("middle", "max(recenter(field('f'), 'vertex'))", "not its mesh"),
        ("middle", "max(topo('mesh').cell.volume)", "not its mesh"),
        ("paths", "max(field('v', 'x'))", "queries"),
    ],
)
def test_what_cannot_be_read_of_a_pipeline(
    tmp_path: Path, pipeline: str, text: str, told: str
) -> None:
    config = run_file(tmp_path, q=(pipeline, text))
    seeds = {"type": "point", "location": [1, 1, 1]}
    params = {"field": "v", "seeds": seeds, "num_steps": 2, "step_size": 0.1}
    paths = {"paths": {"f1": {"type": "streamline", "params": params}}}
    config["actions"].append({"action": "add_pipelines", "pipelines": paths})
    with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
        insitu.open(config, COMM, quiet=True)
