"""The model of a field that names none."""

from typing import Any

import pytest

from insitu import config
from insitu.config import FieldConfig
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid


@pytest.mark.parametrize(
    "field",
    [
        {},
        {"psnr": 40},
        {"ratio": 50},
        {"max_error": 1e-3, "codec": "auto"},
        {"seconds": 1},
        {"quality": "fine", "training": {"warm_start": False}},
        {"compression": "quantized", "network": {"n_levels": 4}},
    ],
)
def test_a_field_is_a_sparse_grid(field: dict[str, Any]) -> None:
    recipe = config.load({"fields": {"p": field}}).fields["p"].recipe
    assert recipe.model == SparseGrid() and not recipe.any_model


@pytest.mark.parametrize(
    "field",
    [
        {"network": {"n_levels": 3}},
        {"iterations": 20},
        {"psnr": 40, "training": {"seed": 3}},
        {"psnr": 40, "compression": "kmeans"},
        {"ratio": 50, "compression_loss": 1},
    ],
)
def test_options_of_a_network_make_it_one(field: dict[str, Any]) -> None:
    recipe = config.load({"fields": {"p": field}}).fields["p"].recipe
    assert isinstance(recipe.model, HashGrid)


def test_a_field_made_in_python_is_a_sparse_grid() -> None:
    assert FieldConfig(psnr=40).recipe.model == SparseGrid()
    assert isinstance(FieldConfig(iterations=10).recipe.model, HashGrid)
