"""Beginnings of frames: a magic, and lengths in as few bytes as they need.

In: bytes. Out: the lengths, and where they end.
"""

from __future__ import annotations

from collections.abc import Sequence

from insitu.codecs.errors import FrameError

MAGIC_NBYTES = 4
MOST_NBYTES = MAGIC_NBYTES + 2 * 9
"""Of a magic and two lengths."""


def pack(magic: bytes, lengths: Sequence[int]) -> bytes:
    """The magic, then numbers in 0..2**63 - 1, each in groups of seven bits, the lowest first; the
    last one of a number has no upper bit."""
    out = bytearray(magic)
    for n in lengths:
        while n >= 128:
            out.append(n & 127 | 128)
            n >>= 7
        out.append(n)
    return bytes(out)


def unpack(
    data: bytes | memoryview, n: int, magic_nbytes: int = MAGIC_NBYTES
) -> tuple[list[int], int]:
    """n numbers behind a magic, and where they end. Raises FrameError where they are cut off, or
    have more than 63 bits."""
    at, found = magic_nbytes, list[int]()
    for _ in range(n):
        number = shift = 0
        while True:
            if at >= len(data) or shift > 56:
                raise FrameError(f"{len(data)} bytes; expected a frame's prefix")
            number |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                break
        found.append(number)
    return found, at
