"""Frames of groups: header and payload again; every altered byte of the header is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import group_frame
from insitu.codecs.errors import FrameError
from tests.support.paths import ROOT

OLD = ROOT / "tests" / "data" / "records" / "version_3" / "rank_00000.frames"


def old() -> list[bytes]:
    """Frames of version 5, the second one continues the first."""
    data, found = OLD.read_bytes(), []
    while data:
        n = group_frame.layout(data[: group_frame.PREFIX_NBYTES])[1]
        found.append(data[:n])
        data = data[n:]
    return found


@settings(max_examples=50, deadline=None)
@given(entries=st.binary(max_size=300), payload=st.binary(max_size=200), number=st.integers(0, 9))
def test_what_was_packed(entries: bytes, payload: bytes, number: int) -> None:
    data = group_frame.pack(entries, payload, number)
    end, nbytes = group_frame.layout(data[: group_frame.PREFIX_NBYTES])
    assert (nbytes, data[end:]) == (len(data), payload) and end == len(data) - len(payload)
    found = group_frame.verified(data[:end])
    assert (found.version, found.continues, found.entries) == (7, number, entries)
    assert len(data) - len(entries) - len(payload) <= 16


def test_frames_of_version_5_are_read() -> None:
    first, second, third = old()
    headers = [group_frame.verified(data) for data in (first, second, third)]
    assert [header.version for header in headers] == [5] * 3
    assert headers[0].continues == 0 and headers[1].continues == headers[0].number
    entries = group_frame.entries_of_5(headers[0], b"")
    assert b'"write":1' in entries
    assert b'"write":2' in group_frame.entries_of_5(headers[1], entries)
    with pytest.raises(FrameError, match="ZSTD"):
        group_frame.entries_of_5(headers[1], b"other")


@pytest.mark.parametrize("version", [5, 7])
def test_cut_and_altered_bytes_are_named(version: int) -> None:
    data = old()[0] if version == 5 else group_frame.pack(b"entries", b"payload", 3)
    n = group_frame.layout(data)[0]
    for at in range(n):
        altered = bytearray(data)
        altered[at] ^= 1 << at % 8
        with pytest.raises(FrameError, match=r"starts with|checksum|torn|a frame's prefix"):
            group_frame.verified(bytes(altered[: group_frame.layout(bytes(altered))[0]]))
    for end in range(n):
        with pytest.raises(FrameError, match=r"starts with|torn|a frame's prefix"):
            group_frame.layout(data[:end])
            group_frame.verified(data[:end])
