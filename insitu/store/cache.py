"""The steps that were decoded last.

In: steps as they are opened. Out: those that there is room for, so that who opens one step after
the other, or one step twice, does not decode all that these count from again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from insitu.fields.block_field import BlockField

Blocks = tuple[BlockField, ...]


class Cache:
    """Blocks of at most `steps` steps, the least recently used go first."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._held: OrderedDict[Hashable, Blocks] = OrderedDict()

    def get(self, key: Hashable) -> Blocks | None:
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def put(self, key: Hashable, blocks: Blocks, room: float) -> None:
        """Remember the blocks, if all that is remembered stays within `room` bytes."""
        self._held[key] = blocks
        self._held.move_to_end(key)
        self.shrink(room)

    def shrink(self, room: float) -> None:
        """Forget until no more than `room` bytes, and `steps` steps, are left."""
        while self._held and (len(self._held) > self.steps or self.nbytes > room):
            self._held.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        self._held.pop(key, None)

    def clear(self) -> None:
        self._held.clear()

    @property
    def nbytes(self) -> int:
        """Of the decoded weights and the frames that came with them."""
        return sum(
            block.nbytes + block.params_nbytes for blocks in self._held.values() for block in blocks
        )
