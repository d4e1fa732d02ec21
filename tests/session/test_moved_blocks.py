"""Blocks are split, moved and refined while a run goes on: every step is recorded, and a query of
the past reads it at the present mesh's points."""

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
    assert field.summary.bounds[1][2] == N * (3 if blocks in (moved, refined) else COMM.size)
    return session


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("blocks", [split, moved])
def test_the_past_is_read_where_the_present_is(
    blocks: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        session = run(folder, blocks, CHANGE, on_error="raise")
    values = results(session)
    assert math.isnan(values[0])
    heights = 3 * N if blocks is moved else COMM.size * N
    z, y, x = np.mgrid[0:heights, 0:N, 0:N]
    place = x + 0.5 * y + 0.3 * (z + 0.5)
    for cycle in range(1, STEPS):
        true = np.abs(np.sin(place + cycle) - np.sin(place + cycle - 1)).max()
        # The value is a maximum: with a past that is compressed within 0.001.
        assert values[cycle] == pytest.approx(true, abs=2e-3)
    assert "no value" not in caplog.text


@pytest.mark.parallel([1, 3])
def test_windows_go_on_through_a_change(folder: Path) -> None:
    session = run(folder, split, "max(abs(field('p') - window('p', 3))).value", on_error="raise")
    values = results(session)
    assert not any(math.isnan(value) for value in values)
    assert values[0] == 0 and all(value > 0.5 for value in values[1:])


def refined(cycle: int) -> list[dict[str, Any]]:
    """Two layers of the same height from cycle 3 on, where there was one, over other blocks."""
    domains = [block(cycle, i, N * i) for i in range(3) if i % COMM.size == COMM.rank]
    if cycle >= 3:
        domains = [block(cycle, i, N * i) for i in range(3) if (i + 1) % COMM.size == COMM.rank]
        for domain in domains:
            coordinates = domain["coordsets"]["c"]
            coordinates["dims"]["k"] = 2 * N + 1
            coordinates["spacing"] = {"dx": 1.0, "dy": 1.0, "dz": 0.5}
            z0 = coordinates["origin"]["z"]
            z, y, x = np.meshgrid(
                z0 + 0.25 + 0.5 * np.arange(2 * N), np.arange(N), np.arange(N), indexing="ij"
            )
            domain["fields"]["p"]["values"] = np.sin(x + 0.5 * y + 0.3 * z + cycle).ravel()
    return domains


@pytest.mark.parallel([1, 3])
def test_a_finer_grid_on_other_ranks(folder: Path) -> None:
    fields = {"p": {"max_error": 1e-3, "codec": "sz3"}}
    session = run(folder, refined, CHANGE, fields=fields, on_error="raise")
    values = results(session)
    z, y, x = np.mgrid[0 : 6 * N, 0:N, 0:N]
    place = x + 0.5 * y + 0.3 * (0.5 * z + 0.25)
    true = np.abs(np.sin(place + 3) - np.sin(place + 2)).max()
    # Linear between cells of the coarse grid: 0.3^2 / 8, and half a cell beyond the last ones.
    assert values[3] == pytest.approx(true, abs=0.2)
    assert not any(math.isnan(value) for value in values[1:])


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
