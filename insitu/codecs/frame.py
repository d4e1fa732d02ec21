"""Frames: the binary format of everything that insitu stores or sends.

In: a header (JSON-serializable) and payloads (bytes). Out: one checksummed byte string, and back.

    magic 8 | version u16 | reserved u16 | header length u32 | payload length u64   (24 bytes)
    header (JSON, UTF-8, through ZSTD with the dictionary below where that is shorter; its key
            "payloads" lists the length of each payload)
    checksum (CRC-32, 4 bytes) of everything before it
    payloads, one after the other
    checksum (CRC-32, 4 bytes) of everything before it

All integers are little-endian. Nothing is ever unpickled, and no length from the header is trusted
for an allocation unless the bytes are present.

The header has a checksum of its own, so that a file of frames can be read by its headers alone, and
a damaged frame costs no other (`next_frame`).

Version 4 is written. Version 5, in which records keep many blocks under one header, is another
layout (`insitu.codecs.group_frame`). Version 3 has no checksum of the header, but the same content:
the header of a neural field names its model ("model", with its kind) and the codec of its weights
("weights").
Version 2 has only one kind of model ("network"); version 1 has uncompressed headers and weights in
half precision. All stay readable.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from insitu.codecs import zstd
from insitu.codecs.errors import FrameError as FrameError

MAGIC = b"INSITUFR"
VERSION = 4
READABLE = (1, 2, 3, 4)
_PREFIX = struct.Struct("<8sHHIQ")
PREFIX_NBYTES = _PREFIX.size
CHECKSUM_NBYTES = 4
_SEARCHED = 1 << 20  # bytes at a time
_MOST_HEADER = 1 << 16  # limit of a header's uncompressed bytes; longer headers are not compressed

# ZSTD dictionaries of typical headers, by version: a change requires a new version.
_DICTIONARY_2 = (
    b'"association":"vertex","dtype":"float32","network":null,"weights":"sz3_zfp","weights":"half"'
    b',"weights":"kmeans","warm":false},"domain_id":0,"cycle":0,"time":0.0,"payloads":[0,0,0,0]}'
    b'{"kind":"neural_field","name":"density","association":"element","cells":[48,48,96],"range":'
    b'[[0.0,1.0]],"dtype":"float64","nodes":[[0.0,10.0,97],[5.0,10.0,49],[5.0,10.0,49]],"network":'
    b'{"n_levels":4,"n_features_per_level":4,"log2_hashmap_size":10,"base_resolution":5,'
    b'"per_level_scale":2.0,"n_neurons":16,"n_hidden_layers":2,"n_outputs":1},"weights":'
    b'"quantized","metrics":{"sum_of_squares":[0.1],"n_finite":[221184],"max_error":0.01,'
    b'"nan_count":0,"inf_count":0,"raw_nbytes":1769472,"iterations":100,"seconds":0.1,"warm":true'
    b'},"domain_id":1,"cycle":100,"time":1.0,"payloads":[2000,0,0,0]}'
)
_DICTIONARY_3 = (
    b'"association":"vertex","dtype":"float32","model":null,"weights":"sz3_zfp","weights":"half"'
    b',"weights":"kmeans","warm":false},"domain_id":0,"cycle":0,"time":0.0,"payloads":[0,0,0,0]}'
    b'"model":{"kind":"dense_grid","resolution":[20,20,20],"n_features":8,"n_frequencies":0,'
    b'{"kind":"neural_field","name":"density","association":"element","cells":[48,48,96],"range":'
    b'[[0.0,1.0]],"dtype":"float64","nodes":[[0.0,10.0,97],[5.0,10.0,49],[5.0,10.0,49]],"origin":'
    b'[0.0],"model":{"kind":"hash_grid","n_levels":4,"n_features_per_level":4,'
    b'"log2_hashmap_size":10,"base_resolution":5,'
    b'"per_level_scale":2.0,"n_neurons":16,"n_hidden_layers":2,"n_outputs":1},"weights":'
    b'"quantized","metrics":{"sum_of_squares":[0.1],"n_finite":[221184],"max_error":0.01,'
    b'"nan_count":0,"inf_count":0,"raw_nbytes":1769472,"iterations":100,"seconds":0.1,"warm":true'
    b'},"domain_id":1,"cycle":100,"time":1.0,"payloads":[2000,0,0,0]}'
)
_DICTIONARIES = {1: b"", 2: _DICTIONARY_2, 3: _DICTIONARY_3, 4: _DICTIONARY_3}


def _checksum(data: bytes | memoryview) -> bytes:
    return zlib.crc32(data).to_bytes(CHECKSUM_NBYTES, "little")


def pack(header: Mapping[str, Any], payloads: Sequence[bytes]) -> bytes:
    """One frame of a JSON-serializable header and any number of payloads. Not collective."""
    text = json.dumps(
        {**header, "payloads": [len(payload) for payload in payloads]},
        separators=(",", ":"),
        allow_nan=True,
    ).encode()
    if len(text) <= _MOST_HEADER:
        text = min(text, zstd.compress(text, _DICTIONARY_3), key=len)
    prefix = _PREFIX.pack(MAGIC, VERSION, 0, len(text), sum(map(len, payloads)))
    head = prefix + text
    body = b"".join([head, _checksum(head), *payloads])
    return body + _checksum(body)


def frame_nbytes(data: bytes | memoryview) -> int:
    """Length of the frame at the start of `data`, from its prefix alone.

    Raises FrameError where there is no prefix of a frame of a supported version.
    """
    if len(data) < _PREFIX.size:
        raise FrameError(f"{len(data)} bytes; expected a frame's prefix of {_PREFIX.size}")
    magic, version, _, header_nbytes, payload_nbytes = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise FrameError(f"starts with {bytes(magic)!r}; a frame starts with {MAGIC!r}")
    if version not in READABLE:
        known = ", ".join(map(str, READABLE))
        raise FrameError(f"frame of version {version}; this insitu reads versions {known}")
    checksums = CHECKSUM_NBYTES + _own_checksum(version)
    return int(_PREFIX.size + header_nbytes + payload_nbytes + checksums)


def header_nbytes(prefix: bytes | memoryview) -> int:
    """Length of the header that follows a frame's prefix, which `frame_nbytes` has accepted, with
    the header's checksum."""
    _, version, _, nbytes, _ = _PREFIX.unpack_from(prefix)
    return int(nbytes + _own_checksum(version))


