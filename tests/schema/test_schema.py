"""The JSON schemas: files that insitu ships or shows validate, typical mistakes do not."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from insitu import actions
from insitu.actions import filter_types
from insitu.actions.filters import FilterParams
from insitu.cli.command_line import main
from insitu.core import yaml_tree
from insitu.core.yaml_tree import Places
from insitu.filters.pipeline import Filter
from insitu.filters.surface_filters import ThreeSlice
from insitu.schema import actions_schema, run_file_schema
from tests.support.schema_checks import mistakes

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for folder in ("examples", "tests", "benchmarks", "docs", "adapters")
    for path in (ROOT / folder).rglob("*.yaml")
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted(path for f in ("examples", "adapters") for path in (ROOT / f).rglob("*.md"))


def blocks() -> Iterator[tuple[str, Any]]:
    """All YAML in pages: where it begins, and what it holds."""
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text[: found.start()].count("\n") + 1
            # What an example leaves out.
            words = found[1].replace("[...]", "[]").replace("{...}", "{}")
            tree = yaml_tree.parse(words, Places(page.name, page.parent))
            yield f"{page.relative_to(ROOT)}:{line}", tree


def complete(tree: Any) -> tuple[Any, str]:
    """A part of a file as a whole one, and what that is."""
    if tree is None:  # a comment alone
        return {}, "run"
    if isinstance(tree, list):
        return tree, "actions"
    plot: dict[str, Any] = {"type": "volume", "field": "density"}
    scene: dict[str, Any] = {"plots": {"p": plot}}
    if "color_table" in tree:
        plot.update(tree)
    elif "renders" in tree:
        scene.update(tree)
    else:
        return tree, "run"
    return [{"action": "add_scenes", "scenes": {"s": scene}}], "actions"


def test_the_schemas_are_schemas() -> None:
    for schema in (run_file_schema(), actions_schema()):
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)
        assert "insitu:reference" not in json.dumps(schema)


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_files_validate(file: Path) -> None:
    tree, _ = yaml_tree.read(file)
    assert mistakes(tree, "actions" if isinstance(tree, list) else "run") == []


def test_files_are_found() -> None:
    assert len(FILES) >= 4 and len(list(blocks())) >= 12


@pytest.mark.parametrize(("where", "tree"), [pytest.param(*b, id=b[0]) for b in blocks()])
def test_yaml_on_pages_validates(where: str, tree: Any) -> None:
    assert mistakes(*complete(tree)) == []


def scene(**keys: Any) -> dict[str, Any]:
    return {"action": "add_scenes", "scenes": {"s": keys}}


def plot(**keys: Any) -> dict[str, Any]:
    return scene(plots={"p": {"type": "volume", "field": "rho", **keys}})


def filter_of(kind: str, **params: Any) -> dict[str, Any]:
    pipeline = {"f": {"type": kind, "params": params}}
    return {"action": "add_pipelines", "pipelines": {"p": pipeline}}


def extract(kind: str, **params: Any) -> dict[str, Any]:
    return {"action": "add_extracts", "extracts": {"e": {"type": kind, "params": params}}}


def trigger(**params: Any) -> dict[str, Any]:
    return {"action": "add_triggers", "triggers": {"t": {"params": params}}}


@pytest.mark.parametrize(
    "action",
    [
        {"action": "add_scene"},
        {"action": "add_scenes"},
        {"action": "add_scenes", "scenes": {}, "renders": {}},
        scene(),
        scene(plots={"p": {"type": "spheres", "field": "rho"}}),
        scene(plots={"p": {"type": "volume"}}),
        plot(sample=3),
        plot(samples=2.5),
        plot(min_value="low"),
        plot(color_table=3),
        plot(color_table={"nam": "Jet"}),
        plot(color_table={"control_points": [{"type": "rgb", "position": 2, "color": [0, 0, 0]}]}),
        {**plot(), "scenes": {"s": {**plot()["scenes"]["s"], "window": 0}}},
        scene(plots={}, renders={"r": {"image_prefix": "a", "camera": {"zom": 2}}}),
        scene(plots={}, renders={"r": {"image_prefix": "a", "type": "auto_camera"}}),
        scene(plots={}, renders={"r": {"image_prefix": "a", "image_name": "b"}}),
        scene(plots={}, renders={"r": {"type": "cinema", "phi": 2, "theta": 2}}),
        filter_of("iso_volume"),
        filter_of("contour", field="rho"),
        filter_of("contour", field="rho", levels=0),
        filter_of("contour", field="rho", levels=2, iso_values=1),
        filter_of("clip"),
        filter_of("clip", sphere={"center": [0, 0, 0], "radius": 0}),
        filter_of("slice", point=[0, 0, 0]),
        filter_of("slice", point=[0, 0], normal=[0, 0, 1]),
        filter_of("3slice", x_offset=1.5),
        filter_of("vector_component", field="u", component=3, output_name="w"),
        filter_of("streamline", field="u", seeds={"type": "point", "location": [0, 0, 0]}),
        filter_of("pathlines", field="u", seeds={"type": "dot"}),
        filter_of("pathlines", field="u", seeds={"type": "point", "location": 3}),
        {"action": "add_pipelines", "pipelines": {"p": {"f": {"type": "contour"}}}},
        {"action": "add_pipelines", "pipelines": {"p": {"type": "3slice", "params": {}}}},
        extract("relai", path="a"),
        extract("relay"),
        extract("relay", path="a", protocol="blueprint/mesh/silo"),
        extract("relay", path="a", topologies=["t"]),
        extract("python", source="a", file="b"),
        extract("movie", scene="s", path="m.gif", fps=0),
        extract("cinema", phi=1, theta=1, db_name="d"),
        trigger(),
        trigger(condition="cycle() > 1", mode="egde"),
        trigger(condition="cycle() > 1", cooldown=-1),
        trigger(condition="cycle() > 1", actions=[{"action": "add_queries", "queries": {}}]),
        {"action": "add_queries", "queries": {"q": {"params": {"expression": "1"}}}},
    ],
)
def test_mistakes_in_actions_do_not_validate(action: dict[str, Any]) -> None:
    assert mistakes([action], "actions")
    assert mistakes({"actions": [action]})


@pytest.mark.parametrize(
    "tree",
    [
        {"feilds": {}},
        {"fields": {"p": {"psnr": 400}}},
        {"fields": {"p": {"max_error": {"abs": 1}}}},
        {"fields": {"p": {"max_error": {"rel": 2}}}},
        {"fields": {"p": {"network": {"n_neurons": 24}}}},
        {"fields": {"p": {"compression": "quantised"}}},
        {"fields": {"p": {"components": "u"}}},
        {"window": {"memory": "64 apples"}},
        {"window": {"every": 2.5}},
        {"window": 5},
        {"record": {}},
        {"simulation": {"deck": "a"}},
        {"check_ghosts": "maybe"},
        {"actions": [], "actions_file": "a.yaml"},
        {"actions": 3},
        {"ascent": {"publish": {"m": {"slise": {}}}}},
    ],
)
def test_mistakes_in_run_files_do_not_validate(tree: dict[str, Any]) -> None:
    assert mistakes(tree)


def test_what_run_files_may_leave_open_validates() -> None:
    tree = {
        "simulation": {"module": "a", "class": "B", "deck": "in", "cells": [8, 8, 8]},
        "fields": {"density": None, "energy": {"max_error": {"rel": 1e-3}}},
        "window": None,
        "brick_cache": 4096000,
        "actions": None,
    }
    assert mistakes(tree) == []
    assert mistakes({"fields": None, "window": {"memory": "1.5 GiB"}, "actions_file": "a"}) == []


def keys_without_description(schema: dict[str, Any]) -> Iterator[str]:
    for name, section in {"": schema, **schema["$defs"]}.items():
        for key, value in section.get("properties", {}).items():
            told = "description" in value or "$ref" in value or "not" in value
            if section.get("additionalProperties") is False and not told:
                yield f"{name}.{key}"


def test_every_key_is_described() -> None:
    by_its_params = {"Query.params", "Trigger.params"}
    assert set(keys_without_description(run_file_schema())) <= by_its_params


@pytest.mark.parametrize("page", ["docs/actions.md", "docs/run-file.md"])
def test_pages_hold_what_the_schemas_say(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text()
    # In a process of its own: other tests register models in this one.
    again = tmp_path / "page.md"
    again.write_text(text)
    subprocess.run([sys.executable, "-m", "insitu.schema.pages", str(again)], check=True)
    remedy = f"python -m insitu.schema.pages {page}"
    assert text == again.read_text(), f"{page} is out of date: {remedy}"
    assert text.count("<!-- table: ") == text.count("<!-- end -->") > 0


def test_the_pages_command_fills_tables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- table: QueryParams -->\nold\n<!-- end -->\n\nAfter.\n")
    subprocess.run([sys.executable, "-m", "insitu.schema.pages", str(page)], check=True)
    text = page.read_text()
    assert text.startswith("Before.\n") and text.endswith("<!-- end -->\n\nAfter.\n")
    assert "| **`expression`** |" in text and "old" not in text


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == run_file_schema()
    assert main(["schema", "actions", "--out", str(tmp_path / "a.json")]) == 0
    assert json.loads((tmp_path / "a.json").read_text()) == actions_schema()
    assert capsys.readouterr().out == ""
    assert main(["schema", "runs"]) == 2


class MiddleParams(FilterParams):
    """The three planes through the middle of the domain."""

    def make(self, kind: str, steps: int) -> Filter:
        return ThreeSlice()


def test_a_filter_of_ones_own_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = filter_types.FilterType(MiddleParams, "Planes through the middle.", "a surface")
    monkeypatch.setitem(filter_types.FILTERS, "middle", entry)
    asked = {
        "fields": {"rho": None},
        "actions": [
            filter_of("middle"),
            scene(plots={"p": {"type": "pseudocolor", "field": "rho", "pipeline": "p"}}),
        ],
    }
    (found,) = actions.load(asked)[1].due
    assert found.plots[0].pipeline.filters == (ThreeSlice(),)
    assert list(Draft202012Validator(run_file_schema()).iter_errors(asked)) == []
