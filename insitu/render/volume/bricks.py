"""A block as the ray marcher reads it: bricks of its sample grid, decoded on demand and cached.

In: a `SampledBlock`. Out: the engine's bricks, in the current cache.
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
    """A cache of limited size for the decoded bricks of all blocks read while it is in use."""

    def __init__(self, nbytes: int) -> None:
        """nbytes: the size limit. It should hold at least one brick of 37^3 floats per thread;
        otherwise threads wait for one another. Raises ValueError if nbytes is not positive;
        `march` raises it if a single brick does not fit."""
        if nbytes <= 0:
            raise ValueError(f"brick cache: {nbytes} bytes; expected a positive number")
        self.nbytes = nbytes
        self._native: dict[str, EngineCache] = {}
        # By engine and the field's id, so that the value ranges of bricks, once computed, are
        # reused for every picture of the field.
        self._known: dict[tuple[str, int], tuple[weakref.ref[Any], Bricks]] = {}

    @property
    def native(self) -> EngineCache:
        """The rendering engine's cache, with limit, used, peak (bytes) and decoded (bricks)."""
        painter = drawing()
        if painter.name not in self._native:
            self._native[painter.name] = painter.brick_cache(self.nbytes)
        return self._native[painter.name]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Context in which bricks read in this thread (context variable) use this cache."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)

    def bricks_of(self, field: SampledBlock) -> Bricks:
        """See the function `bricks_of`."""
        key = painter_of(field).name, id(field)
        found = self._known.get(key)
        if found is not None and found[0]() is field:
            return found[1]
        bricks = _made(field)
        self._known[key] = (weakref.ref(field, lambda gone: self._forget(key, gone)), bricks)
        return bricks

    def _forget(self, key: tuple[str, int], gone: weakref.ref[Any]) -> None:
        if key in self._known and self._known[key][0] is gone:  # ids are reused
            del self._known[key]


_default = BrickCache(DEFAULT_CACHE_NBYTES)
_current: ContextVar[BrickCache | None] = ContextVar("brick cache", default=None)


def brick_cache() -> BrickCache:
    """The current cache: the session's while it draws, otherwise a default one of 64 MiB."""
    return _current.get() or _default


def bricks_of(field: SampledBlock) -> Bricks:
    """The bricks of a block; the current cache returns the same ones as long as `field` lives.

    The engine reads networks and raw blocks itself; other blocks are read through `on_grid`.
    """
    return brick_cache().bricks_of(field)


def _made(field: SampledBlock) -> Bricks:
    vertex, painter, cache = field.association == "vertex", painter_of(field), brick_cache().native
    if isinstance(field, RawBlock):
        part = field.partition  # the training engine may differ from the rendering engine
        sampler = painter.sampler(part.components, part.ghost_layers, part.cells, vertex)
        return painter.bricks_of_sampler(sampler, cache)
    model = _alone(field)
    if model is not None and (model.model is None or painter.supports(model.model)):
        extent = np.asarray(model.range[:, 1] - model.range[:, 0], np.float64)
        origin = np.asarray(model.zero, np.float64)
        return painter.bricks_of_model(
            model.model, model.params, origin, extent, model.cells, vertex, cache
        )
    held = weakref.ref(field)  # a strong reference from its bricks would keep it alive forever

    def read(lo: list[int], hi: list[int], component: int) -> Floats:
        block = held()
        if block is None:
            raise ReferenceError("bricks: their block was deleted; keep a reference to it")
        axes = [lattice(n, vertex)[a:b] for n, a, b in zip(block.cells[::-1], lo, hi, strict=True)]
        return scalars(block.on_grid(*axes), component).astype(np.float32)

    return painter.bricks_of_function(read, field.n_components, field.cells, vertex, cache)


def painter_of(field: SampledBlock) -> Engine:
    """The engine that marches through a block: it may be another one for models alone."""
    model = _alone(field)
    return drawing() if model is None else drawing(model=model.model)


def _alone(field: SampledBlock) -> ModelField | None:
    """The field if an engine can evaluate it without calling Python."""
    model = field.as_model if isinstance(field, BlockField) else None
    return model if model is not None and model.model_alone and model.holes is None else None
