"""Headers as few bytes: the same ones again, bit for bit; damage is an error, and no memory."""

import copy
import json
import math
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import arithmetic, header_coder, header_values, headers
from insitu.codecs.errors import FrameError
from insitu.codecs.typical_headers import typical_headers

SCALARS = st.one_of(
    st.integers(-(2**66), 2**66), st.floats(width=64), st.floats(width=32), st.booleans(),
    st.none(), st.text(),
)  # fmt: skip
KEYS = st.sampled_from(["cycle", "name", "domain_id", "cells", "nodes", "metrics", "1", ""])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)
HEADERS = st.lists(st.dictionaries(KEYS, VALUES), max_size=6)


def text(found: list[Any]) -> str:
    """NaN is NaN, and -0.0 is not 0.0."""
    return json.dumps(found)


@settings(max_examples=80, deadline=None)
@given(first=HEADERS, second=HEADERS)
def test_headers_come_back(first: list[Any], second: list[Any]) -> None:
    writer, reader = headers.new_memory(), headers.new_memory()
    for each in (first, second):
        tried = writer.copy()
        data = headers.encode(each, tried)
        assert headers.encode(each, writer) == data
        assert text(headers.decode(data, len(each), reader)) == text(each)


def with_reference(run: Callable[[], Any]) -> Any:
    """What comes of the readable implementation."""
    names = ("Chances", "Recent", "Values", "trust")
    parts = {name: getattr(header_values, name) for name in names}
    parts |= {"Encoder": arithmetic.Encoder, "Decoder": arithmetic.Decoder}
    headers._seeded.cache_clear()
    try:
        with patch.multiple(headers, **parts):
            return run()
    finally:
        headers._seeded.cache_clear()


@settings(max_examples=40, deadline=None)
@given(first=HEADERS, second=HEADERS, noise=st.binary(max_size=40))
def test_the_compiled_coder_is_the_readable_one(
    first: list[Any], second: list[Any], noise: bytes
) -> None:
    assert header_coder.Values is not header_values.Values

    def run() -> list[Any]:
        memory = headers.new_memory()
        found: list[Any] = [headers.encode(each, memory) for each in (first, second, first)]
        try:
            found.append(text(headers.decode(noise, 2, most=10**4)))
        except FrameError:
            found.append("refused")
        return found

    assert run() == with_reference(run)


@settings(max_examples=80, deadline=None)
@given(found=HEADERS, data=st.data())
def test_damage_is_an_error_or_other_headers(found: list[Any], data: st.DataObject) -> None:
    """The checksum around them is what detects it; here nothing worse than FrameError comes."""
    whole = bytearray(headers.encode(found) + b"x")
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for altered in (whole, whole[: data.draw(st.integers(0, len(whole)))]):
        try:
            headers.decode(bytes(altered), len(found), most=10**4)
        except FrameError as error:
            assert "headers" in str(error)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80))
def test_noise_is_no_more_than_the_limit(noise: bytes) -> None:
    tracemalloc.start()
    with suppress(FrameError):
        headers.decode(noise, 3, most=10**4)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_typical_headers_come_back() -> None:
    typical = typical_headers()
    assert headers.decode(headers.encode(typical), len(typical)) == typical


def headers_of(n_steps: int, n_blocks: int) -> list[dict[str, Any]]:
    """As of blocks side by side: what does not change, and a range and an error that do."""
    return [
        {
            "name": "density",
            "cells": [48, 48, 96],
            "nodes": [[0.0, 10.0, 97], [0.0, 10.0, 49], [10.0 * block, 10.0 * block + 10, 49]],
            "range": [[0.1, 1 + math.sin(step + block)]],
            "domain_id": block,
            "cycle": 5 * step,
            "time": 0.1 * step,
        }
        for step in range(n_steps)
        for block in range(n_blocks)
    ]


def test_what_repeats_takes_no_bytes() -> None:
    found = headers_of(8, 16)
    assert len(headers.encode(found)) < 9 * len(found)  # 8 are the range
    same = copy.deepcopy(found)
    for header in same:
        header["range"] = [[0.0, 1.0]]
    assert len(headers.encode(same)) < 2 * len(found)
    memory = headers.new_memory()
    headers.encode(found, memory)
    assert len(headers.encode(headers_of(9, 16)[-16:], memory)) < 9 * 16


def test_fields_of_a_step_share_what_their_blocks_have_in_common() -> None:
    found = headers_of(1, 16)
    both = [*found, *({**header, "name": "energy"} for header in found)]
    assert len(headers.encode(both)) < len(headers.encode(found)) + 3 * 16


def test_what_is_asked_for_is_limited() -> None:
    found = headers_of(2, 16)
    data = headers.encode(found, most=10**4)
    assert headers.decode(data, len(found), most=10**4) == found
    for most in (1, 100, 600):
        with pytest.raises(FrameError, match="more values"):
            headers.decode(data, len(found), most=most)
        with pytest.raises(FrameError, match="more values"):
            headers.encode(found, most=most)
    with pytest.raises(FrameError, match="more values"):
        headers.decode(b"", 10**9)


def test_many_headers_of_nothing_are_padded_and_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "FREE", 1 << 10)
    found = [{"a": [0] * 50} for _ in range(400)]
    assert headers.decode(headers.encode(found), len(found)) == found


def test_no_more_than_the_last_rows_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "_MOST_ROWS", 20)
    writer, reader = headers.new_memory(), headers.new_memory()
    for step in range(12):
        each = headers_of(step + 1, 7)[-7:]
        assert headers.decode(headers.encode(each, writer), 7, reader) == each
        assert len(writer.rows) <= 27


def test_lists_too_deep_in_each_other_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ValueError, match="more than 100 lists"):
        headers.encode([{"a": deep}])
