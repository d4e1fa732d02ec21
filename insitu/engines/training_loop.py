"""The training loop of engines in Python: schedule, moving averages, when training ends.

In: options, and the errors of one batch after the other. Out: learning rates. An engine adds what a
step is. The C++ engine has the same rules in `cpu/cpp/trainer.hpp`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from time import perf_counter

from insitu.engines.options import TrainerOptions

_FIRST_STEPS = 16  # until the averages are reliable


class Plateau:
    """When a loss no longer falls. The rate is divided by ten where the mean of `steps` losses is
    not 0.01 % below the lowest before; at the third time training ends.

    The rule of AMGSRN's ensembles (Wurster et al., IEEE Transactions on Visualization and Computer
    Graphics 30, 2024, section 5), which compare single losses, over 500 steps.
    """

    FALL = 1e-4
    TIMES = 3

    def __init__(self, steps: int) -> None:
        self._steps, self._lowest, self._times = steps, math.inf, 0
        self._losses: list[float] = []

    def add(self, loss: float) -> None:
        """The mean loss of the next batch."""
        if not self._steps:
            return
        self._losses.append(loss)
        if len(self._losses) < self._steps:
            return
        mean = math.fsum(self._losses) / self._steps
        self._times += mean >= self._lowest * (1 - self.FALL)
        self._lowest = min(self._lowest, mean)
        self._losses = []

    @property
    def factor(self) -> float:
        """Of the learning rate."""
        return float(10.0**-self._times)

    @property
    def ended(self) -> bool:
        return self._times >= self.TIMES


class TrainingLoop(ABC):
    """What trainers (`insitu.engines.base.Trainer`) have in common, whatever they compute with."""

    def __init__(self, options: TrainerOptions) -> None:
        self.iteration, self.elapsed = 0, 0.0
        self.error_threshold = options.error_threshold
        self._options = options
        self._average_loss = self._average_squares = self._average_weight = 0.0
        self._plateau = Plateau(options.plateau)

    @property
    def exhausted(self) -> bool:
        options = self._options
        ended = self.iteration >= options.iterations or self.elapsed >= options.seconds
        return ended or self._plateau.ended

    @property
    def loss(self) -> float:
        weight = self._average_weight
        return self._average_loss / weight if weight else math.nan

    @property
    def root_mean_square(self) -> float:
        weight = self._average_weight
        return math.sqrt(self._average_squares / weight) if weight else math.nan

    def run(self, seconds: float) -> bool:
        start, before = perf_counter(), self.elapsed
        more = not self._done()
        while more:
            self.step()
            now = perf_counter() - start
            self.elapsed = before + now
            more = not self._done() and now < seconds
        return self._done()

    @abstractmethod
    def step(self) -> None:
        """One batch and one update, at the learning rate of `_rate` before the batch."""

    def _average(self, loss: float, squares: float, valid: float, uniform: float) -> None:
        """Add a batch to the moving averages.

        Args:
            loss: sum of absolute errors over the `valid` values of the batch.
            squares: sum of squared errors over the `uniform` values drawn uniformly. Samples drawn
                near the faces are not representative of the volume.
        """
        if not valid:
            return
        # After few steps, average over the last tenth only: the error still decreases fast.
        w = min(self._options.average, self.iteration / (self.iteration + 10))
        self._plateau.add(loss / valid)
        mean_square = squares / uniform if uniform else math.inf
        self._average_weight = w * self._average_weight + (1 - w)
        self._average_loss = w * self._average_loss + (1 - w) * loss / valid
        self._average_squares = w * self._average_squares + (1 - w) * mean_square

    def _done(self) -> bool:
        if self.exhausted:
            return True
        if self.iteration < _FIRST_STEPS:
            return False
        below = self.loss < self._options.loss_threshold
        return below or self.root_mean_square < self.error_threshold

    def _rate(self) -> float:
        """The learning rate by the steps and seconds used so far, and the averages so far."""
        options = self._options
        p = max(_share(self.iteration, options.iterations), _share(self.elapsed, options.seconds))
        last = options.final_rate
        if options.decay == "cosine":
            factor = last + (1 - last) * 0.5 * (1 + math.cos(math.pi * p))
        else:
            factor = last**p
        rate = options.learning_rate * self._plateau.factor
        return rate * min(factor, max(last, self._approach()))

    def _approach(self) -> float:
        """Close to the target the rate decays with the square root of the missing dB: a schedule
        that does not need to know its length."""
        threshold, width = self.error_threshold, self._options.approach
        error = self.root_mean_square
        if threshold <= 0 or width <= 0:
            return 1.0
        # Adam's first step changes every weight by the whole rate, whatever its gradient: with
        # nothing known of the error yet, that would undo a warm start.
        if math.isnan(error) or error == 0:
            return 0.0
        return math.sqrt(min(max(20 * math.log10(error / threshold) / width, 0.0), 1.0))


def _share(used: float, of: float) -> float:
    return 1.0 if used >= of else used / of
