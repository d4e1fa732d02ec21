"""The arithmetic coder: the same bits again, in about as many bytes as their entropy."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.arithmetic import Decoder, Encoder, even_chance

STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans())
    | st.tuples(st.integers(8, 90), st.integers(0, 2**90 - 1)),
    max_size=300,
)


@settings(deadline=None)
@given(STEPS)
def test_bits_come_back(steps: list[tuple[int, int]]) -> None:
    """A place up to 3 has an adaptive chance; more is a number of so many bits."""
    encoder, chances = Encoder(), [even_chance() for _ in range(4)]
    for n, value in steps:
        if n < 4:
            encoder.bit(chances[n], bool(value))
        else:
            encoder.bits(n, value % 2**n)
    data = encoder.finish()
    assert not data.endswith(b"\0")
    for padded in (data, data + bytes(3)):
        decoder, chances = Decoder(padded), [even_chance() for _ in range(4)]
        for n, value in steps:
            if n < 4:
                assert decoder.bit(chances[n], False) == value
            else:
                assert decoder.bits(n, 0) == value % 2**n


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_some_bits(data: bytes) -> None:
    decoder, chance = Decoder(data), even_chance()
    for n in range(1, 60):
        decoder.bit(chance, False)
        assert 0 <= decoder.bits(n, 0) < 2**n


def test_likely_bits_take_little() -> None:
    generator, p, n = random.Random(1), 0.02, 20000
    encoder, chance = Encoder(), even_chance()
    for _ in range(n):
        encoder.bit(chance, generator.random() < p)
    entropy = -n * (p * math.log2(p) + (1 - p) * math.log2(1 - p)) / 8
    assert entropy < len(encoder.finish()) < 1.25 * entropy
    encoder, chance = Encoder(), even_chance()
    for _ in range(n):
        encoder.bit(chance, True)
    assert len(encoder.finish()) < 10
    encoder = Encoder()
    for at in range(100):
        encoder.bits(13, at)
    assert len(encoder.finish()) <= 100 * 13 // 8 + 1


def test_a_carry_goes_through_many_bytes() -> None:
    encoder = Encoder()
    for _ in range(9):
        encoder.bits(16, 0xFFFF)
    encoder.bit([65536 - 24, 30], False)
    data = encoder.finish()
    decoder = Decoder(data)
    assert [decoder.bits(16, 0) for _ in range(9)] == [0xFFFF] * 9
    assert decoder.bit([65536 - 24, 30], True) is False
