"""The training of one block at the size that its target asks for.

In: the sizes of a model, the one of the step before. Out: the fit of the smallest size tried that
reaches the target; where none does, the closest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from insitu.models.base import Model, SizeOption
from insitu.training.adaptive_size import steps_up
from insitu.training.trial import FitResult, Shortfall, Trial


def search(
    trial_for: Callable[[Model], Trial],
    options: Sequence[SizeOption],
    previous: Model | None,
    end: float,
    *,
    smaller: bool = False,
) -> tuple[Trial, FitResult]:
    """Fit, and climb until the target is met, the sizes end, or the time, one of the job's clock.

    Args:
        trial_for: the block with a model, and the start that is right for it.
        previous: the model of the step before; where it is one of the sizes the search begins
            there, else with the smallest.
        smaller: try one size below `previous` first.

    Where all sizes miss the target, or the time is over, the fit is that of the size that
    came closest. Its iterations are those of all sizes tried.
    """
    sizes = [option.model for option in options]
    at = sizes.index(previous) if previous in sizes else 0
    before = 0
    if smaller and at > 0:
        trial = trial_for(sizes[at - 1])
        tried = trial.try_fit(end, options[at - 1].share)
        if isinstance(tried, FitResult):
            return trial, tried
        before = tried.iterations
    missed: list[tuple[Trial, Shortfall]] = []
    while True:
        trial = trial_for(sizes[at])
        result = trial.try_fit(end, max(options[at].share, float(trial.first.warm)))
        before += result.iterations
        if isinstance(result, FitResult):
            break
        missed.append((trial, result))
        if at == len(sizes) - 1 or trial.job.clock() >= end:
            break
        at = min(at + steps_up(result.missing_db), len(sizes) - 1)
    if missed:
        closest, left = min(missed, key=lambda pair: pair[1].missing_db)
        if isinstance(result, Shortfall) or left.missing_db < trial.missing_db(result):
            return closest, closest.finalize(left)._replace(iterations=before)
    assert isinstance(result, FitResult)
    return trial, result._replace(iterations=before)
