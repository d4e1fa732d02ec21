"""A run file that records, watches and renders a moving bump, and driving a session to its end.

In: a folder, and what of the run file changes. Out: the run file; the report of each step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import insitu
from tests.support.moving import Moving

NETWORK = {"log2_hashmap_size": 11, "n_levels": 3}


def scene(prefix: str, window: Any = "all", size: int = 100) -> dict[str, Any]:
    render = {"image_prefix": prefix, "image_width": size, "image_height": size}
    plots = {"p": {"type": "volume", "field": "density"}}
    return {
        "action": "add_scenes",
        "scenes": {"s": {"plots": plots, "renders": {"r": render}, "window": window}},
    }


def run_file(folder: Path, **changes: Any) -> dict[str, Any]:
    """A run that records every second step and fires once, when the peak exceeds 1.55 (cycle 8)."""
    return {
        "fields": {
            "density": {"psnr": 38, "network": NETWORK},
            "velocity": {"network": NETWORK, "iterations": 60},
        },
        "window": {"steps": 3, "every": 2},
        "actions": [
            {
                "action": "add_queries",
                "queries": {
                    "q": {"params": {"expression": "max(field('density'))", "name": "peak"}}
                },
            },
            {
                "action": "add_triggers",
                "triggers": {
                    "t": {
                        "params": {
                            "condition": "peak > 1.55 and peak > history(peak, relative_index=1)",
                            "mode": "edge",
                            "actions": [scene("fired_%03d")],
                        }
                    }
                },
            },
        ],
        "record": {"path": str(folder / "record"), "scratch": str(folder)},
        "output": str(folder),
        **changes,
    }


def drive(config: Any, simulation: Moving) -> tuple[list[Any], Any]:
    """Run to the end -> the report of each step (None where there was none), and the summary."""
    session = insitu.open(config, simulation.comm)
    reports = steps(session, simulation)
    summary = session.close()
    simulation.comm.barrier()
    return reports, summary


def steps(session: Any, simulation: Moving) -> list[Any]:
    """Run to the simulation's end -> the report of each step, None where there was none."""
    reports = []
    while not simulation.done:
        simulation.step()
        session.publish(simulation.mesh())
        reports.append(session.execute())
    return reports


def cycles(reports: list[Any]) -> list[int]:
    return [report.cycle for report in reports if report]
