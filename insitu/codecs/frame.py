"""Frames: the binary format of everything that insitu stores or sends.

In: a header (JSON-serializable) and payloads (bytes). Out: one checksummed byte string, and back.

    magic 4 | header length and form | payload length     numbers of seven bits a byte
    header: its entries and the length of each payload ("payloads"), coded with what is typical
            (`insitu.codecs.headers`); or as JSON where it is long
    checksum (CRC-32, 4 bytes) of everything before it, if there are many bytes of payloads
    payloads, one after the other
    checksum (CRC-32, 4 bytes) of everything before it

All integers are little-endian. Nothing is ever unpickled, and no length from the header is trusted
for an allocation unless the bytes are present.

A file of frames can be read by its headers alone, and a damaged frame costs no other
(`next_frame`): many payloads are behind a checksum of the header, few are read with it, under the
same checksum.

This is version 6. Versions 1 to 4 have headers in JSON (`insitu.codecs.json_frame`) and stay
readable. Versions 5 and 7, in which records keep many blocks under one header, are another layout
(`insitu.codecs.group_frame`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from insitu.codecs import headers, json_frame, prefix
from insitu.codecs.errors import FrameError as FrameError
from insitu.codecs.expected_values import TOTAL
from insitu.codecs.json_frame import CHECKSUM_NBYTES as CHECKSUM_NBYTES
from insitu.codecs.json_frame import checksum as _checksum

MAGIC = b"\xd1IF6"
MAGICS = (json_frame.MAGIC, MAGIC)
PREFIX_NBYTES = max(json_frame.PREFIX_NBYTES, prefix.MOST_NBYTES)
"""So many first bytes of a frame, or all of a shorter one, tell how long it and its header are."""
_FEW = 1 << 12
"""Up to so many bytes of payloads are read with the header."""
_MOST_VALUES = 1 << 12
"""Longer headers are JSON, which takes as many bytes as it stands for."""
_SEARCHED = 1 << 20  # bytes at a time


def pack(header: Mapping[str, Any], payloads: Sequence[bytes]) -> bytes:
    """One frame of a JSON-serializable header and any number of payloads. Not collective."""
    total = sum(map(len, payloads))
    whole = {**header, "payloads": [len(payload) for payload in payloads]}
    try:
        text, is_json = headers.encode([whole], None, {TOTAL: total}, _MOST_VALUES), False
    except ValueError:
        text, is_json = json_frame.as_json(whole), True
    head = prefix.pack(MAGIC, [len(text) << 1 | is_json, total]) + text
    if total > _FEW:
        head += _checksum(head)
    body = b"".join([head, *payloads])
    return body + _checksum(body)


class _Layout(NamedTuple):
    """Of a frame, in bytes from its beginning."""

    readable: int
    """So many are needed to read and verify the header."""
    payloads: int
    """Where they begin."""
    end: int


def _layout(data: bytes | memoryview) -> _Layout:
    if _is_json(data):
        header_end, end = json_frame.layout(data)
        return _Layout(header_end, header_end, end)
    if data[: len(MAGIC)] != MAGIC:
        start = bytes(data[: len(json_frame.MAGIC)])
        raise FrameError(f"starts with {start!r}; a frame starts with {MAGIC!r}")
    (length, total), at = prefix.unpack(data, 2)
    at += length >> 1
    if total <= _FEW:
        end = at + total + CHECKSUM_NBYTES
        return _Layout(end, at, end)
    at += CHECKSUM_NBYTES
    return _Layout(at, at, at + total + CHECKSUM_NBYTES)


def frame_nbytes(data: bytes | memoryview) -> int:
    """Length of the frame at the start of `data`, from its first `PREFIX_NBYTES` or all of it.

    Raises FrameError where there is no prefix of a frame of a supported version.
    """
    return _layout(data).end


def header_end(data: bytes | memoryview) -> int:
    """How many bytes of a frame `read_header` needs, from the same. Raises FrameError."""
    return _layout(data).readable


def read_header(data: bytes | memoryview) -> dict[str, Any]:
    """The verified header, from the first `header_end` bytes of a frame, with the lengths of the
    payloads as "payloads". Raises FrameError where they are not that, or were altered."""
    end = header_end(data)
    if len(data) < end:
        raise FrameError(f"torn: {len(data)} bytes of a header of {end}")
    # Versions 1 to 4 verify it themselves, where it has a checksum.
    last = end - CHECKSUM_NBYTES
    if not _is_json(data) and _checksum(data[:last]) != bytes(data[last:end]):
        raise FrameError("checksum of the header does not match: the bytes were altered")
    return _parsed(data)


def _is_json(data: bytes | memoryview) -> bool:
    return data[: len(json_frame.MAGIC)] == json_frame.MAGIC


def _parsed(data: bytes | memoryview) -> dict[str, Any]:
    if _is_json(data):
        return json_frame.read_header(data[: json_frame.layout(data)[0]])
    (length, total), at = prefix.unpack(data, 2)
    text = bytes(data[at : at + (length >> 1)])
    if length & 1:
        return json_frame.parsed(text)
    (header,) = headers.decode(text, 1, None, {TOTAL: total}, _MOST_VALUES)
    return header


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], list[bytes]]:
    """Header and payloads of the frame at the start of `data`; bytes after it are ignored.

    Raises FrameError where the frame is truncated, altered, or not a frame.
    """
    view = memoryview(data)
    layout = _layout(view)
    if len(view) < layout.end:
        raise FrameError(f"torn: {len(view)} bytes of a frame of {layout.end}")
    body = view[: layout.end - CHECKSUM_NBYTES]
    if _checksum(body) != bytes(view[len(body) : layout.end]):
        raise FrameError("checksum does not match: the bytes were altered")
    header = _parsed(view)
    return header, _split(body[layout.payloads :], header.pop("payloads", None))


def next_frame(file: BinaryIO, after: int, magics: Sequence[bytes] = MAGICS) -> int | None:
    """Where in a file the next frame may begin: the first magic from byte `after` on, or None."""
    overlap = max(map(len, magics)) - 1
    file.seek(after)
    at, tail = after, b""
    while data := file.read(_SEARCHED):
        searched = tail + data
        found = [place for magic in magics if (place := searched.find(magic)) >= 0]
        if found:
            return at - len(tail) + min(found)
        at, tail = at + len(data), searched[-overlap:]
    return None


def _split(payload: memoryview, lengths: Any) -> list[bytes]:
    if not isinstance(lengths, list) or not all(type(n) is int and n >= 0 for n in lengths):
        raise FrameError("header: payloads is not a list of lengths")
    if sum(lengths) != len(payload):
        raise FrameError(f"payloads: {len(payload)} bytes; expected {sum(lengths)} from the header")
    parts, at = [], 0
    for length in lengths:
        parts.append(bytes(payload[at : at + length]))
        at += length
    return parts
