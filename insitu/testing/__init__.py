"""Test suites for those who add an engine, to be subclassed in a test module of their own.

In: the name of an engine that is registered. Out: pytest tests that compare it with the NumPy
engine. Needs pytest; nothing else of insitu imports this package.

    from insitu.testing import DrawingConformance, EngineConformance

    class TestMine(EngineConformance):
        engine_name = "mine"

    class TestMineDraws(DrawingConformance):  # if it draws
        engine_name = "mine"
"""

import pytest

_ROOMS = ("drawing", "engines", "marching", "rasterizing", "reading", "sampling", "training")
pytest.register_assert_rewrite(*(f"insitu.testing.{room}" for room in _ROOMS))

from insitu.testing.drawing import DrawingConformance  # noqa: E402
from insitu.testing.engines import EngineConformance  # noqa: E402

__all__ = ["DrawingConformance", "EngineConformance"]
