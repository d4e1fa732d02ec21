"""A restart goes on: what queries found and triggers did before it counts, as in one long run."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from mpi4py import MPI

import insitu
from insitu.queries.session_file import SESSION_FILE
from tests.support.moving import Moving

COMM = MPI.COMM_WORLD
SMALL = {"density": {"iterations": 3, "network": {"log2_hashmap_size": 6, "n_levels": 2}}}
QUERIES = {
    "peak": "max(field('density'))",
    "before": "history(peak, relative_index=3)",
    "all": "max(history_range(peak, first_absolute_index=0, last_absolute_index=99))",
    "slope": "gradient(peak, window_length=4, window_length_unit='cycle')",
}
TRIGGERS: dict[str, dict[str, Any]] = {
    "edge": {"condition": "cycle() > 2", "mode": "edge"},
    "twice": {"condition": "cycle() > 1", "max_firings": 2},
    "rare": {"condition": "cycle() > 2", "cooldown": 3},
    "latch": {"condition": "cycle() == 3", "mode": "latch"},
    "level": {"condition": "history(peak, relative_index=2) < peak"},
}


def run(
    folder: Path, first: int, last: int, queries: dict[str, str] = QUERIES, **record: Any
) -> dict[str, list[int]]:
    """Cycles `first` to `last` of the simulation -> the cycles at which each trigger fired."""
    named = {name: {"params": {"expression": t, "name": name}} for name, t in queries.items()}
    triggers = {
        name: {"params": {**what, "actions": []}}
        for name, what in TRIGGERS.items()
        if queries or name != "level"
    }
    named_queries = [{"action": "add_queries", "queries": named}] if queries else []
    config = {
        "fields": SMALL,
        "window": {"steps": 3, "every": 1},
        "record": {"path": str(folder / "record"), "scratch": str(folder), **record},
        "output": str(folder),
        "on_error": "raise",
        "actions": [*named_queries, {"action": "add_triggers", "triggers": triggers}],
    }
    simulation = Moving(COMM, steps=last, cells=(4, 4, 8))
    fired: dict[str, list[int]] = {name: [] for name in triggers}
    with insitu.open(config, COMM, quiet=True) as session:
        for name in triggers:
            session.on(name, lambda event: fired[event.trigger].append(event.cycle))
        while not simulation.done:
            simulation.step()
            if simulation.cycle >= first:
                session.publish(simulation.mesh())
                session.execute()
    COMM.barrier()
    return fired


def results(folder: Path) -> Any:
    found = yaml.safe_load((folder / SESSION_FILE).read_text())
    COMM.barrier()
    return found


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("with_queries", [True, False])
def test_a_restart_from_a_checkpoint_is_as_one_run(
    folder: Path, caplog: pytest.LogCaptureFixture, with_queries: bool
) -> None:
    """The second run begins at an earlier cycle than the first one reached."""
    queries = QUERIES if with_queries else {}
    fired = run(folder / "whole", 1, 8, queries)
    begun, restarted = run(folder / "parts", 1, 6, queries), run(folder / "parts", 4, 8, queries)
    assert {n: [c for c in begun[n] if c < 4] + restarted[n] for n in begun} == fired
    assert fired["edge"] == [3] and fired["twice"] == [2, 3] and fired["rare"] == [3, 6]
    assert results(folder / "parts") == results(folder / "whole")
    record = insitu.open_record(folder / "parts" / "record")
    assert record["density"].cycles.tolist()[-3:] == [6, 7, 8]


@pytest.mark.parallel([1, 3])
def test_what_is_not_the_same_expression_begins_anew(folder: Path) -> None:
    run(folder, 1, 4)
    run(folder, 5, 6, {**QUERIES, "peak": "2 * max(field('density'))"})
    found = results(folder)
    assert sorted(found["peak"]) == [1, 2, 3, 4, 5, 6]
    assert found["all"][6]["value"] == found["peak"][6]["value"]
    assert found["before"][5]["value"] == found["peak"][5]["value"]  # there is no earlier one


@pytest.mark.parallel([1, 3])
def test_past_steps_of_fields_are_told_to_be_missing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queries = {**QUERIES, "moved": "avg(field('density') - field('density', step=-1))"}
    run(folder, 1, 3, queries)
    assert "read from the record" not in caplog.text
    run(folder, 4, 5, queries)
    if COMM.rank == 0:
        told = [r.getMessage() for r in caplog.records if "from the record" in r.getMessage()]
        assert len(told) == 1 and "earlier steps of density are not read" in told[0]
    moved = results(folder)["moved"]
    assert [cycle for cycle in moved if math.isnan(moved[cycle]["value"])] == [1, 4]


@pytest.mark.parallel([1, 3])
def test_an_overwritten_run_is_no_past(folder: Path) -> None:
    run(folder, 1, 4)
    fired = run(folder, 5, 6, overwrite=True)
    assert fired["edge"] == [5] and fired["twice"] == [5, 6]
    assert sorted(results(folder)["peak"]) == [5, 6]
