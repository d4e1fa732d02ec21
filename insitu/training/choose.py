"""One block by the codec that the run file names.

In: a partition, a codec, a target. Out: a field, whichever kind. No communication.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from insitu.codec.compressors import available
from insitu.fields.block_field import BlockField
from insitu.fields.neural_field import NeuralField
from insitu.mesh.partition import Partition
from insitu.training.bounds import extents
from insitu.training.bricks import compress_bricks
from insitu.training.options import Target
from insitu.training.ranges import GlobalRange
from insitu.training.residual import TooTight
from insitu.training.size import Memory
from insitu.training.train import train

Codec = Literal["inr", "sz3", "zfp", "sperr", "auto"]

# `auto` tries all codecs again after so many steps.
_TRY_AGAIN = 20
# What keeps a bound that is too tight for a network and a residual.
_STRICT = "sz3"


def compress_block(
    partition: Partition,
    codec: Codec,
    target: Target,
    whole: GlobalRange,
    previous: BlockField | None,
    memory: Memory,
    *,
    cycle: int,
    time: float,
    **training: Any,
) -> BlockField:
    """The block by its codec; by `auto`, the one of fewest bytes that meets the target, and with
    `target.ratio` the most accurate. Not collective.

    Args:
        previous: the same block one step earlier.
        memory: of this block over the steps; `auto` uses the codec that won last, and tries all of
            them again every 20 steps. SPERR takes part where its packages are installed.
        training: what else `train` needs: network, options, compression, sized_by_target.
    """
    if codec == "auto" and (memory.codec is None or memory.codec_age >= _TRY_AGAIN):
        tried = [
            _one(partition, name, target, whole, previous, memory, cycle, time, training)
            for name in ("inr", *available())
        ]
        best = min(tried, key=lambda field: _rank(field, target, whole))
        memory.codec, memory.codec_age = best.codec, 0
        seconds = sum(field.metrics.seconds for field in tried)
        return replace(best, metrics=replace(best.metrics, seconds=seconds), _bytes=None)
    name: str | None = codec
    if codec == "auto":
        memory.codec_age += 1
        name = memory.codec
    return _one(partition, name, target, whole, previous, memory, cycle, time, training)


def _one(
    partition: Partition,
    codec: str | None,
    target: Target,
    whole: GlobalRange,
    previous: BlockField | None,
    memory: Memory,
    cycle: int,
    time: float,
    training: dict[str, Any],
) -> BlockField:
    if codec is not None and codec != "inr":
        return compress_bricks(partition, codec, target, whole, cycle=cycle, time=time)
    earlier = previous if isinstance(previous, NeuralField) else None
    try:
        return train(
            partition, target=target, whole=whole, previous=earlier, memory=memory, cycle=cycle,
            time=time, **training,
        )  # fmt: skip
    except TooTight:
        return compress_bricks(partition, _STRICT, target, whole, cycle=cycle, time=time)


def _rank(field: BlockField, target: Target, whole: GlobalRange) -> tuple[bool, float, float]:
    """Smaller is better."""
    psnr = field.metrics.psnr_db(extents(whole).tolist())
    if target.ratio is not None:
        large = field.metrics.raw_nbytes < target.ratio * field.nbytes
        return large, field.nbytes if large else 0.0, -psnr
    return target.psnr is not None and psnr < target.psnr, float(field.nbytes), -psnr
