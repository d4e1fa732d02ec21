"""Frames: round trip of anything, refusal of everything else."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.codecs import frame, json_frame
from insitu.codecs.frame import FrameError, frame_nbytes, pack, unpack
from tests.support.json_values import json_values

headers = st.dictionaries(st.text().filter(lambda k: k != "payloads"), json_values, max_size=5)


@given(headers, st.lists(st.binary(max_size=200), max_size=5), st.binary(max_size=20))
def test_round_trip(header: dict, payloads: list[bytes], after: bytes) -> None:
    data = pack(header, payloads)
    assert frame_nbytes(data) == len(data)
    assert unpack(data + after) == (header, payloads)


@given(st.lists(st.binary(max_size=50), max_size=3), st.sampled_from([0, 10**5]), st.data())
def test_any_altered_byte_of_a_header_is_found_without_the_payloads(
    payloads: list[bytes], many: int, data: st.DataObject
) -> None:
    payloads.append(bytes(many))
    whole = bytearray(pack({"a": 1}, payloads))
    assert (frame.header_end(whole) < len(whole)) == (sum(map(len, payloads)) > 4096)
    end = frame.header_end(whole)
    header = frame.read_header(whole[:end])
    assert header == {"a": 1, "payloads": [len(payload) for payload in payloads]}
    at = data.draw(st.integers(0, end - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError):
        frame.read_header(whole[: frame.header_end(whole)])


@given(st.binary(max_size=30), st.binary(max_size=30), st.integers(1, 40))
def test_the_next_frame_is_found_behind_anything(
    before: bytes, payload: bytes, searched: int
) -> None:
    data = before + pack({}, [payload])
    whole = frame._SEARCHED
    try:
        frame._SEARCHED = searched
        for after in (0, len(before) + 1):
            places = [data.find(magic, after) for magic in frame.MAGICS]
            found = min((place for place in places if place >= 0), default=-1)
            at = frame.next_frame(io.BytesIO(data), after)
            assert at == (None if found < 0 else found)
    finally:
        frame._SEARCHED = whole


@given(headers, st.lists(st.binary(max_size=200), max_size=5))
def test_frames_of_version_4_are_written_for_records_in_their_form(
    header: dict, payloads: list[bytes]
) -> None:
    data = json_frame.pack(header, payloads)
    assert data.startswith(b"INSITUFR\x04") and unpack(data) == (header, payloads)


def test_what_is_not_worth_a_table_is_json() -> None:
    for header in ({"a": list(range(5000))}, {"a": "x" * 5000}, {"a": [[]] * 5000}):
        data = pack(header, [b"payload"])
        assert unpack(data) == (header, [b"payload"]) and b'{"a":' in data
    with pytest.raises(TypeError, match="not JSON"):
        pack({"a": object()}, [])


@given(st.lists(st.binary(max_size=50), max_size=3), st.data())
def test_any_altered_byte_is_found(payloads: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(pack({"a": 1}, payloads))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FrameError):
        unpack(bytes(whole))


@given(st.data())
def test_any_torn_tail_is_found(data: st.DataObject) -> None:
    whole = pack({"a": 1}, [b"xyz"])
    with pytest.raises(FrameError):
        unpack(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(FrameError):
        unpack(noise)


def test_a_huge_announced_length_allocates_nothing() -> None:
    start = frame.MAGIC + b"\x02" + b"\xff" * 8 + b"\x7f"
    for end in range(len(start)):
        with pytest.raises(FrameError, match=r"starts with|expected a frame's prefix"):
            frame_nbytes(start[:end])
    assert frame_nbytes(start) > 2**62
    with pytest.raises(FrameError, match="torn"):
        unpack(start)
    with pytest.raises(FrameError, match="torn"):
        frame.read_header(start)


def test_another_version_is_named() -> None:
    data = bytearray(json_frame.pack({}, []))
    data[8:10] = struct.pack("<H", 9)
    with pytest.raises(FrameError, match="version 9; this insitu reads versions 1, 2, 3, 4, 6"):
        unpack(bytes(data))


@given(st.binary(max_size=60))
def test_a_header_that_is_no_object_is_refused(text: bytes) -> None:
    body = struct.pack("<8sHHIQ", b"INSITUFR", 2, 0, len(text), 0) + text
    with pytest.raises(FrameError):
        unpack(body + zlib.crc32(body).to_bytes(4, "little"))


def test_a_header_nested_too_deeply_is_refused() -> None:
    text = b"[" * 200_000
    body = struct.pack("<8sHHIQ", b"INSITUFR", 2, 0, len(text), 0) + text
    with pytest.raises(FrameError, match="not JSON"):
        unpack(body + zlib.crc32(body).to_bytes(4, "little"))
