"""Blocks are split and moved while a run goes on: every step is recorded, and a query of
the past has no value at the step of the change, and values again after it."""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.parallel import RemoteError
from insitu.session import Session

COMM = MPI.COMM_WORLD
N, STEPS = 6, 6
CHANGE = "max(abs(field('p') - field('p', step=-1))).value"


def block(cycle: int, domain: int, place: int, layers: int = N) -> dict[str, Any]:
    """A domain of N x N x `layers` cells, whose lower end is at z = `place`."""
    z, y, x = np.meshgrid(
        place + 0.5 + np.arange(layers), np.arange(N), np.arange(N), indexing="ij"
    )
    return {
        "state": {"cycle": cycle, "time": float(cycle), "domain_id": domain},
        "coordsets": {
            "c": {
                "type": "uniform",
                "dims": {"i": N + 1, "j": N + 1, "k": layers + 1},
                "origin": {"x": 0.0, "y": 0.0, "z": float(place)},
            }
        },
        "topologies": {"t": {"type": "uniform", "coordset": "c"}},
        "fields": {
            "p": {
                "association": "element",
                "topology": "t",
                "values": np.sin(x + 0.5 * y + 0.3 * z + cycle).ravel(),
            }
        },
    }


def split(cycle: int) -> list[dict[str, Any]]:
    """From cycle 3 on, each block is two, the second of which has a new number."""
    rank = COMM.rank
    if cycle < 3:
        return [block(cycle, rank, N * rank)]
    half = N // 2
    lower = block(cycle, rank, N * rank, half)
    return [lower, block(cycle, COMM.size + rank, N * rank + half, half)]


def moved(cycle: int) -> list[dict[str, Any]]:
    """From cycle 3 on, the first two ranks' blocks have changed their places, or their numbers."""
    places = [0, N, 2 * N]
    if cycle >= 3:
        places[:2] = N, 0
    return [block(cycle, i, places[i]) for i in range(3) if i % COMM.size == COMM.rank]


def results(session: Session) -> list[float]:
    values = [result.value for result in session._steps.reactions.results["q"]]
    assert all(isinstance(value, float) for value in values)
    return values  # type: ignore[return-value]


def run(folder: Path, blocks: Any, expression: str, **options: Any) -> Session:
    queries = {"q": {"params": {"expression": expression, "name": "q"}}}
    trigger = {"params": {"condition": "q > 100", "actions": []}}
    session = insitu.open(
        {
            "fields": {"p": {"max_error": 1e-3, "codec": "sz3"}},
            "window": {"steps": STEPS, "every": 1},
            "record": {"path": str(folder / "record")},
            "output": str(folder),
            "actions": [
                {"action": "add_queries", "queries": queries},
                {"action": "add_triggers", "triggers": {"t": trigger}},
            ],
            **options,
        },
        COMM,
    )
    for cycle in range(STEPS):
        session.publish(blocks(cycle))
        session.execute()
    session.close()
    COMM.barrier()
    record = insitu.open_record(folder / "record")
    assert record["p"].cycles.tolist() == list(range(STEPS))
    field = record.load("p")
    assert field.summary.bounds[1][2] == N * (COMM.size if blocks is not moved else 3)
    return session


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("blocks", [split, moved])
def test_a_change_of_blocks_costs_one_value(
    blocks: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        session = run(folder, blocks, CHANGE, on_error="raise")
    values = results(session)
    assert [math.isnan(value) for value in values] == [c in (0, 3) for c in range(STEPS)]
    told = [record.message for record in caplog.records if "blocks are not" in record.message]
    if COMM.rank == 0:
        assert len(told) == 1
        assert "query q: no value at cycle 3: blocks are not those of an earlier step" in told[0]
    else:
        assert not told


@pytest.mark.parallel([1, 3])
def test_windows_have_values_again_when_the_change_has_left_them(folder: Path) -> None:
    session = run(folder, split, "max(abs(field('p') - window('p', 3))).value", on_error="raise")
    values = results(session)
    assert [math.isnan(value) for value in values] == [c in (3, 4) for c in range(STEPS)]


def with_coarse(cycle: int) -> list[dict[str, Any]]:
    """With a field on a grid of its own, in the same box."""
    blocks = split(cycle)
    for domain in blocks:
        fine = domain["coordsets"]["c"]
        widths = [fine["dims"][letter] - 1.0 for letter in "ijk"]
        domain["coordsets"]["d"] = {
            "type": "uniform",
            "dims": dict.fromkeys("ijk", 2),
            "origin": fine["origin"],
            "spacing": dict(zip(("dx", "dy", "dz"), widths, strict=True)),
        }
        domain["topologies"]["u"] = {"type": "uniform", "coordset": "d"}
        field = {"association": "element", "topology": "u", "values": np.array([float(cycle)])}
        domain["fields"]["q"] = field
    return blocks


@pytest.mark.parallel([1, 3])
def test_a_query_that_fails_does_not_stop_the_window(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fields = {name: {"max_error": 0.5, "codec": "sz3"} for name in "pq"}
    expression = "sum(field('p') + field('q'))"
    session = run(folder, with_coarse, expression, fields=fields)
    assert results(session) == []
    assert COMM.rank or "queries and triggers not evaluated" in caplog.text
    with pytest.raises(RemoteError, match="cannot be computed with each other"):
        run(folder / "raised", with_coarse, expression, fields=fields, on_error="raise")
