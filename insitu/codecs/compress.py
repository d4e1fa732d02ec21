"""Compression of trained parameters to as few bytes as the accuracy allows.

In: parameters, the name of the codec, a measure of the error. Out: `Weights` whose error was
measured after decoding them.

A codec has one parameter, the coarseness. The search for it uses the change of the output at a few
thousand points, which is cheap; or the error itself, where that is cheaper. Then the error of the
result is measured in full, and the search is repeated with a smaller allowance where the limit is
exceeded. Half precision is the fallback.
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

_TRIES = 24  # maximum number of coarsenesses of a search,
_RANGE = 2.0**24  # and their largest factor from the first
_CLOSE = 1.05  # factor between a coarseness that fits and one that does not, at which it ends
_FAR = 16.0  # largest factor between one coarseness and the next
_ATTEMPTS = 3  # attempts to use the whole allowance, once a valid result is found
_MOST_ATTEMPTS = 8  # attempts to find a valid result
_ENOUGH = 0.7  # fraction of the allowed error; further attempts would save a few percent


def compress(
    layout: Layout,
    params: Floats,
    options: Compression,
    mean_square: MeanSquare,
    outputs: Callable[[Floats], NDArray[np.floating]] | None,
    sensitivity: Callable[[], Floats],
    *,
    before: float | None = None,
    goal: float = 0.0,
) -> Weights:
    """The compressed weights of a trained model. Not collective.

    Args:
        layout: layout of the parameters.
        params: (n_params,), the result of training.
        options: the codec, and the accuracy that it may cost.
        mean_square: parameters -> mean squared error of the block, in units of the global range.
        outputs: parameters -> outputs of the model at a few thousand points, in the same units;
            None: `mean_square` is cheaper.
        sensitivity: called if needed; for each of `arrays.views`, the mean squared change of
            `outputs` per unit variance of noise in all of its weights.
        before: `mean_square` of params, if known.
        goal: sufficient mean squared error, used where compression_loss allows less.

    The error of the result, by `mean_square`, is at most that of `params` plus compression_loss, or
    `goal`; or that of half precision where no coding achieves this. With both r_enc and r_mlp
    given, these are the limits instead.

    Raises ValueError where a weight is not finite, or needs half precision and is too large for it.
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

    before = mean_square(params) if before is None else before
    change = _change(mean_square, before) if outputs is None else _change_at(outputs, params)
    allowed = max(before * 10 ** (options.compression_loss / 10), goal)
    room = allowed - before
    best: Weights | None = None
    fitting, failing = 0.0, math.inf  # allowances with a valid and an invalid result
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
        if used <= 1 and (used >= _ENOUGH or outputs is None):
            break  # the search by the error itself has used what there is
        # The change does not simply add to the existing error, and the points miss some of it.
        room *= 0.9 / min(max(used, 0.25), 4)
        if not fitting < room < failing:
            room = math.sqrt(fitting * failing)
    return best or Weights.half(params)


def _change(mean_square: MeanSquare, before: float) -> MeanSquare:
    """Parameters -> what they add to the mean squared error."""
    return lambda trial: mean_square(trial) - before


def _change_at(outputs: Callable[[Floats], NDArray[np.floating]], params: Floats) -> MeanSquare:
    """Parameters -> mean squared change of the outputs."""
    reference = outputs(params)
    return lambda trial: float(np.square(outputs(trial) - reference, dtype=np.float64).mean())


def _coarsest(coder: Coder, change: MeanSquare, room: float, n_params: int) -> float | None:
    """The largest coarseness whose change stays below `room`, to about 5 %; None without any.

    The change is about proportional to the square of the coarseness, which says where to look next.
    """
    if not room > 0:
        return None
    # For small steps, `quantized` changes the output by coarseness^2 n / 12.
    start = trial = math.sqrt(12 * room / n_params)
    fits, fails = 0.0, math.inf
    for _ in range(_TRIES):
        changed = change(coder.rounded(trial))
        if changed <= room:
            fits = trial
            if changed * _CLOSE**2 >= room:
                break
        else:
            fails = trial
        if fails <= _CLOSE * fits or not start / _RANGE < trial < start * _RANGE:
            break
        wanted = room / _CLOSE / max(changed, 1e-300)
        trial *= min(max(math.sqrt(wanted), 1 / _FAR), _FAR)
        if not fits < trial < fails:
            trial = math.sqrt(fits * fails)
    return fits or None
