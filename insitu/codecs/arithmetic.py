"""Decisions as bytes: a binary arithmetic coder in integers, which adapts to what it codes.

In: bits with the chances that they are expected with. Out: bytes; and the same bits again.

The range coder of G. N. N. Martin (1979) with a range of 40 to 48 bits. A chance is counted: after
n bits a new one changes it by 1 / (n + 1.6), down to 1 / 32. Encoder and decoder have the same
method, so that one description of a format serves both: the decoder ignores what is wanted.
"""

from __future__ import annotations

from typing import Protocol

Chance = list[int]
"""Probability that a bit is set, in units of 2**-16; and how many bits it was learned from."""

_WHOLE = 1 << 16
_RATES = [round(_WHOLE / (n + 1.6)) for n in range(31)]
_LEAST = 24  # no bit is certain
_LOW, _HIGH = 40, 48
_MASK = (1 << _LOW) - 1
_CHUNK = 16  # plain bits at once


def even_chance() -> Chance:
    return [_WHOLE >> 1, 0]


class Coder(Protocol):
    """What `Encoder` and `Decoder` have in common."""

    def bit(self, chance: Chance, wanted: bool) -> bool:
        """Code one bit, and learn from it."""
        ...

    def bits(self, n: int, wanted: int) -> int:
        """Code a number in 0..2**n - 1 of which nothing is expected."""
        ...


def _learn(chance: Chance, bit: bool) -> None:
    p, n = chance
    p += (((_WHOLE if bit else 0) - p) * _RATES[n]) >> 16
    chance[0] = min(max(p, _LEAST), _WHOLE - _LEAST)
    if n < 30:
        chance[1] = n + 1


class Encoder:
    """Bits to bytes."""

    def __init__(self) -> None:
        self._low, self._range = 0, 1 << _HIGH
        self._out = bytearray()

    def bit(self, chance: Chance, wanted: bool) -> bool:
        bound = (self._range >> 16) * chance[0]
        if wanted:
            self._range = bound
        else:
            self._low += bound
            self._range -= bound
        _learn(chance, wanted)
        self._shift()
        return wanted

    def bits(self, n: int, wanted: int) -> int:
        for at in range(0, n, _CHUNK):
            m = min(_CHUNK, n - at)
            self._range >>= m
            self._low += self._range * (wanted >> at & ((1 << m) - 1))
            self._shift()
        return wanted

    def finish(self) -> bytes:
        """The bytes, without zeros at their end: behind it, the decoder reads zeros."""
        for free in range(_HIGH, -1, -1):  # the number in the range that ends in most zeros
            value = -(-self._low >> free) << free
            if value < self._low + self._range:
                self._low = value
                break
        for _ in range(_HIGH // 8):
            self._byte()
        return bytes(self._out).rstrip(b"\0")

    def _shift(self) -> None:
        while self._range < 1 << _LOW:
            self._byte()
            self._range <<= 8

    def _byte(self) -> None:
        top = self._low >> _LOW
        if top > 255:
            at = len(self._out) - 1
            while self._out[at] == 255:
                self._out[at] = 0
                at -= 1
            self._out[at] += 1
        self._out.append(top & 255)
        self._low = (self._low & _MASK) << 8


class Decoder:
    """Bytes to bits. Of damaged bytes come other bits, and never an error."""

    def __init__(self, data: bytes) -> None:
        first = _HIGH // 8
        self._data, self._at = data, first
        self._code = int.from_bytes(data[:first].ljust(first, b"\0"), "big")
        self._range = 1 << _HIGH

    def bit(self, chance: Chance, wanted: bool) -> bool:
        bound = (self._range >> 16) * chance[0]
        found = self._code < bound
        if found:
            self._range = bound
        else:
            self._code -= bound
            self._range -= bound
        _learn(chance, found)
        self._shift()
        return found

    def bits(self, n: int, wanted: int) -> int:
        found = 0
        for at in range(0, n, _CHUNK):
            m = min(_CHUNK, n - at)
            self._range >>= m
            part = min(self._code // self._range, (1 << m) - 1)
            self._code -= part * self._range
            found |= part << at
            self._shift()
        return found

    def _shift(self) -> None:
        while self._range < 1 << _LOW:
            byte = self._data[self._at] if self._at < len(self._data) else 0
            self._at += 1
            self._code = (self._code << 8 | byte) & ((1 << _HIGH) - 1)
            self._range <<= 8
