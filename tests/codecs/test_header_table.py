"""Tables of headers of earlier versions: damage is named, and what they ask for is limited."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import header_table, zstd
from insitu.codecs.errors import FrameError
from tests.support.paths import ROOT

MANIFEST = ROOT / "tests" / "data" / "records" / "version_3" / "manifest.json"
MOST = 10**5


def table() -> bytes:
    text = json.loads(MANIFEST.read_text())["steps"]
    return zstd.decompress(base64.b64decode(text), MOST)


def test_a_table_is_read() -> None:
    rows = header_table.decode(table(), MOST)
    assert [row["field"] for row in rows] == ["density"] * 8 + ["energy"] * 8
    assert [row["cycle"] for row in rows] == list(range(0, 40, 5)) * 2
    n = sum(rows.size for rows in header_table.table_of(rows).rows.values())
    assert header_table.decode(table(), n) == rows
    with pytest.raises(FrameError, match="more numbers"):
        header_table.decode(table(), n - 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_is_an_error_or_other_headers(data: st.DataObject) -> None:
    """The checksum around a table is what detects it; here nothing worse than FrameError comes."""
    whole = table()
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
