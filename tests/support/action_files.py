"""Run files in tests: text in, actions or problems out."""

import textwrap
from pathlib import Path
from typing import Any

import pytest

from insitu import actions
from insitu.core import yaml_tree
from insitu.core.errors import ConfigError
from tests.support.schema_checks import mistakes


def load(text: str, folder: Path) -> Any:
    """Whatever is understood validates against the schema too."""
    (folder / "run.yaml").write_text(textwrap.dedent(text))
    found = actions.load(folder / "run.yaml")[1]
    assert mistakes(yaml_tree.read(folder / "run.yaml")[0]) == []
    return found


def problems(text: str, folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, folder)
    return list(caught.value.problems)


def problem(action: str, folder: Path) -> str:
    """The only problem of an action, which stands on line 3; without its place."""
    fields = "{rho: , speed: , u: {components: [ux, uy, uz]}}"
    (found,) = problems(f"fields: {fields}\nactions:\n  - {action}", folder)
    assert found.startswith("run.yaml:3: actions[0]")
    return found.removeprefix("run.yaml:3: actions[0]")


def done(action: str, folder: Path) -> Any:
    """The only thing that an action has done."""
    fields = "{rho: , speed: , u: {components: [ux, uy, uz]}}"
    (found,) = load(f"fields: {fields}\nactions:\n  - {action}", folder).due
    return found


def scene(text: str) -> str:
    return f"{{action: add_scenes, scenes: {{s: {text}}}}}"


def plot(text: str) -> str:
    return scene(f"{{plots: {{p: {{type: volume, {text}}}}}}}")


def render(text: str) -> str:
    return scene(f"{{plots: {{p: {{type: volume, field: rho}}}}, renders: {{r: {text}}}}}")


def extract(text: str) -> str:
    return f"{{action: add_extracts, extracts: {{e: {text}}}}}"
