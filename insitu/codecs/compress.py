"""Trained parameters become weights that may be kept: as few bytes as the accuracy allows.

In: parameters, the word for the codec, a measure of the error. Out: `Weights` whose error was
measured after decoding them.

A codec has one number, the coarseness. It is searched for with the change of the output at a few
thousand points, which costs little; then the error of what comes out is measured in full, and the
search repeated with less where the promise is not kept. Half precision is what remains.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.arrays import Layout
from insitu.codecs.options import Compression
from insitu.codecs.weight_codecs import Coder, weight_codec
from insitu.codecs.weights import Weights

Floats = NDArray[np.float32]
MeanSquare = Callable[[Floats], float]

_DOUBLINGS = 24  # of the coarseness, at most, to find where the change passes what is allowed
_HALVINGS = 4  # of that last factor of two
_ATTEMPTS = 3  # to use what is allowed, once something is found that keeps to it
_MOST_ATTEMPTS = 8  # to find something
_ENOUGH = 0.7  # of the error that is allowed: more attempts would save a few per cent


def compress(
    layout: Layout,
    params: Floats,
    options: Compression,
    mean_square: MeanSquare,
    outputs: Callable[[Floats], NDArray[np.floating]],
    sensitivity: Callable[[], Floats],
    *,
    before: float | None = None,
    goal: float = 0.0,
) -> Weights:
    """The weights of a trained model as they will be kept. Not collective.

    Args:
        layout: of the parameters.
        params: (n_params,), as training left them.
        options: the codec, and what it may cost.
        mean_square: parameters -> mean squared error of the block, in units of the global range.
        outputs: parameters -> what the model gives at a few thousand points, in those units.
        sensitivity: called where it is needed; of each of `arrays.views`, the mean squared change
            of `outputs` per unit of variance of noise in all of its weights.
        before: `mean_square` of params, where it is known.
        goal: mean squared error that is good enough, should compression_loss allow less.

    The error of the result is at most that of `params` and compression_loss on top, or `goal`,
    by `mean_square`; or that of half precision, where no coding keeps to it. With both r_enc and
    r_mlp given, these are what is kept to instead.

    Raises ValueError where a weight is not finite, or has to be half precision and does not fit it.
    """
    if not np.isfinite(params).all():
        raise ValueError("weights: a weight is not finite; training diverged")
    codec = weight_codec(options.compression)
    if codec.prepare is None:
        return Weights.half(params)
    sensitive = sensitivity()
    if not np.isfinite(sensitive).all():
        return Weights.half(params)
    coder = codec.prepare(layout, params, sensitive, options)
    if coder.fixed:
        return Weights.of(layout, codec.name, coder.body(1.0))

    reference = outputs(params)

    def change(trial: Floats) -> float:
        """Mean squared change of the output at the points."""
        return float(np.square(outputs(trial) - reference, dtype=np.float64).mean())

    before = mean_square(params) if before is None else before
    allowed = max(before * 10 ** (options.compression_loss / 10), goal)
    room = allowed - before
    best: Weights | None = None
    fitting, failing = 0.0, math.inf  # rooms whose result kept to what is allowed, and did not
    for attempt in range(_MOST_ATTEMPTS):
        if best is not None and attempt >= _ATTEMPTS:
            break
        coarseness = _coarsest(coder, change, room, layout.n_params)
        if coarseness is None:
            break
        weights = Weights.of(layout, codec.name, coder.body(coarseness))
        used = (mean_square(weights.params) - before) / (allowed - before)
        if used <= 1:
            fitting = max(fitting, room)
            if best is None or len(weights.payload) < len(best.payload):
                best = weights
        else:
            failing = min(failing, room)
        if _ENOUGH <= used <= 1:
            break
        # The change does not simply add to the error that was there, and points miss some of it.
        room *= 0.9 / min(max(used, 0.25), 4)
        if not fitting < room < failing:
            room = math.sqrt(fitting * failing)
    return best or Weights.half(params)


def _coarsest(
    coder: Coder, change: Callable[[Floats], float], room: float, n_params: int
) -> float | None:
    """The largest coarseness whose change stays below `room`, to some 5 %; None: there is none."""
    if not room > 0:
        return None

    def fits(exponent: float) -> bool:
        return change(coder.rounded(2**exponent)) <= room

    # Where its steps are small, `quantized` changes the output by coarseness^2 n / 12.
    low = math.log2(math.sqrt(12 * room / n_params))
    start = fits(low)
    step = 1 if start else -1
    for _ in range(_DOUBLINGS):
        if fits(low + step) != start:
            break
        low += step
    else:
        return 2**low if start else None
    low = min(low, low + step)
    for i in range(_HALVINGS):
        if fits(low + 0.5 ** (i + 1)):
            low += 0.5 ** (i + 1)
    return 2**low
