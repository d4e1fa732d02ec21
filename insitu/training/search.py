"""Search for the model size of one block that reaches its target.

In: the sizes of a model, the size of the previous step. Out: the fit of the smallest tested size
that reaches the target; if none does, the closest one.
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
    most: int,
    smaller: bool = False,
) -> tuple[Trial, FitResult]:
    """Fit, and climb until the target is met, or the sizes end, or the training steps, or the time,
    one of the job's clock.

    Args:
        trial_for: makes the trial of a model, with its initial state.
        previous: the model of the previous step; the search starts there if it is one of the sizes,
            otherwise with the smallest size.
        most: training steps of all tested sizes together.
        smaller: try one size below `previous` first.

    Where no size meets the target within these limits, the result is the fit that came closest. Its
    iterations include those of all tested sizes.
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
        share = max(options[at].share, float(trial.first.warm))
        result = trial.try_fit(end, min(share, max(most - before, 1) / trial.steps))
        before += result.iterations
        if isinstance(result, FitResult):
            break
        missed.append((trial, result))
        if at == len(sizes) - 1 or before >= most or trial.job.clock() >= end:
            break
        at = min(at + steps_up(result.missing_db), len(sizes) - 1)
    if missed:
        closest, left = min(missed, key=lambda pair: pair[1].missing_db)
        if isinstance(result, Shortfall) or left.missing_db < trial.missing_db(result):
            return closest, closest.finalize(left)._replace(iterations=before)
    assert isinstance(result, FitResult)
    return trial, result._replace(iterations=before)
