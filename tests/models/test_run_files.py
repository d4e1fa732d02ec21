"""`model` and `engine` in run files, and what is said where they are wrong."""

from typing import Any

import pytest

from insitu import config
from insitu.core.errors import ConfigError
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid


def recipe(**field: Any) -> Any:
    return config.load({"fields": {"p": field}}).fields["p"].recipe


def test_the_model_of_a_field() -> None:
    assert recipe(model="hash_grid").model == HashGrid()
    assert recipe(model="hash_grid", network={"n_levels": 3}).model == HashGrid(n_levels=3)
    assert recipe(model="dense_grid").model == DenseGrid()
    shaped = recipe(model={"kind": "dense_grid", "n_frequencies": 6, "resolution": [8, 9, 10]})
    assert shaped.model == DenseGrid(n_frequencies=6, resolution=(8, 9, 10))


def test_a_size_that_is_left_out_follows_the_target() -> None:
    assert recipe(psnr=40, model="dense_grid").sized_by_target
    assert recipe(psnr=40, model="hash_grid").sized_by_target
    assert not recipe(psnr=40, model={"kind": "dense_grid", "resolution": 8}).sized_by_target
    assert not recipe(psnr=40, network={"log2_hashmap_size": 9}).sized_by_target
    open_ended = recipe(model="dense_grid")
    assert open_ended.automatic and open_ended.model_for(96**3).n_vertices > 10**3


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"model": "dense"}, r"fields.p.model: 'dense' is not a kind of model.*hash_grid"),
        (
            {"model": {"kind": "dense_grid", "n_levels": 3}},
            "n_levels: model dense_grid has",
        ),
        (
            {"model": {"kind": "dense_grid", "n_features": 5}},
            "n_features: 5 is not one of 1, 2, 4, 8",
        ),
        ({"model": 3}, "expected a kind of model, or a mapping with `kind`"),
        (
            {"model": "dense_grid", "network": {"n_levels": 2}},
            "network: shapes the model hash",
        ),
        ({"model": "sparse_grid", "iterations": 9}, "sparse_grid is not trained: give psnr, ratio"),
        (
            {"model": "sparse_grid", "training": {"epochs": 3, "warm_start": False}, "r_enc": 0.1},
            "training.epochs, r_enc: model sparse_grid is not trained",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_said(tree: dict, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        config.load({"fields": {"p": tree}})


def test_the_engine_of_a_run() -> None:
    assert config.load({}).engine == "auto"
    assert config.load({"engine": "numpy"}).engine == "numpy"
    with pytest.raises(ConfigError, match="engine: 'nunpy' is not one of 'auto', 'cpu'"):
        config.load({"engine": "nunpy"})
