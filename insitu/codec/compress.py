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
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.codec.kmeans import KMeans
from insitu.codec.options import Compression
from insitu.codec.quantized import Quantized
from insitu.codec.sz3_zfp import Sz3Zfp
from insitu.codec.weights import Weights
from insitu.engines import for_model
from insitu.models.base import Model

Floats = NDArray[np.float32]
MeanSquare = Callable[[Floats], float]

_POINTS = 8192  # at which the change of the output is looked at
_GRADIENTS = 1024  # at which its derivatives are taken
_DOUBLINGS = 24  # of the coarseness, at most, to find where the change passes what is allowed
_HALVINGS = 4  # of that last factor of two
_ATTEMPTS = 3  # to use what is allowed, once something is found that keeps to it
_MOST_ATTEMPTS = 8  # to find something
_ENOUGH = 0.7  # of the error that is allowed: more attempts would save a few per cent


class _Codec(Protocol):
    def rounded(self, coarseness: float) -> Floats: ...

    def body(self, coarseness: float) -> bytes: ...


def compress(
    network: Model,
    params: Floats,
    options: Compression,
    mean_square: MeanSquare,
    *,
    before: float | None = None,
    goal: float = 0.0,
    scale: NDArray[np.floating] | None = None,
    seed: int = 0,
    reference: Floats | None = None,
) -> Weights:
    """The weights of a trained network as they will be kept. Not collective.

    Args:
        network: its shape.
        params: (n_params,), as training left them.
        options: the codec, and what it may cost.
        mean_square: parameters -> mean squared error of the block, in units of the global range.
        before: `mean_square` of params, where it is known.
        goal: mean squared error that is good enough, should compression_loss allow less.
        scale: (n_outputs,), from the network's outputs to those units; default: ones.
        seed: of the points at which the change of the output is looked at.
        reference: (n_params,), decoded parameters of an earlier step that the reader will have
            too. `quantized` then keeps the difference where that is smaller.

    The error of the result is at most that of `params` and compression_loss on top, or `goal`,
    by `mean_square`; or that of half precision, where no coding keeps to it. With both r_enc and
    r_mlp given, these are what is kept to instead.

    Raises ValueError where a weight is not finite, or has to be half precision and does not fit
    it, or a reference is given to another codec than `quantized`.
    """
    if not np.isfinite(params).all():
        raise ValueError("weights: a weight is not finite; training diverged")
    if reference is not None and options.compression != "quantized":
        raise ValueError(f"reference: {options.compression} does not code differences")
    if options.compression == "half":
        return Weights.half(params)
    scale = np.ones(network.n_outputs) if scale is None else scale
    engine = for_model(network)
    points = engine.draw(seed, 0.0, 1.0, 0, _POINTS)
    sensitive = network.sensitivity(params, points[:_GRADIENTS], scale.astype(np.float32))
    if not np.isfinite(sensitive).all():
        return Weights.half(params)
    codec = _codec(network, params, sensitive, options, reference)
    if options.compression == "sz3_zfp" and None not in (options.r_enc, options.r_mlp):
        return Weights.of(network, options.compression, codec.body(1.0))

    outputs = engine.evaluate(network, params, points)

    def change(trial: Floats) -> float:
        """Mean squared change of the output at the points."""
        moved = (engine.evaluate(network, trial, points) - outputs) * scale
        return float(np.square(moved, dtype=np.float64).mean())

    before = mean_square(params) if before is None else before
    allowed = max(before * 10 ** (options.compression_loss / 10), goal)
    room = allowed - before
    best: Weights | None = None
    fitting, failing = 0.0, math.inf  # rooms whose result kept to what is allowed, and did not
    for attempt in range(_MOST_ATTEMPTS):
        if best is not None and attempt >= _ATTEMPTS:
            break
        coarseness = _coarsest(codec, change, room, network.n_params)
        if coarseness is None:
            break
        weights = Weights.of(network, options.compression, codec.body(coarseness), reference)
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


def _codec(
    network: Model,
    params: Floats,
    sensitive: Floats,
    options: Compression,
    reference: Floats | None,
) -> _Codec:
    if options.compression == "kmeans":
        return KMeans(network, params, sensitive)
    if options.compression == "sz3_zfp":
        return Sz3Zfp(network, params, sensitive, options.r_enc, options.r_mlp)
    return Quantized(network, params, sensitive, reference)


def _coarsest(
    codec: _Codec, change: Callable[[Floats], float], room: float, n_params: int
) -> float | None:
    """The largest coarseness whose change stays below `room`, to some 5 %; None: there is none."""
    if not room > 0:
        return None

    def fits(exponent: float) -> bool:
        return change(codec.rounded(2**exponent)) <= room

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
