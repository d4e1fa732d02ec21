"""Common base of the engine suites: the engine under test, the reference, the models.

In: `engine_name`, `models()`. Out: tests with an argument `model` are run for each model that the
engine supports.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import pytest

from insitu.engines import Engine, engine
from insitu.models.base import Model
from insitu.testing import cases


class EngineSuite:
    """Base of the suites. Subclasses set `engine_name`, and may add models."""

    engine_name: ClassVar[str]
    """Name for `insitu.engines.engine`."""

    @classmethod
    def models(cls) -> list[Model]:
        """Models to test with; those that the engine does not support are skipped."""
        return cases.models()

    @cached_property
    def engine(self) -> Engine:
        return engine(self.engine_name)

    @cached_property
    def reference(self) -> Engine:
        return engine("numpy")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "model" in metafunc.fixturenames:
            models = [model for model in self.models() if self.engine.supports(model)]
            names = [f"{model.kind}-{i}" for i, model in enumerate(models)]
            metafunc.parametrize("model", models, ids=names)
