"""Action files and options as Ascent's documentation has them, through the drop-in libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mpi4py import MPI

from tests.support.ascent_calls import Ascent

COMM = MPI.COMM_WORLD
SMALL = "image_width: 64, image_height: 64"


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, the same on all ranks."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("INSITU_CONFIG", raising=False)
    return folder


def mesh(cycle: int) -> dict[str, Any]:
    """This rank's box of cells along x."""
    x = np.arange(8) + 0.5 + 8 * COMM.rank
    z, y, x = np.meshgrid(np.arange(6) + 0.5, np.arange(7) + 0.5, x, indexing="ij")
    rho = 1 + np.sin(x / 3 + 0.1 * cycle) * np.cos(y / 3) + 0.1 * z
    nodes = {"x": np.arange(9.0) + 8 * COMM.rank, "y": np.arange(8.0), "z": np.arange(7.0)}
    return {
        "state": {"cycle": cycle, "time": 0.1 * cycle, "domain_id": COMM.rank},
        "coordsets": {"coords": {"type": "rectilinear", "values": nodes}},
        "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
        "fields": {
            "rho": {"association": "element", "topology": "mesh", "values": rho.reshape(-1)}
        },
    }


def run(ascent: Ascent, cycles: list[int], actions: Any = (), **options: Any) -> None:
    """Publish and execute at these cycles; nothing fails."""
    ascent.open({"mpi_comm": COMM.py2f(), **options})
    for cycle in cycles:
        ascent.publish(mesh(cycle))
        ascent.execute(list(actions))
        assert ascent.status == "Ascent::execute completed"
    ascent.close()
    COMM.barrier()


def write(name: str, text: str) -> None:
    if COMM.rank == 0:
        Path(name).write_text(text)
    COMM.barrier()


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.png"))


@pytest.mark.parallel([1, 3])
def test_a_trigger_with_its_own_actions_file(here: Path, ascent: Ascent) -> None:
    condition = 'condition: "cycle() % 10 == 0", actions_file: "then.yaml"'
    trigger = f"{{t: {{params: {{{condition}}}}}}}"
    write("ascent_actions.yaml", f"- action: add_triggers\n  triggers: {trigger}\n")
    plots = "plots: {p: {type: pseudocolor, field: rho}}"
    renders = f'renders: {{r: {{image_prefix: "pic_%04d", {SMALL}}}}}'
    write("then.yaml", f"- action: add_scenes\n  scenes: {{s: {{{plots}, {renders}}}}}\n")
    run(ascent, [10, 11, 20])
    assert pictures(here) == ["pic_0010.png", "pic_0020.png"]


@pytest.mark.parallel([1, 3])
def test_parameters_that_are_expressions(here: Path, ascent: Ascent) -> None:
    """The top of a field, by queries; a logarithm; a plot that there is not, beside another."""
    write(
        "ascent_actions.yaml",
        f"""
- action: add_queries
  queries:
    q1: {{params: {{expression: "max(field('rho')).value", name: top}}}}
    q2: {{params: {{expression: "top - min(field('rho')).value", name: length}}}}
- action: add_pipelines
  pipelines:
    pl1:
      f1:
        type: isovolume
        params: {{field: rho, min_value: top - 0.3 * length, max_value: top}}
    pl2: {{f1: {{type: log10, params: {{field: rho, output_name: lg, clamp_min_value: 0.01}}}}}}
- action: add_scenes
  scenes:
    s1:
      plots: {{p: {{type: pseudocolor, field: rho, pipeline: pl1}}}}
      renders: {{r: {{image_prefix: "a_%d", {SMALL}}}}}
    s2:
      plots:
        v: {{type: volume, field: lg, pipeline: pl2}}
        m: {{type: mesh}}
        x: {{type: spheres}}
      renders: {{r: {{image_prefix: b_, {SMALL}, fg_color: [0, 0, 0]}}}}
""",
    )
    run(ascent, [3])
    assert pictures(here) == ["a_3.png", "b_3.png"]
    found = yaml.safe_load((here / "ascent_session.yaml").read_text())
    top, low = found["top"][3]["value"], found["pl1/f1/min_value"][3]["value"]
    assert low == pytest.approx(top - 0.3 * found["length"][3]["value"])


@pytest.mark.parallel([1, 3])
def test_where_results_go(here: Path, ascent: Ascent) -> None:
    query = {"params": {"expression": "max(field('rho')).value", "name": "m"}}
    render = {"image_prefix": "pic_%04d", "image_width": 64, "image_height": 64}
    plots = {"p": {"type": "volume", "field": "rho"}}
    actions = [
        {"action": "add_queries", "queries": {"q": query}},
        {"action": "add_scenes", "scenes": {"s": {"plots": plots, "renders": {"r": render}}}},
    ]
    run(ascent, [3], actions, default_dir="viz", session_name="mine")
    assert pictures(here) == [] and pictures(here / "viz") == ["pic_0003.png"]
    assert (here / "viz" / "mine.yaml").is_file()
