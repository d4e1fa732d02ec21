"""A block as the ray marcher reads it: bricks of its lattice, decoded on demand, within a cache.

In: a `SampledBlock`. Out: the engine's bricks, one cache for all blocks of this process.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from insitu.engines import Engine, drawing
from insitu.engines.base import BrickCache, Bricks, Floats
from insitu.engines.lattice import lattice, scalars
from insitu.fields.neural_field import NeuralField
from insitu.fields.raw_block import RawBlock
from insitu.fields.sampled_block import SampledBlock

DEFAULT_CACHE_NBYTES = 64 * 2**20

_cache = drawing().brick_cache(DEFAULT_CACHE_NBYTES)
# By the field's id: the ranges of its bricks, once known, hold for every picture of it.
_known: dict[int, tuple[weakref.ref[Any], Bricks]] = {}


def brick_cache() -> BrickCache:
    """The cache of all blocks of this process."""
    return _cache


def limit_brick_cache(nbytes: int) -> None:
    """Decoded bricks take at most so many bytes from now on; what was decoded is dropped.

    At least a brick of 37^3 floats per thread is wise: threads without one wait. ValueError where
    nbytes is not positive; `march` raises it where a brick does not fit.
    """
    global _cache
    if nbytes <= 0:
        raise ValueError(f"brick cache: {nbytes} bytes, expected a positive number")
    _cache = drawing().brick_cache(nbytes)
    _known.clear()


def bricks_of(field: SampledBlock) -> Bricks:
    """The bricks of a block, the same ones as long as `field` lives.

    Networks and raw blocks are read by the engine, others by their `on_grid`.
    """
    found = _known.get(id(field))
    if found is not None and found[0]() is field:
        return found[1]
    bricks = _made(field)
    key = id(field)
    _known[key] = (weakref.ref(field, lambda gone: _forget(key, gone)), bricks)
    return bricks


def _forget(key: int, gone: weakref.ref[Any]) -> None:
    if key in _known and _known[key][0] is gone:  # ids come back
        del _known[key]


def _made(field: SampledBlock) -> Bricks:
    vertex, painter = field.association == "vertex", drawing()
    if isinstance(field, RawBlock):
        part = field.partition  # another engine than the one that draws may train
        sampler = painter.sampler(part.components, part.ghost_layers, part.cells, vertex)
        return painter.bricks_of_sampler(sampler, _cache)
    if isinstance(field, NeuralField) and _is_model_alone(field, painter):
        extent = np.asarray(field.range[:, 1] - field.range[:, 0], np.float64)
        origin = np.asarray(field.zero, np.float64)
        return painter.bricks_of_model(
            field.network, field.params, origin, extent, field.cells, vertex, _cache
        )
    held = weakref.ref(field)  # bricks that held it would keep it for good

    def read(lo: list[int], hi: list[int], component: int) -> Floats:
        block = held()
        if block is None:
            raise ReferenceError("bricks: their block is gone")
        axes = [lattice(n, vertex)[a:b] for n, a, b in zip(block.cells[::-1], lo, hi, strict=True)]
        return scalars(block.on_grid(*axes), component).astype(np.float32)

    return painter.bricks_of_function(read, field.n_components, field.cells, vertex, _cache)


def _is_model_alone(field: NeuralField, painter: Engine) -> bool:
    """Whether the engine reads the field without Python."""
    supported = field.network is None or painter.supports(field.network)
    return supported and field.residual is None and field.holes is None
