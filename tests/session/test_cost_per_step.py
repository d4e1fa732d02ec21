"""The cost of a step does not depend on the length of the window, or of the run."""

import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

import insitu
from tests.support.trees import uniform


def calls(function: object, *arguments: object) -> int:
    """Number of calls of Python functions: a measure that no other process disturbs."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        function(*arguments)  # type: ignore[operator]
    finally:
        sys.setprofile(None)
    return count


def test_long_windows(tmp_path: Path) -> None:
    expressions = {
        "top": "max(field('p'))",
        "change": "max(abs(field('p') - field('p', step=-1)))",
        "slope": "gradient(top, window_length=5, window_length_unit='cycle')",
        "recent": "max(history_range(top, first_relative_index=0, last_relative_index=4))",
    }
    session = insitu.open(
        {
            # Whole frames of one size: what compression costs does not change either.
            "fields": {"p": {"max_error": 1e-3, "codec": "zfp"}},
            "window": {"steps": 400, "every": 1, "memory": "1 GiB"},
            "record": {"path": str(tmp_path / "record"), "on": ["crash"], "scratch": str(tmp_path)},
            "output": str(tmp_path),
            "on_error": "raise",
            "actions": [
                {
                    "action": "add_queries",
                    "queries": {
                        name: {"params": {"expression": text, "name": name}}
                        for name, text in expressions.items()
                    },
                }
            ],
        },
        MPI.COMM_WORLD,
    )
    tree = uniform((4, 4, 4))
    made: list[int] = []
    for cycle in range(440):
        tree["state"] = {"cycle": cycle, "time": float(cycle)}
        tree["fields"]["p"]["values"] = np.sin(np.arange(64.0) + cycle)
        session.publish(tree)
        made.append(calls(session.execute))
    early, late, full = (float(np.median(made[at : at + 20])) for at in (20, 370, 410))
    assert late < 1.1 * early
    assert full < 1.3 * early
    session.close()
