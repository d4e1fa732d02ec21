"""A least-recently-used cache of decoded steps.

In: steps as they are opened. Out: as many of them as fit, so that opening a step again, or the one
after it, does not decode the steps that it depends on a second time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from insitu.fields.block_field import BlockField

Blocks = tuple[BlockField, ...]


class Cache:
    """Blocks of at most `steps` steps; the least recently used are evicted first."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._held: OrderedDict[Hashable, Blocks] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._nbytes = 0

    def get(self, key: Hashable) -> Blocks | None:
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def put(self, key: Hashable, blocks: Blocks, room: float) -> None:
        """Cache the blocks if the cache then stays within `room` bytes."""
        self.forget(key)
        self._held[key] = blocks
        self._sizes[key] = sum(block.nbytes + block.params_nbytes for block in blocks)
        self._nbytes += self._sizes[key]
        self.shrink(room)

    def shrink(self, room: float) -> None:
        """Evict steps until at most `room` bytes and `steps` steps are left."""
        while self._held and (len(self._held) > self.steps or self.nbytes > room):
            self.forget(next(iter(self._held)))

    def forget(self, key: Hashable) -> None:
        if self._held.pop(key, None) is not None:
            self._nbytes -= self._sizes.pop(key)

    def clear(self) -> None:
        self._held.clear()
        self._sizes.clear()
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded weights and of their frames."""
        return self._nbytes
