"""Kinds of models by name: ours, those registered, and what is said of others."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

from insitu import models
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid
from tests.support.paths import ROOT


def test_kinds_are_found_by_name() -> None:
    assert models.model_class("hash_grid") is HashGrid
    assert models.names()[:2] == ["hash_grid", "dense_grid"]
    assert models.make("dense_grid", {"resolution": [3, 4, 5]}).resolution == (3, 4, 5)
    assert models.make("dense_grid", {"resolution": 7}) == DenseGrid(resolution=(7, 7, 7))


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("dense_gird", {}, "did you mean 'dense_grid'.*there are: hash_grid, dense_grid"),
        ("dense_grid", {"n_frequency": 1}, "did you mean 'n_frequencies'"),
        ("dense_grid", {"n_features": 3}, "n_features: 3 is not one of 1, 2, 4, 8"),
        ("dense_grid", {"resolution": "fine"}, "resolution: 'fine'; expected one whole number"),
        ("dense_grid", {"resolution": [3, 3]}, "resolution"),
        ("hash_grid", {"n_levels": "many"}, "n_levels: expected a number, found 'many'"),
        ("hash_grid", {"n_outputs": 2}, "no such option"),
        (3, {}, "3 is not a kind of model"),
    ],
)
def test_what_is_wrong_is_named(kind: str, options: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        models.make(kind, options)


def test_a_name_belongs_to_one_class() -> None:
    @dataclass(frozen=True)
    class Other(HashGrid):
        kind = "hash_grid"

    with pytest.raises(ValueError, match="already registered"):
        models.register(Other)


def test_codecs_know_no_model_and_no_engine() -> None:
    for path in Path(ROOT / "insitu" / "codec").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            for name in names:
                assert not name.startswith(("insitu.models", "insitu.engines")), (path, name)
