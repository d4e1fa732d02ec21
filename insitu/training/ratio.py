"""Training of one block within a byte limit.

In: the sizes of a model, the byte limit. Out: the largest model that fits, trained to the last step
and coded as coarsely as needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from insitu.fields.model_field import ModelField
from insitu.models.base import Model, SizeOption
from insitu.training.trial import FitResult, Trial

# Bytes per quantized parameter, 0.4 to 0.5 for tables of 2^9 to 2^15; and in half precision.
_PER_PARAMETER, _PER_HALF = 0.5, 2.0
# Other bytes of a frame.
_OVERHEAD = 350
# Losses in dB to try where that of the run file gives too many bytes.
_LOSSES = (1.0, 3.0, 6.0)


def fit_to_bytes(
    trial_for: Callable[[Model], Trial],
    finish: Callable[[Trial, FitResult], ModelField],
    options: Sequence[SizeOption],
    most: float,
    previous: ModelField | None,
    end: float,
) -> ModelField:
    """The field whose whole frame has at most `most` bytes, or the smallest one found if none fits.

    Args:
        trial_for: makes the trial of a model, with its initial state.
        finish: makes the field of a fit.
        previous: the previous step; its size is kept where it used between a third and all of the
            allowed bytes.
    """
    sizes = [option.model for option in options]
    half = trial_for(sizes[0]).job.compression.compression == "half"
    per_parameter = _PER_HALF if half else _PER_PARAMETER
    fitting = [s for s in sizes if per_parameter * s.n_params + _OVERHEAD <= most]
    at = max(len(fitting) - 1, 0)
    if previous is not None and previous.model in sizes and most / 3 <= previous.nbytes <= most:
        at = sizes.index(previous.model)
    fewest: ModelField | None = None
    for size in reversed(sizes[: at + 1]):
        trial = trial_for(size)
        fit = trial.fit(end)
        for loss in (None, *_LOSSES):
            if loss is not None:
                fit = trial.recompress(fit, loss)
            field = finish(trial, fit)
            if field.nbytes <= most:
                return field
            if fewest is None or field.nbytes < fewest.nbytes:
                fewest = field
            if half:
                break
    assert fewest is not None
    return fewest
