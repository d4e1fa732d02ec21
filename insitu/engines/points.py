"""Values at scattered points: the reference data of models that are trained on points.

In: points of a block's unit cube, their values. Out: a `Sampler` without a grid.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines.base import Doubles, check_samples
from insitu.engines.options import Errors, Statistics

_PASSES = 8  # steps that see each point once: noisier ones do not pay


def batch_size(n_points: int, batch: int) -> int:
    """Points in a step: at least an eighth of all. Each changes few parameters, but Adam's update
    changes them all."""
    return min(n_points, max(batch, -(-n_points // _PASSES)))


class PointSampler:
    """The points of a block: its own, and some around it that only help in training. Values that
    are not finite are left out of training and of errors, and counted."""

    def __init__(self, points: Floats, values: Floats, n_owned: int | None = None) -> None:
        """points: (n, 3), x y z, the block's own in [0, 1]; values: (n, components), float32 or
        float64; n_owned: how many of them are the block's own, which come first; default: all."""
        self.points = np.ascontiguousarray(points, np.float32)
        self.values = values
        self._n_owned = len(points) if n_owned is None else n_owned

    @property
    def components(self) -> int:
        return int(self.values.shape[1])

    @property
    def samples(self) -> int:
        return self._n_owned

    def statistics(self, component: int) -> Statistics:
        """As `insitu.engines.base.Sampler.statistics`."""
        own = self.values[: self.samples, component]
        finite = own[np.isfinite(own)]
        nan = int(np.isnan(own).sum())
        return Statistics(
            float(finite.min(initial=np.inf)),
            float(finite.max(initial=-np.inf)),
            len(finite),
            nan,
            len(own) - len(finite) - nan,
        )

    def sample(self, points: Floats) -> Floats:
        """Values at the points (n, 3) nearest to these, one after the other: meant for few."""
        nearest = [int(np.square(self.points - point).sum(axis=1).argmin()) for point in points]
        return self.values[nearest].astype(np.float32)

    def mapped(self, function: Callable[[Floats], Floats]) -> PointSampler:
        """The same points with other values: function, of (n, components)."""
        values = function(self.values).astype(self.values.dtype)
        return PointSampler(self.points, values, self._n_owned)

    def some(self, most: int) -> tuple[Floats, Floats]:
        """At most so many of the block's own points, evenly from all of them, and their values."""
        step = max(1, -(-self.samples // most))
        return self.points[: self.samples : step], self.values[: self.samples : step]

    def targets(self, origin: Doubles, extent: Doubles) -> tuple[Floats, Floats]:
        """Points with finite values (n, 3), and (value - origin) / extent (n, components), float32;
        0 for a component of extent 0."""
        inverse = np.divide(1, extent, out=np.zeros_like(extent), where=np.asarray(extent) > 0)
        targets = ((self.values - origin) * inverse).astype(np.float32)
        finite = np.isfinite(targets).all(axis=1)
        return (self.points, targets) if finite.all() else (self.points[finite], targets[finite])

    def errors(
        self,
        outputs: Callable[[Floats], Floats] | None,
        origin: Doubles,
        extent: Doubles,
        begin: int,
        end: int,
        every: int = 1,
    ) -> list[Errors]:
        """As `insitu.engines.base.Engine.measure`, of every `every`-th point.

        outputs: evaluates the model at points (n, 3); None: errors of the constant `origin`.
        """
        check_samples(self.samples, begin, end, every)
        truth, at = self.values[begin:end:every], self.points[begin:end:every]
        values = np.broadcast_to(np.asarray(origin, np.float64), truth.shape)
        if outputs is not None:
            values = origin + np.asarray(extent) * outputs(at).astype(np.float64)
            values = values.astype(truth.dtype)  # the precision of the data, as for decoded fields
        found = []
        for own, value in zip(truth.T, values.T, strict=True):
            finite = np.isfinite(own)
            error = np.abs(value[finite].astype(np.float64) - own[finite])
            found.append(
                Errors(float(np.square(error).sum()), float(error.max(initial=0)), len(error))
            )
        return found
