"""`model: auto` over a restart and in a replay: blocks of both kinds in one record."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu import actions, config
from insitu.fields.model_field import ModelField
from insitu.metrics import psnr
from insitu.session.replay import Replay, moments
from insitu.store.record import open_record
from insitu.store.shared_series import SharedSeries
from insitu.training import select_model
from insitu.training.job import TrainingJob

COMM = MPI.COMM_WORLD
N, PSNR = 24, 25.0
KINDS = {0: "sparse_grid", 1: "hash_grid"}
QUERIES = yaml.safe_load("""
- action: add_queries
  queries:
    q1: {params: {name: mean, expression: "avg(field('u'))"}}
    q2: {params: {name: change, expression: "avg(abs(field('u') - field('u', step=-1)))"}}
""")


def truth(domain: int, step: int) -> np.ndarray:
    z, y, x = np.meshgrid(*[np.linspace(0, 1, N)] * 3, indexing="ij")
    front = np.tanh(5 * (x + domain + 0.3 * y - 0.9 - 0.05 * step))
    noise = np.random.default_rng(step).normal(scale=4e-3, size=x.shape)
    return (front * np.cos(2 * z) + noise).astype(np.float32)


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


def run_file(folder: Path) -> dict[str, Any]:
    quick = {"n_min": 200, "epochs": 1}
    return {
        "fields": {"u": {"model": "auto", "psnr": PSNR, "training": quick}},
        "window": {"every": 1, "steps": 3, "key_every": 3},
        "actions": QUERIES,
        "record": {"path": str(folder / "record"), "scratch": str(folder)},
        "output": str(folder),
        "on_error": "raise",
    }


def run(folder: Path, first: int, last: int) -> list[str]:
    """What the steps' reports say of the models. Collective."""
    chosen = []
    with insitu.open(run_file(folder), COMM, quiet=True) as session:
        for step in range(first, last):
            session.publish([mesh(d, step) for d in (0, 1) if d % COMM.size == COMM.rank])
            (field,) = session.execute().fields
            chosen.append(field.chosen)
    COMM.barrier()
    return chosen


@pytest.fixture
def costly_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the second block, a sparse grid that is as large as one of 100 dB: with all the noise."""
    original = select_model._as_sparse

    def as_sparse(job: TrainingJob) -> TrainingJob:
        made = original(job)
        is_second = job.partition.domain_id == 1
        return made.with_target(psnr=100.0) if is_second else made

    monkeypatch.setattr(select_model, "_as_sparse", as_sparse)


@pytest.mark.parallel([1, 2])
@pytest.mark.usefixtures("costly_second")
def test_blocks_keep_their_kind_over_a_restart_and_are_replayed(folder: Path) -> None:
    chosen = run(folder, 0, 3)
    chosen += run(folder, 3, 6)  # a new process knows nothing of the choices before
    for text in chosen:
        assert "sparse_grid 1 block" in text and "hash_grid 1 block" in text, text

    record = open_record(folder / "record")
    assert record["u"].cycles.tolist() == list(range(6))
    for step in range(6):
        field = record["u"][step]
        kinds = {}
        for block in field.fields:
            assert isinstance(block, ModelField) and block.model is not None
            kinds[block.domain_id] = block.model.kind
        assert kinds == KINDS
        published = np.concatenate([truth(d, step) for d in (0, 1)], axis=2)
        assert psnr(field.decode(), published) >= PSNR
    replay_agrees(folder)


def replay_agrees(folder: Path) -> None:
    """Queries of a replay are those of the decoded fields, over the restart too. Collective."""
    if COMM.rank == 0:
        (folder / "run.yaml").write_text(yaml.safe_dump(run_file(folder)))
    COMM.barrier()
    record = open_record(folder / "record")
    series = SharedSeries(COMM, record)
    kinds = {name: n for name, (_, n) in series.kinds.items()}
    wanted, left_out = actions.parse_for_record(*config.read_actions(folder / "run.yaml"), kinds)
    assert left_out == []
    report = Replay(COMM, series, wanted, folder / "replayed").run(moments(series))
    assert report.failed == [] and report.cycles == list(range(6))
    COMM.barrier()
    told = yaml.safe_load((folder / "replayed" / "ascent_session.yaml").read_text())
    decoded = [record["u"][step].decode() for step in range(6)]
    means = [told["mean"][cycle]["value"] for cycle in range(6)]
    np.testing.assert_allclose(means, [values.mean() for values in decoded], atol=1e-6)
    changes = [told["change"][cycle]["value"] for cycle in range(1, 6)]
    expected = [np.abs(b - a).mean() for a, b in pairwise(decoded)]
    np.testing.assert_allclose(changes, expected, rtol=1e-4)
