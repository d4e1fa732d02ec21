"""How adaptive grids move: the density of grids is trained to follow the error.

In: a batch of points, their squared errors. Out: the gradient of the transforms. AMGSRN, section
3.2, and its published code. The C++ engine's is in `engines/cpu/cpp/placement.hpp`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.models.adaptive_grid import reference
from insitu.models.base import AuxiliaryObjective

if TYPE_CHECKING:
    from insitu.models.adaptive_grid.model import AdaptiveGrid

FIRST_STEP = 500
"""Steps before the transforms move: the features learn where the errors are."""
LAST_SHARE = 0.8
"""Share of the schedule after which they rest, for the features to settle."""
WINDOW = 1000
"""Steps over which the objective is averaged; it has to fall from one window to the next."""
LEAST_FALL = 1e-4
RATE = 0.025
"""Learning rate of the transforms over that of the features: in the published code 0.05, which its
schedule halves within five steps."""

TINY = 1e-16
BEYOND = 1.5
"""Local coordinates are cut off here: exp(-0.5 * 1.5^20) is 0, and larger powers would overflow."""
_POWER = 20


def density(model: AdaptiveGrid, params: Floats, points: Floats) -> Floats:
    """Density of grids at points (n, 3) -> (n,): the sum over grids of det(A) / (2 pi)^1.5
    exp(-0.5 sum_a l_a^20), a flat-top Gaussian in the grid's own coordinates l."""
    at = np.clip(reference.local(model, params, points), -BEYOND, BEYOND)
    return np.asarray(np.exp(-0.5 * (at**_POWER).sum(axis=2)) @ _amounts(model, params))


def _amounts(model: AdaptiveGrid, params: Floats) -> Floats:
    """(n_grids,)"""
    matrices = model.transforms(params)[..., :3]
    return np.asarray(np.linalg.det(matrices) / (2 * np.pi) ** 1.5)


def placement_gradient(
    model: AdaptiveGrid, params: Floats, points: Floats, squared_errors: Floats
) -> tuple[float, Floats]:
    """The objective, and its gradient by the transforms (n_grids, 3, 4).

    The Kullback-Leibler divergence of the target from the density q of grids, both normalized over
    the batch; the target is exp(mean(e) / e * log q), which is higher where the error e is. The
    objective is its mean over the batch, the gradient that of its sum (Adam ignores the factor).
    Normalization and target count as constants, as in the published code.
    """
    at = reference.local(model, params, points)
    within = np.abs(at) < BEYOND
    at = np.clip(at, -BEYOND, BEYOND)
    amounts = _amounts(model, params)
    bells = np.exp(-0.5 * (at**_POWER).sum(axis=2))  # (n, g)
    raw = bells @ amounts
    total = raw.sum()
    q = np.maximum(raw / total, 0)
    with np.errstate(over="ignore"):
        target = np.exp(np.log(q + TINY) * (squared_errors.mean() / (squared_errors + TINY)))
    target = target / target.sum() + TINY
    objective = float((target * (np.log(target) - np.log(q + TINY))).mean())
    by_density = -target / (q + TINY) / total  # (n,)
    by_bell = by_density[:, None] * bells * amounts  # (n, g), times bell
    by_local = by_bell[..., None] * np.where(within, -0.5 * _POWER * at ** (_POWER - 1), 0)
    gradient = np.empty((model.n_grids, 3, 4))
    gradient[..., :3] = np.einsum("nga,nb->gab", by_local, reference.world(points))
    gradient[..., 3] = by_local.sum(axis=0)
    # d det(A) / dA = det(A) A^-T, written as cofactors: A may be singular.
    rows = model.transforms(params)[..., :3]
    cofactors = np.stack(
        [np.cross(rows[:, (a + 1) % 3], rows[:, (a + 2) % 3]) for a in range(3)], axis=1
    )
    by_amount = (by_density @ bells) / (2 * np.pi) ** 1.5
    gradient[..., :3] += by_amount[:, None, None] * cofactors
    return objective, gradient


class GridPlacement(AuxiliaryObjective):
    """Trains the transforms from step 500 to four fifths of the schedule, or until the mean of the
    objective over 1000 steps has not fallen by 0.01 %."""

    rate = RATE

    def __init__(self, model: AdaptiveGrid) -> None:
        self._model = model
        self.parameters = model.transform_slice
        self._objectives: deque[float] = deque(maxlen=2 * WINDOW)
        self._ended = False

    def active(self, iteration: int, iterations: int) -> bool:
        return not self._ended and FIRST_STEP <= iteration < LAST_SHARE * iterations

    def gradient(
        self, params: Floats, points: Floats, squared_errors: Floats
    ) -> tuple[float, Floats]:
        objective, gradient = placement_gradient(self._model, params, points, squared_errors)
        return objective, gradient.reshape(-1)

    def add(self, objective: float) -> None:
        self._objectives.append(objective)
        if len(self._objectives) == 2 * WINDOW:
            objectives = np.fromiter(self._objectives, np.float64)
            before, now = objectives[:WINDOW].mean(), objectives[WINDOW:].mean()
            self._ended = before - now < LEAST_FALL * before
