"""A block as the ray marcher reads it: bricks of its lattice, decoded on demand, within a cache.

In: a `SampledBlock`. Out: the engine's bricks, in the cache that is in use.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from insitu.core.arrays import Floats
from insitu.engines import Engine, drawing
from insitu.engines.base import BrickCache as EngineCache
from insitu.engines.base import Bricks
from insitu.engines.lattice import lattice, scalars
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.raw_block import RawBlock
from insitu.fields.sampled_block import SampledBlock

DEFAULT_CACHE_NBYTES = 64 * 2**20


class BrickCache:
    """Decoded bricks of at most so many bytes, of all blocks that are read while it is in use."""

    def __init__(self, nbytes: int) -> None:
        """At least a brick of 37^3 floats per thread is wise: threads without one wait. ValueError
        where nbytes is not positive; `march` raises it where a brick does not fit."""
        if nbytes <= 0:
            raise ValueError(f"brick cache: {nbytes} bytes, expected a positive number")
        self.nbytes = nbytes
        self._native: dict[str, EngineCache] = {}
        # By engine and the field's id: the ranges of its bricks, once known, hold for every picture
        # of it.
        self._known: dict[tuple[str, int], tuple[weakref.ref[Any], Bricks]] = {}

    @property
    def native(self) -> EngineCache:
        """Of the engine that draws: limit, used, peak (bytes) and decoded (bricks)."""
        painter = drawing()
        if painter.name not in self._native:
            self._native[painter.name] = painter.brick_cache(self.nbytes)
        return self._native[painter.name]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within, it is the cache of whoever reads bricks in this thread."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)

    def bricks_of(self, field: SampledBlock) -> Bricks:
        """As the function `bricks_of`."""
        key = drawing().name, id(field)
        found = self._known.get(key)
        if found is not None and found[0]() is field:
            return found[1]
        bricks = _made(field)
        self._known[key] = (weakref.ref(field, lambda gone: self._forget(key, gone)), bricks)
        return bricks

    def _forget(self, key: tuple[str, int], gone: weakref.ref[Any]) -> None:
        if key in self._known and self._known[key][0] is gone:  # ids come back
            del self._known[key]


_default = BrickCache(DEFAULT_CACHE_NBYTES)
_current: ContextVar[BrickCache | None] = ContextVar("brick cache", default=None)


def brick_cache() -> BrickCache:
    """The cache in use: a session's while it draws, else one of 64 MiB."""
    return _current.get() or _default


def bricks_of(field: SampledBlock) -> Bricks:
    """The bricks of a block, in the cache in use the same ones as long as `field`
    lives.

    Networks and raw blocks are read by the engine, others by their `on_grid`.
    """
    return brick_cache().bricks_of(field)


def _made(field: SampledBlock) -> Bricks:
    vertex, painter, cache = field.association == "vertex", drawing(), brick_cache().native
    if isinstance(field, RawBlock):
        part = field.partition  # another engine than the one that draws may train
        sampler = painter.sampler(part.components, part.ghost_layers, part.cells, vertex)
        return painter.bricks_of_sampler(sampler, cache)
    model = field.as_model if isinstance(field, BlockField) else None
    if model is not None and _is_read_by(painter, model):
        extent = np.asarray(model.range[:, 1] - model.range[:, 0], np.float64)
        origin = np.asarray(model.zero, np.float64)
        return painter.bricks_of_model(
            model.model, model.params, origin, extent, model.cells, vertex, cache
        )
    held = weakref.ref(field)  # bricks that held it would keep it for good

    def read(lo: list[int], hi: list[int], component: int) -> Floats:
        block = held()
        if block is None:
            raise ReferenceError("bricks: their block is gone")
        axes = [lattice(n, vertex)[a:b] for n, a, b in zip(block.cells[::-1], lo, hi, strict=True)]
        return scalars(block.on_grid(*axes), component).astype(np.float32)

    return painter.bricks_of_function(read, field.n_components, field.cells, vertex, cache)


def _is_read_by(painter: Engine, field: ModelField) -> bool:
    """Whether the engine reads the field without Python."""
    supported = field.model is None or painter.supports(field.model)
    return supported and field.model_alone and field.holes is None
