"""The suite for engines that can render: bricks, the ray marcher, the rasterizer.

In: a subclass that names an engine. Out: tests against the NumPy engine and against known images.
"""

from __future__ import annotations

from insitu.testing.marching import MarchingTests
from insitu.testing.rasterizing import RasterizingTests


class DrawingConformance(MarchingTests, RasterizingTests):
    """Subclass it in a test module, in addition to `EngineConformance`."""

    def test_it_says_that_it_draws(self) -> None:
        assert self.engine.draws
