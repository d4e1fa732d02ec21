"""What the page's JavaScript does with the numbers of a packed step, in plain Python."""

from __future__ import annotations

import json
import math
import struct
import zlib
from itertools import product
from typing import Any

import numpy as np

from insitu.core.arrays import Floats

_ONE = 1 << 14


class _Distribution:
    def __init__(self, mean: float) -> None:
        self.radius = math.floor(9 * mean) + 4
        side = [1.0]
        for _ in range(self.radius):
            side.append(side[-1] * (mean / (1 + mean)))
        weights = [*side[:0:-1], *side, side[-1]]
        total = _sum(weights)
        self.weights = [weight * (32 / total) for weight in weights]
        self.seen, self.next = 0, 32
        self.renew()

    def renew(self) -> None:
        scale = (_ONE - len(self.weights)) / _sum(self.weights)
        widths = [1 + math.floor(weight * scale) for weight in self.weights]
        widths[self.radius] += _ONE - sum(widths)
        self.starts = np.concatenate([[0], np.cumsum(widths)]).tolist()

    def learn(self, symbol: int) -> None:
        self.weights[symbol] += 1
        self.seen += 1
        if self.seen == self.next:
            self.next += self.next >> 1
            self.renew()


class Reader:
    """Reads what `insitu.viewer.rans.Encoder` wrote."""

    def __init__(self, data: bytes) -> None:
        self.words = np.frombuffer(data, "<u2").tolist()
        self.state = self.words.pop(0) << 16 | self.words.pop(0)
        self.classes: dict[int, _Distribution] = {}

    def advance(self, start: int, width: int) -> None:
        self.state = width * (self.state >> 14) + self.state % _ONE - start
        if self.state < 1 << 16:
            self.state = self.state << 16 | self.words.pop(0)

    def uniform(self, bits: int) -> int:
        width = _ONE >> bits
        found = self.state % _ONE // width
        self.advance(found * width, width)
        return found

    def array(self, count: int) -> list[int]:
        kind, shift = self.uniform(5), self.uniform(5)
        if kind == 31:
            return [0] * count
        values = [0] * count
        for first in range(0, shift, 8):
            for i in range(count):
                values[i] |= self.uniform(min(8, shift - first)) << first
        mean = 0.03125
        for _ in range(kind):
            mean *= 1.25
        found = self.classes.setdefault(kind, _Distribution(mean))
        outside = []
        for i in range(count):
            slot = self.state % _ONE
            symbol = int(np.searchsorted(found.starts, slot, side="right")) - 1
            self.advance(found.starts[symbol], found.starts[symbol + 1] - found.starts[symbol])
            found.learn(symbol)
            if symbol > 2 * found.radius:
                outside.append(i)
            else:
                values[i] += (symbol - found.radius) << shift
        rest = [-(1 << 23)] * len(outside)
        for first in (0, 8, 16):
            rest = [number + (self.uniform(8) << first) for number in rest]
        for i, number in zip(outside, rest, strict=True):
            values[i] += number << shift
        return values


def _sum(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def unpacked(data: bytes, before: dict[str, Any] | None = None) -> tuple[dict[str, Any], bytes]:
    """The header and the data of a packed step; `values` of a block are those of its arrays.

    before: the header of the step before, as returned.
    """
    plain = zlib.decompress(data)
    (length,) = struct.unpack_from("<I", plain)
    header = json.loads(plain[4 : 4 + length])
    rest = plain[4 + length :]
    earlier = before if header["follows"] else None
    numbers = Reader(rest[: header["numbers"]]) if header["numbers"] else None
    for i, own in enumerate(header["blocks"]):
        known = {} if earlier is None else earlier["blocks"][i]
        block = own if "kind" in own else known | own
        if "arrays" in block:
            assert numbers is not None
            block["values"] = _values(numbers, block["arrays"], known.get("values"))
        header["blocks"][i] = block
    return ({} if earlier is None else {"lines": earlier["lines"]}) | header, rest


def _values(reader: Reader, arrays: list[Any], before: list[Floats] | None) -> list[Floats]:
    parts = reader.array(len(arrays))
    uppers = np.cumsum(reader.array(len(arrays)))
    found = []
    for k, (_, shape) in enumerate(arrays):
        step = float(np.uint32(int(uppers[k]) << 16).view(np.float32))
        numbers = np.array(reader.array(math.prod(shape)), np.float64)
        share = (16 - parts[k]) / 16
        if share:
            assert before is not None
            numbers += np.floor(before[k].astype(np.float64) * share / step + 0.5)
        found.append((numbers * step).astype(np.float32))
    return found


def text_as_bytes(text: str) -> bytes:
    """Bytes from the text that stands in a page."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;.=/?@^_:{|}~"
    found = bytearray()
    for i in range(0, len(text), 5):
        part = text[i : i + 5]
        number = 0
        for character in part.ljust(5, "~"):
            number = number * 85 + digits.index(character)
        found += number.to_bytes(4, "big")[: len(part) - 1]
    return bytes(found)


def samples(entry: dict[str, Any], data: bytes) -> Floats:
    """(nz, ny, nx, n_components) of an unpacked block of samples, NaN where there is none."""
    shape, start = tuple(entry["shape"]), entry["bytes"][0]
    cells, n = math.prod(shape), len(entry["origin"])
    if entry["type"] == "i1":
        numbers = np.frombuffer(data, np.int8, n * cells, start).astype(np.float64)
        start += n * cells
    else:
        low, high = np.frombuffer(data, np.uint8, 2 * n * cells, start).reshape(2, n * cells)
        numbers = (low | high.astype(np.uint16) << 8).astype(np.int16).astype(np.float64)
        start += 2 * n * cells
    found = np.stack(
        [_interpolated(numbers[c * cells :], shape, entry["step"]) for c in range(n)], axis=-1
    )
    found = np.array(entry["origin"]) + np.array(entry["extent"]) * found
    if "mask" in entry:
        bits = np.unpackbits(np.frombuffer(data, np.uint8, -(-cells // 8), start), count=cells)
        found[bits.reshape(shape).astype(bool)] = np.nan
    return found


def _interpolated(numbers: Floats, shape: tuple[int, int, int], step: float) -> Floats:
    values = np.zeros(shape)
    values[0, 0, 0] = numbers[0] * step / 8
    at, stride = 1, 1
    while 2 * stride < max(shape):
        stride *= 2
    while stride:
        for axis in range(3):
            apart = [stride if other < axis else 2 * stride for other in range(3)]
            starts = [stride if other == axis else 0 for other in range(3)]
            ranges = [range(s, n, d) for s, n, d in zip(starts, shape, apart, strict=True)]
            for place in product(*ranges):

                def near(k: int, place: tuple[int, ...] = place, axis: int = axis) -> float:
                    moved = list(place)
                    moved[axis] += k
                    inside = 0 <= moved[axis] < shape[axis]
                    return float(values[tuple(moved)]) if inside else math.nan

                a, b, c, d = (near(k * stride) for k in (-3, -1, 1, 3))
                guesses = ((9 * (b + c) - (a + d)) / 16, (b + c) / 2, 1.5 * b - 0.5 * a, b)
                guess = next(guess for guess in guesses if not math.isnan(guess))
                values[place] = guess + numbers[at] * step / min(stride, 8)
                at += 1
        stride //= 2
    return values
