"""The training of one block within so many bytes.

In: a ladder of sizes, the bytes there are. Out: the largest network that fits, trained to the last
step and coded as coarsely as the bytes ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from insitu.fields.neural_field import NeuralField
from insitu.models.base import Model, SizeOption
from insitu.training.block import Block, Fit

# Bytes of a quantized parameter, 0.4 to 0.5 for tables of 2^9 to 2^15; of one in half precision.
_PER_PARAMETER, _PER_HALF = 0.5, 2.0
# What else there is in a frame.
_OVERHEAD = 350
# dB that coding may lose, where that of the run file leaves too many bytes.
_LOSSES = (1.0, 3.0, 6.0)


def fit_to_bytes(
    block_for: Callable[[Model], Block],
    finish: Callable[[Block, Fit], NeuralField],
    rungs: Sequence[SizeOption],
    most: float,
    previous: NeuralField | None,
    end: float,
) -> NeuralField:
    """The field of at most `most` bytes, its whole frame; the smallest that was found where none
    has so few.

    Args:
        block_for: the block with a network, and the start that is right for it.
        finish: the field that a fit makes.
        previous: the step before; its size is kept where it took not too many bytes, and not less
            than a third of them.
    """
    sizes = [rung.model for rung in rungs]
    half = block_for(sizes[0]).compression.compression == "half"
    per_parameter = _PER_HALF if half else _PER_PARAMETER
    fitting = [s for s in sizes if per_parameter * s.n_params + _OVERHEAD <= most]
    at = max(len(fitting) - 1, 0)
    if previous is not None and previous.network in sizes and most / 3 <= previous.nbytes <= most:
        at = sizes.index(previous.network)
    fewest: NeuralField | None = None
    for size in reversed(sizes[: at + 1]):
        block = block_for(size)
        fit = block.fit(end)
        for loss in (None, *_LOSSES):
            if loss is not None:
                fit = block.coarser(fit, loss)
            field = finish(block, fit)
            if field.nbytes <= most:
                return field
            if fewest is None or field.nbytes < fewest.nbytes:
                fewest = field
            if half:
                break
    assert fewest is not None
    return fewest
