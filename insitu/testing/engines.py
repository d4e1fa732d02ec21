"""The suite for any engine: its results agree with the NumPy engine to float32 precision.

In: a subclass that names an engine. Out: tests of sampling, evaluation and training; see
`insitu.testing.drawing` for those of rendering.
"""

from __future__ import annotations

import pytest

from insitu.testing.point_training import PointTrainingTests
from insitu.testing.reading import ReadingTests
from insitu.testing.sampling import SamplingTests
from insitu.testing.training import TrainingTests


class EngineConformance(SamplingTests, ReadingTests, TrainingTests, PointTrainingTests):
    """Subclass it in a test module: `class TestMine(EngineConformance): engine_name = "mine"`."""

    def test_it_is_the_one_asked_for(self) -> None:
        assert self.engine.name == self.engine_name
        assert self.engine.device
        assert any(self.engine.supports(model) for model in self.models())

    def test_an_engine_that_does_not_draw_says_so(self) -> None:
        if self.engine.draws:
            assert self.engine.brick_cache(2**20).limit == 2**20
        else:
            with pytest.raises(NotImplementedError, match="does not support rendering"):
                self.engine.brick_cache(2**20)
