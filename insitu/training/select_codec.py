"""Compression of one block by the codec that the run file names.

In: a job, a codec. Out: a field of any kind. No communication.
"""

from __future__ import annotations

from dataclasses import replace

from insitu.codecs import compressors
from insitu.fields.block_field import BlockField
from insitu.training.bricks import compress_bricks
from insitu.training.job import TrainingJob
from insitu.training.residual import TooTight
from insitu.training.select_model import rank, train_smallest
from insitu.training.train import train

MODEL, AUTO = "inr", "auto"

# `auto` compares all codecs again after this many steps.
_TRY_AGAIN = 20
# The codec for bounds that are too tight for a model with a residual.
_STRICT = "sz3"


def codecs() -> list[str]:
    """The available codecs: the model, the compressors, and `auto`, which picks the one with the
    fewest bytes."""
    return [MODEL, *compressors.names(), AUTO]


def compress_block(job: TrainingJob, codec: str) -> BlockField:
    """Compress the block by a codec. `auto` picks the one with the fewest bytes that meets the
    target, or, with `target.ratio`, the most accurate one. Not collective.

    codec: one of `codecs()`. `auto` uses the last winner, from `job.memory`, and compares all
    codecs again every 20 steps. SPERR is included where its packages are installed.
    """
    memory = job.memory
    if codec == AUTO and (memory.codec is None or memory.codec_age >= _TRY_AGAIN):
        tried = [_one(job, name) for name in (MODEL, *compressors.available())]
        best = min(tried, key=lambda field: rank(field, job))
        memory.codec, memory.codec_age = best.codec, 0
        seconds = sum(field.metrics.seconds for field in tried)
        return replace(best, metrics=replace(best.metrics, seconds=seconds), _bytes=None)
    if codec == AUTO and memory.codec is not None:
        memory.codec_age += 1
        codec = memory.codec
    return _one(job, codec)


def _one(job: TrainingJob, codec: str) -> BlockField:
    if codec != MODEL:
        return compress_bricks(job, codec)
    try:
        return train_smallest(job) if job.any_model else train(job)
    except TooTight:
        return compress_bricks(job, _STRICT)
