"""Tables of headers: the same headers again, bit for bit; damage is named; few bytes."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import header_table, zstd
from insitu.codecs.errors import FrameError

MOST = 10**5
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(width=64), st.booleans(), st.none(), st.text()
)
VALUES = st.recursive(
    NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.lists(st.dictionaries(st.sampled_from(["cycle", "a", "b"]), VALUES), max_size=8)


def text(headers: list[Any]) -> str:
    """NaN is NaN, and -0.0 is not 0.0."""
    return json.dumps(headers)


@settings(max_examples=60, deadline=None)
@given(first=HEADERS, second=HEADERS)
def test_headers_come_back(first: list[Any], second: list[Any]) -> None:
    data = header_table.encode(first)
    assert text(header_table.decode(data, MOST)) == text(first)
    before = header_table.table_of(first)
    continued = header_table.encode(second, before)
    assert text(header_table.decode(continued, MOST, before)) == text(second)


@settings(max_examples=60, deadline=None)
@given(headers=HEADERS, data=st.data())
def test_damage_is_an_error_or_other_headers(headers: list[Any], data: st.DataObject) -> None:
    """The checksum around a table is what detects it; here nothing worse than FrameError comes."""
    whole = header_table.encode(headers)
    with pytest.raises(FrameError):
        header_table.decode(whole[: data.draw(st.integers(0, len(whole) - 1))], MOST)
    with pytest.raises(FrameError, match="behind the last one"):
        header_table.decode(whole + b"x", MOST)
    flipped = bytearray(whole)
    flipped[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        header_table.decode(bytes(flipped), MOST)
    except FrameError as error:
        assert "headers" in str(error)


def headers_of(n_steps: int, n_blocks: int) -> list[dict[str, Any]]:
    """As of blocks: what does not change, and a range and an error that do."""
    return [
        {
            "name": "density",
            "cells": [48, 48, 96],
            "nodes": [[0.0, 10.0, 97]] * 3,
            "range": [[0.1, 1 + math.sin(step + block)]],
            "domain_id": block,
            "cycle": 5 * step,
            "time": 0.1 * step,
        }
        for step in range(n_steps)
        for block in range(n_blocks)
    ]


def test_what_repeats_takes_no_bytes() -> None:
    headers = headers_of(8, 16)
    packed = zstd.compress(header_table.encode(headers))
    assert len(packed) < 10 * len(headers)  # 8 are the range
    same = copy.deepcopy(headers)
    for header in same:
        header["range"] = [[0.0, 1.0]]
    assert len(zstd.compress(header_table.encode(same))) < 2 * len(headers)
    later = headers_of(9, 16)[-16:]
    before = header_table.table_of(headers)
    continued = zstd.compress(header_table.encode(later, before), header_table.encode(headers))
    assert len(continued) < 16 * 10 + 60


def test_what_is_asked_for_is_limited() -> None:
    headers = headers_of(100, 16)
    n = header_table.n_numbers(headers)
    data = header_table.encode(headers)
    assert header_table.decode(data, n) == headers
    with pytest.raises(FrameError, match="more numbers"):
        header_table.decode(data, n - 1)


def test_a_number_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 64 bits"):
        header_table.encode([{"a": 2**63}])
