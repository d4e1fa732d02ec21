"""A cache of decoded chunks with a size limit, one for the whole process.

In: a key and a function that decodes the chunk. Out: the chunk, decoded again if it was evicted.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from numpy.typing import NDArray

Chunk = NDArray[Any]
Key = tuple[int, int]

DEFAULT_NBYTES = 64 * 2**20


class ChunkCache:
    """The most recently used chunks, up to `limit` bytes of decoded values. Thread-safe.

    A chunk larger than the limit is returned but not cached.
    """

    def __init__(self, limit: int = DEFAULT_NBYTES) -> None:
        self.limit = limit
        self._chunks: OrderedDict[Key, Chunk] = OrderedDict()
        self._nbytes = 0
        self._lock = Lock()
        self._owners = itertools.count()

    @property
    def nbytes(self) -> int:
        """Bytes of decoded values in the cache."""
        return self._nbytes

    def owner(self) -> int:
        """A new unique number, for the first half of keys."""
        return next(self._owners)

    def get(self, key: Key, make: Callable[[], Chunk]) -> Chunk:
        """The chunk of `key`, read-only. `make` decodes it outside the lock, so two threads that
        miss the same chunk both decode it."""
        with self._lock:
            found = self._chunks.get(key)
            if found is not None:
                self._chunks.move_to_end(key)
                return found
        made = make()
        made.flags.writeable = False
        with self._lock:
            if key not in self._chunks and made.nbytes <= self.limit:
                self._chunks[key] = made
                self._nbytes += made.nbytes
            while self._nbytes > self.limit:
                _, dropped = self._chunks.popitem(last=False)
                self._nbytes -= dropped.nbytes
        return made


CACHE = ChunkCache()
