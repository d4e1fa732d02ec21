"""Search for the model size of one block that reaches its target.

In: the sizes of a model, the size of the previous step. Out: the fit of the smallest tested size
that reaches the target; if none does, the closest one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from insitu.models.base import Model, SizeOption
from insitu.training.adaptive_size import steps_up
from insitu.training.trial import SLICE_SECONDS, FitResult, Run, Shortfall, Trial


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

    Where the engine trains several networks in the time of one (`Engine.side_by_side`), the next
    larger sizes are tested at the same time.

    Where no size meets the target within these limits, the result is the fit that came closest. Its
    iterations include those of all tested sizes; of sizes at the same time, those of the longest.
    """
    sizes = [option.model for option in options]
    at = sizes.index(previous) if previous in sizes else 0
    before = 0
    if smaller and at > 0:
        trial = trial_for(sizes[at - 1])
        result = trial.try_fit(end, options[at - 1].share)
        if isinstance(result, FitResult):
            return trial, result
        before = result.iterations
    missed: list[tuple[Trial, Shortfall]] = []
    while True:
        trial = trial_for(sizes[at])
        # Larger sizes too, where the engine trains them in the same time; but weights of the step
        # before need few steps, which the others would only delay.
        more = 1 if trial.first.warm else trial.job.engine.side_by_side
        tried = [trial, *map(trial_for, sizes[at + 1 : at + more])]
        share = max(most - before, 1) / trial.steps
        shares = [
            min(max(option.share, float(one.first.warm)), share)
            for option, one in zip(options[at:], tried, strict=False)
        ]
        trained = _side_by_side(tried, shares, end)
        before += max(run.trainer.iteration for _, run in trained)
        for trial, run in trained:
            steps = run.trainer.iteration
            result = trial.finish(run)
            before += run.trainer.iteration - steps
            if isinstance(result, FitResult):
                break
            missed.append((trial, result))
        if isinstance(result, FitResult):
            break
        at = sizes.index(trial.model)
        if at == len(sizes) - 1 or before >= most or trial.job.clock() >= end:
            break
        at = min(at + steps_up(result.missing_db), len(sizes) - 1)
    if missed:
        closest, left = min(missed, key=lambda pair: pair[1].missing_db)
        if isinstance(result, Shortfall) or left.missing_db < trial.missing_db(result):
            return closest, closest.finalize(left)._replace(iterations=before)
    assert isinstance(result, FitResult)
    return trial, result._replace(iterations=before)


def _side_by_side(
    tried: Sequence[Trial], shares: Sequence[float], end: float
) -> list[tuple[Trial, Run]]:
    """Trainings of several sizes to their ends, or, where the time ends first, the one of them that
    came closest. A single one is only begun."""
    runs = [(trial, trial.begin(end, share)) for trial, share in zip(tried, shares, strict=True)]
    if len(runs) == 1:
        return runs
    job, stop = tried[0].job, min(run.end for _, run in runs)
    trainers = [run.trainer for _, run in runs]
    while not job.engine.train_together(trainers, min(SLICE_SECONDS, stop - job.clock())):
        if job.clock() >= stop:
            errors = [np.nan_to_num(t.root_mean_square, nan=np.inf) for t in trainers]
            return [runs[int(np.argmin(errors))]]
    return runs
