"""Numbers, texts and flags of headers, each coded with what is known of its place: the reference of
what `insitu.codecs.header_coder` has compiled.

In: values and where in a header they are. Out: decisions of an arithmetic coder; or from them the
values. What was coded is remembered, so that more like it takes fewer bytes.

A value is compared with those that are expected at its place, then with the last ones that differ
there; otherwise numbers are coded as differences from what is expected (of floats, of their bits in
order, without the zeros at their end), texts letter by letter.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, TypeVar

from insitu.codecs.arithmetic import Chance, Coder, even_chance
from insitu.codecs.errors import FrameError

Value = int | str
"""Of a float, its 64 bits, so that NaN is NaN and -0.0 not 0.0."""

_DOUBLE, _BITS = struct.Struct("<d"), struct.Struct("<Q")
_SIGN = 1 << 63
_SHORTER = (52, 48, 40, 29, 0)
"""Zeros at the end of a float: powers of two, metrics, numbers in single precision."""
_N_RECENT, _RECENT_BITS = 16, 4
_LENGTH_BITS = 7
_FOLLOWED = 3  # a chance at a new place is trusted as if it had been learned from so many bits
_Layers = TypeVar("_Layers", bound="Layered")
_UNSEEN: dict[str, Value] = {"i": 0, "f": 0, "s": "", "z": "", "b": 0}


class Layered(dict[Any, list[Any]]):
    """Lists by key; those of an earlier one are copied when they are first looked up."""

    def __init__(self, below: Layered | None = None) -> None:
        super().__init__()
        self._below = below

    def find(self, key: Any) -> list[Any] | None:
        found = self.get(key)
        if found is None and self._below is not None:
            found = self._below.find(key)
            if found is not None:
                found = self[key] = found[:]
        return found

    def copy(self: _Layers) -> _Layers:
        """One that changes without this one."""
        made = type(self)(self._below)
        made.update({key: found[:] for key, found in self.items()})
        return made


class Chances(Layered):
    """A `Chance` for every kind of decision."""


class Recent(Layered):
    """The last values that differ, by place, the last first."""


def trust(chances: Chances, most: int) -> None:
    """Count the chances as learned from that many bits at most."""
    for chance in chances.values():
        chance[1] = min(chance[1], most)


class Limit:
    """How much may still come of some bytes."""

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, n: int = 1) -> None:
        """Raises FrameError where it is more."""
        self.left -= n
        if self.left < 0:
            raise FrameError("headers: more values than such bytes can stand for")


class Values:
    """Codes values one after the other, in both directions."""

    def __init__(self, coder: Coder, chances: Chances, recent: Recent, limit: Limit) -> None:
        self._coder, self._chances, self._recent, self._limit = coder, chances, recent, limit

    def flag(self, key: Any, wanted: bool, like: Any = None) -> bool:
        """One decision. key: its place; like: a more general one, which a new place begins with."""
        return self._coder.bit(self._chance(key, like), wanted)

    def value(
        self, kind: str, place: str, wanted: Value | None, expected: Sequence[Value]
    ) -> Value:
        """A value of a kind: i, f, s, z (text of digits) or b (0 or 1).

        wanted: ignored in decoding; expected: of the same kind, the likeliest first.
        """
        self._limit.take()
        expected = expected or (_UNSEEN[kind],)
        wanted = expected[0] if wanted is None else wanted
        if kind == "b":
            return int(self.flag((place, expected[0]), bool(wanted), ("b",)))
        for number, one in enumerate(expected):
            if one in expected[:number]:
                continue
            if self.flag((place, number), wanted == one, (kind, number)):
                self._remember(place, one)
                return one
        recent = [one for one in self._recent.find(place) or () if one not in expected]
        there = recent.index(wanted) if wanted in recent else None
        if recent and self.flag((place, "recent"), there is not None, (kind, "recent")):
            found = recent[min(self.tree((place, "at"), _RECENT_BITS, there or 0), len(recent) - 1)]
        else:
            found = self._new(kind, place, wanted, expected[0])
        self._remember(place, found)
        return found

    def number(self, place: str, wanted: int) -> int:
        """A number 0 or above."""
        return self._whole(place, wanted, 0)

    def text(self, place: str, wanted: str) -> str:
        data = wanted.encode("utf-8", "surrogatepass")
        n = self.number(f"{place} length", len(data))
        if n < 0:
            raise FrameError("headers: a text of less than no letters")
        self._limit.take(n)
        found = bytearray()
        last = 0
        for at in range(n):
            given = data[at] if at < len(data) else 0
            last = self.tree(("letter", last), 8, given, ("letters",))
            found.append(last)
        try:
            return found.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise FrameError(f"headers: a text: {error}") from None

    def _new(self, kind: str, place: str, wanted: Any, expected: Any) -> Value:
        if kind in "sz":
            return self.text(kind, wanted)
        if kind == "i":
            found = self._whole(place, wanted, expected)
            if not -_SIGN <= found < _SIGN:
                raise FrameError("headers: a number of more than 64 bits")
            return found
        fitting = (i for i, zeros in enumerate(_SHORTER) if not wanted & ((1 << zeros) - 1))
        zeros = _SHORTER[min(self.tree((place, "zeros"), 3, next(fitting), ("zeros",)), 4)]
        key = f"{place} {zeros}"
        ordered = self._whole(key, _ordered(wanted, zeros), _ordered(expected, zeros), zeros)
        magnitude = (ordered if ordered >= 0 else ~ordered) << zeros
        if magnitude >= _SIGN:
            raise FrameError("headers: a number of more than 64 bits")
        return magnitude | (0 if ordered >= 0 else _SIGN)

    def _whole(self, key: Any, wanted: int, expected: int, like: Any = "i") -> int:
        difference = wanted - expected
        n = self.tree((key, "bits"), _LENGTH_BITS, abs(difference).bit_length(), ("bits", like))
        if not n:
            return expected
        down = self.flag((key, "down"), difference < 0, ("down",))
        low = (1 << (n - 1)) - 1
        size = 1 << (n - 1) | self._coder.bits(n - 1, abs(difference) & low)
        return expected - size if down else expected + size

    def tree(self, key: Any, n_bits: int, wanted: int, like: Any = None) -> int:
        """A number in 0..2**n_bits - 1, the upper bits first."""
        node = 1
        for at in range(n_bits - 1, -1, -1):
            chance = self._chance((key, node), None if like is None else (like, node))
            node = node << 1 | self._coder.bit(chance, bool(wanted >> at & 1))
        return node - (1 << n_bits)

    def _chance(self, key: Any, like: Any) -> Chance:
        found = self._chances.find(key)
        if found is None:
            found = even_chance()
            if like is not None:
                p, n = self._chance(like, None)
                found = [p, min(n, _FOLLOWED)]
            self._chances[key] = found
        return found

    def _remember(self, place: str, value: Value) -> None:
        recent = self._recent.find(place)
        if recent is None:
            recent = self._recent[place] = []
        elif recent[0] == value:
            return
        if value in recent:
            recent.remove(value)
        recent.insert(0, value)
        del recent[_N_RECENT:]


def bits_of(number: float) -> int:
    return int(_BITS.unpack(_DOUBLE.pack(number))[0])


def float_of(bits: int) -> float:
    return float(_DOUBLE.unpack(_BITS.pack(bits))[0])


def _ordered(bits: int, zeros: int) -> int:
    """The bits of a float as a number that is larger for larger floats."""
    size = (bits & (_SIGN - 1)) >> zeros
    return ~size if bits & _SIGN else size