def read_header(prefix: bytes | memoryview, data: bytes | memoryview) -> dict[str, Any]:
    """The header, from the prefix and the `header_nbytes` bytes that follow it, with the lengths of
    the payloads as "payloads".

    Its checksum is verified, which versions before 4 do not have. Raises FrameError where the bytes
    are not a header.
    """
    version = _PREFIX.unpack_from(prefix)[1]
    text = bytes(data)
    if own := _own_checksum(version):
        text, found = text[:-own], text[-own:]
        if _checksum(bytes(prefix[: _PREFIX.size]) + text) != found:
            raise FrameError("checksum of the header does not match: the bytes were altered")
    if text.startswith(zstd.MAGIC):
        text = zstd.decompress(text, _MOST_HEADER, _DICTIONARIES[version])
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise FrameError(f"header is {type(header).__name__}, expected an object")
    return header


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], list[bytes]]:
    """Header and payloads of the frame at the start of `data`; bytes after it are ignored.

    Raises FrameError where the frame is truncated, altered, or not a frame.
    """
    view = memoryview(data)
    nbytes = frame_nbytes(view)
    if len(view) < nbytes:
        raise FrameError(f"torn: {len(view)} bytes of a frame of {nbytes}")
    body = view[: nbytes - CHECKSUM_NBYTES]
    if _checksum(body) != bytes(view[nbytes - CHECKSUM_NBYTES : nbytes]):
        raise FrameError("checksum does not match: the bytes were altered")
    end = _PREFIX.size + header_nbytes(view)
    header = read_header(view, body[_PREFIX.size : end])
    return header, _split(body[end:], header.pop("payloads", None))


def next_frame(file: BinaryIO, after: int, magics: Sequence[bytes] = (MAGIC,)) -> int | None:
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


def _own_checksum(version: int) -> int:
    """Bytes of the header's own checksum."""
    return CHECKSUM_NBYTES if version >= 4 else 0


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
