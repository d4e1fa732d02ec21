"""Arithmetic coding of decisions with mixed probabilities: the reference, in whole numbers.

In: contexts and decisions. Out: bytes, and back, bit for bit those of
`insitu/engines/cpu/cpp/sparse_mixing.hpp`.

Each of a decision's contexts has an adaptive probability. Their logits are weighted and summed, and
the weights are trained online by the coding error (logistic mixing: Mahoney, "Adaptive weighing of
context models for lossless data compression", 2005). Nothing depends on floating point, except
tables whose rounded entries are far from ties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SLOTS = 7
"""Contexts of a decision."""
HALF = 2048
"""Logits are in -HALF .. HALF - 1, in units of 1/256."""
SELECTORS = 64
"""Sets of weights."""
_MOST_SEEN = 160
_CONFIDENCE = (0, 8, 11, 13, 14, 15, 16, 16)  # sixteenths, by the number of observations
_MOST_PAST = 1 << 16  # bytes read past the end


@dataclass(frozen=True, eq=False)
class Start:
    """What a mixer knows at first."""

    weights: NDArray[np.int32]
    """(SELECTORS, SLOTS + 1), times 2^-16."""
    contexts: NDArray[np.int32]
    """(n, 3): a slot, a context, its probability of 1, times 2^16."""
    seen: int
    """Observations that such a probability is worth."""
    decided: int
    """Decisions that a set of weights has learned from."""
    patience: int
    """The larger, the longer weights learn fast."""


NOTHING = Start(
    np.full((SELECTORS, SLOTS + 1), 20000, np.int32), np.zeros((0, 3), np.int32), 0, 0, 1
)
"""Of the first coding."""


@cache
def squash() -> list[int]:
    """Logit + HALF -> probability of 1, times 2^16."""
    return [round(65536 / (1 + math.exp(-(i - HALF + 0.25) / 256))) for i in range(2 * HALF)]


@cache
def stretch() -> list[int]:
    """The upper 12 bits of a probability -> logit."""
    probabilities = [(i + 0.5) / 4096 for i in range(4096)]
    return [min(max(round(256 * math.log(p / (1 - p))), -HALF), HALF - 1) for p in probabilities]


class Mixer:
    """The probability of the next decision, and what is learned from it."""

    def __init__(self, start: Start) -> None:
        self._table: list[dict[int, list[int]]] = [{} for _ in range(SLOTS)]  # [one, seen]
        for slot, context, one in start.contexts.tolist():
            self._table[slot][context] = [one, start.seen]
        self._weights = start.weights.tolist()
        self._decided = [start.decided] * SELECTORS
        self._fast = 32 * start.patience

    def predict(self, contexts: Sequence[int], selector: int) -> int:
        """The probability of 1, times 2^16, for one context per slot."""
        self._slots = [
            table.setdefault(context, [32768, 0])
            for table, context in zip(self._table, contexts, strict=True)
        ]
        self._inputs = [
            _towards_zero(stretch()[one >> 4] * _CONFIDENCE[min(seen, 7)], 16)
            for one, seen in self._slots
        ]
        self._inputs.append(256)
        self._selector = selector
        total = sum(w * x for w, x in zip(self._weights[selector], self._inputs, strict=True))
        self._p = squash()[min(max(total >> 16, -HALF), HALF - 1) + HALF]
        return self._p

    def learn(self, bit: int) -> None:
        """Adapts what `predict` used."""
        error, n, fast = (bit << 16) - self._p, self._decided[self._selector], self._fast
        shift = 13 if n < fast else 14 if n < 8 * fast else 15 if n < 64 * fast else 16
        self._decided[self._selector] = min(n + 1, 64 * fast)
        weights = self._weights[self._selector]
        for i, value in enumerate(self._inputs):
            weights[i] += value * error >> shift
        for slot in self._slots:
            one, seen = slot
            goal = 65535 if bit else 0
            slot[0] = one + ((goal - one) * (655360 // (10 * seen + 16)) >> 16)
            slot[1] = min(seen + 1, _MOST_SEEN)


class Encoder:
    """Narrows an interval of 32-bit numbers by each decision; writes the bytes that are settled."""

    def __init__(self, start: Start) -> None:
        self._mixer = Mixer(start)
        self._low, self._high = 0, 2**32 - 1
        self._bytes = bytearray()

    def code(self, bit: int, contexts: Sequence[int], selector: int) -> int:
        middle = _middle(self._low, self._high, self._mixer.predict(contexts, selector))
        self._low, self._high = (self._low, middle) if bit else (middle + 1, self._high)
        while self._low >> 24 == self._high >> 24:
            self._bytes.append(self._high >> 24)
            self._low = self._low << 8 & 0xFFFFFFFF
            self._high = (self._high << 8 | 255) & 0xFFFFFFFF
        self._mixer.learn(bit)
        return bit

    def finish(self) -> bytes:
        """The shortest bytes that, followed by zeros, lie in the interval."""
        for kept in range(5):
            value = self._high >> (32 - 8 * kept) << (32 - 8 * kept)
            if value >= self._low:
                self._bytes += value.to_bytes(4, "big")[:kept]
                break
        return bytes(self._bytes).rstrip(b"\0")


class Decoder:
    """Inverse of `Encoder`, for any bytes."""

    def __init__(self, data: bytes, start: Start) -> None:
        self._mixer = Mixer(start)
        self._low, self._high = 0, 2**32 - 1
        self._data, self._at, self._value = data, 0, 0
        for _ in range(4):
            self._value = self._value << 8 | self._byte()

    def code(self, bit: int, contexts: Sequence[int], selector: int) -> int:
        """The next decision; `bit` is not used."""
        middle = _middle(self._low, self._high, self._mixer.predict(contexts, selector))
        bit = int(self._value <= middle)
        self._low, self._high = (self._low, middle) if bit else (middle + 1, self._high)
        while self._low >> 24 == self._high >> 24:
            self._low = self._low << 8 & 0xFFFFFFFF
            self._high = (self._high << 8 | 255) & 0xFFFFFFFF
            self._value = (self._value << 8 | self._byte()) & 0xFFFFFFFF
        self._mixer.learn(bit)
        return bit

    @property
    def exhausted(self) -> bool:
        """Whether far more was read than there is: the bytes are not those of an encoder."""
        return self._at - len(self._data) > _MOST_PAST

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0


def _middle(low: int, high: int, p: int) -> int:
    return low + ((high - low) * p >> 16)


def _towards_zero(a: int, b: int) -> int:
    return a // b if a >= 0 else -(-a // b)
