"""Frames of version 5: header and payload again; every altered byte of the header is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import group_frame
from insitu.codecs.errors import FrameError

PREFIX = group_frame.PREFIX_NBYTES


def parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Prefix, verified bytes of the header, payload."""
    n = group_frame.header_nbytes(data[:PREFIX])
    assert group_frame.frame_nbytes(data[:PREFIX]) == len(data)
    header = group_frame.verified(data[:PREFIX], data[PREFIX : PREFIX + n])
    return data[:PREFIX], header, data[PREFIX + n :]


@settings(max_examples=50, deadline=None)
@given(first=st.binary(max_size=300), second=st.binary(max_size=300), least=st.integers(0, 200))
def test_what_was_packed(first: bytes, second: bytes, least: int) -> None:
    data = group_frame.pack(first, b"payload", None, least)
    _, bytes_of_first, payload = parts(data)
    assert payload == b"payload" and len(bytes_of_first) >= least
    assert not group_frame.continues(bytes_of_first)
    assert group_frame.header(bytes_of_first, b"") == first
    number = group_frame.number_of(bytes_of_first)
    _, bytes_of_second, _ = parts(group_frame.pack(second, b"", (number, first), 0))
    assert group_frame.continues(bytes_of_second) == number
    assert group_frame.header(bytes_of_second, first) == second


def test_a_header_like_the_one_before_takes_few_bytes() -> None:
    first = bytes(range(256)) * 2
    alone = group_frame.pack(first, b"", None, 0)
    assert len(group_frame.pack(first, b"", (1, first), 0)) < len(alone) - 200


def test_cut_and_altered_bytes_are_named() -> None:
    data = group_frame.pack(b"a header", b"payload", None, 0)
    n = len(data) - len(b"payload")
    for at in range(n):
        altered = bytearray(data)
        altered[at] ^= 1 << at % 8
        with pytest.raises(FrameError, match=r"starts with|checksum|torn"):
            group_frame.frame_nbytes(altered[:PREFIX])
            group_frame.verified(bytes(altered[:PREFIX]), bytes(altered[PREFIX:n]))
    for end in range(n):
        with pytest.raises(FrameError, match=r"starts with|torn"):
            group_frame.frame_nbytes(data[: min(end, PREFIX)])
            group_frame.verified(data[:PREFIX], data[PREFIX:end])


def test_a_long_header_of_nothing_is_padded_and_opens() -> None:
    header = bytes(10**7)
    _, packed, _ = parts(group_frame.pack(header, b"", None, 0))
    assert group_frame.header(packed, b"") == header
