"""The velocity in this rank's blocks from one step to the next, linear in time between them.

In: the blocks of one step or of two, points and times. Out: velocities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Floats, Indices
from insitu.fields.sampled_block import SampledBlock


@dataclass(frozen=True)
class Flow:
    """The velocity between two steps. Immutable; no method is collective."""

    before: Sequence[SampledBlock]
    """This rank's blocks at the earlier step."""
    after: Sequence[SampledBlock] | None
    """The same blocks at the later step; None: the flow is steady."""
    times: tuple[float, float]
    """Times of both steps."""

    def __post_init__(self) -> None:
        """Raises ValueError if the blocks differ between the steps."""
        if self.after is None:
            return
        boxes = [[np.array(b.bounds) for b in blocks] for blocks in (self.before, self.after)]
        if len(boxes[0]) != len(boxes[1]) or not all(map(np.array_equal, *boxes)):
            raise ValueError(
                f"the blocks at times {self.times[0]:g} and {self.times[1]:g} differ; expected "
                f"the same decomposition at all steps"
            )

    def __call__(self, places: Indices, points: Floats, times: Floats) -> Floats:
        """Velocities (n, 3), float64, at world points (n, 3) of this rank's blocks `places` (n,):
        one evaluation of each block for all of its points."""
        velocities = np.empty((len(points), 3))
        if len(places) and (places == places[0]).all():
            return self._in_block(int(places[0]), points, times)
        order = np.argsort(places, kind="stable")
        starts = np.flatnonzero(np.diff(places[order], prepend=-1))
        for rows in np.split(order, starts[1:]) if len(order) else []:
            place = int(places[rows[0]])
            velocities[rows] = self._in_block(place, points[rows], times[rows])
        return velocities

    def _in_block(self, place: int, points: Floats, times: Floats) -> Floats:
        # A block whose faces are rounded differently has no values outside its own bounds.
        points = np.clip(points, *self.before[place].bounds)
        velocity = in_space(self.before[place](points))
        if self.after is None:
            return velocity
        start, end = self.times
        share = ((times - start) / (end - start))[:, None]
        return (1 - share) * velocity + share * in_space(self.after[place](points))


def in_space(velocity: Floats) -> Floats:
    """Velocities (n, 3), float64; those in a plane, (n, 2), have no component z."""
    found = np.zeros((len(velocity), 3))
    found[:, : velocity.shape[1]] = velocity
    return found
