"""Test suites for new engines and models, to be subclassed in the user's own test module.

In: the name of a registered engine, or a model. Out: pytest tests that compare it with the NumPy
engine, or with its own equations. Needs pytest; no other part of insitu imports this package.

    from insitu.testing import DrawingConformance, EngineConformance, ModelConformance

    class TestMine(EngineConformance):
        engine_name = "mine"

    class TestMineDraws(DrawingConformance):  # if it can render
        engine_name = "mine"

    class TestMyModel(ModelConformance):
        model = MyModel(n_outputs=2)
"""

import pytest

_ROOMS = (
    "drawing", "engines", "marching", "models", "rasterizing", "reading", "sampling", "training",
)  # fmt: skip
pytest.register_assert_rewrite(*(f"insitu.testing.{room}" for room in _ROOMS))

from insitu.testing.drawing import DrawingConformance  # noqa: E402
from insitu.testing.engines import EngineConformance  # noqa: E402
from insitu.testing.models import ModelConformance  # noqa: E402

__all__ = ["DrawingConformance", "EngineConformance", "ModelConformance"]
