"""Compression of a model's trained parameters: provides what the codecs need.

In: a model, parameters, an engine, a measure of the error. Out: `Weights` whose error was measured
after decoding them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.compress import MeanSquare, compress
from insitu.codecs.options import Compression
from insitu.codecs.weights import Weights
from insitu.engines import Engine, for_model
from insitu.models.base import Model

Floats = NDArray[np.float32]

_POINTS = 8192  # points at which the change of the output is measured
_GRADIENTS = 1024  # points at which its derivatives are computed,
_SAMPLES_A_GRADIENT = 16  # but no more than one for so many samples,
_FEWEST_GRADIENTS = 256  # unless these would be fewer


def compress_params(
    model: Model,
    params: Floats,
    options: Compression,
    mean_square: MeanSquare,
    *,
    engine: Engine | None = None,
    before: float | None = None,
    goal: float = 0.0,
    samples: int | None = None,
    scale: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> Weights:
    """The compressed weights of a trained model. See `codecs.compress.compress` for the other
    arguments and the exceptions. Not collective.

    Args:
        engine: evaluates the model; default: one that supports it.
        samples: number of samples that `mean_square` is evaluated at, if known.
        scale: (n_outputs,), from the model's outputs to units of `mean_square`; default: ones.
        seed: random seed of the points at which the change of the output is measured.
    """
    by = for_model(model, engine)
    unit = np.ones(model.n_outputs) if scale is None else scale
    known = _POINTS if samples is None else samples
    n_gradients = min(_GRADIENTS, max(_FEWEST_GRADIENTS, known // _SAMPLES_A_GRADIENT))
    points = by.draw(seed, 0.0, 1.0, 0, _POINTS)
    return compress(
        model,
        params,
        options,
        mean_square,
        None if known < _POINTS else lambda trial: by.evaluate(model, trial, points) * unit,
        lambda: model.sensitivity(params, points[:n_gradients], unit.astype(np.float32)),
        before=before,
        goal=goal,
    )
