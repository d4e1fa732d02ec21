"""Frames of versions 1 to 4, whose headers are JSON. They stay readable; version 4 is also written,
where a record of version 2 is continued in its form.

In: a header (JSON-serializable) and payloads (bytes). Out: one checksummed byte string; and its
header again.

    magic 8 | version u16 | reserved u16 | header length u32 | payload length u64   (24 bytes)
    header (JSON, UTF-8, through ZSTD with the dictionary below where that is shorter; its key
            "payloads" lists the length of each payload)
    checksum (CRC-32, 4 bytes) of everything before it
    payloads, one after the other
    checksum (CRC-32, 4 bytes) of everything before it

All integers are little-endian.

Version 3 has no checksum of the header, but the same content: the header of a neural field names
its model ("model", with its kind) and the codec of its weights ("weights"). Version 2 has only one
kind of model ("network"); version 1 has uncompressed headers and weights in half precision.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from insitu.codecs import zstd
from insitu.codecs.errors import FrameError

MAGIC = b"INSITUFR"
VERSION = 4
READABLE = (1, 2, 3, 4)
_PREFIX = struct.Struct("<8sHHIQ")
PREFIX_NBYTES = _PREFIX.size
CHECKSUM_NBYTES = 4
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


def checksum(data: bytes | memoryview) -> bytes:
    """CRC-32, as frames of all versions have it."""
    return zlib.crc32(data).to_bytes(CHECKSUM_NBYTES, "little")


def pack(header: Mapping[str, Any], payloads: Sequence[bytes]) -> bytes:
    """One frame of version 4. Not collective."""
    text = as_json({**header, "payloads": [len(payload) for payload in payloads]})
    if len(text) <= _MOST_HEADER:
        text = min(text, zstd.compress(text, _DICTIONARY_3), key=len)
    prefix = _PREFIX.pack(MAGIC, VERSION, 0, len(text), sum(map(len, payloads)))
    head = prefix + text
    body = b"".join([head, checksum(head), *payloads])
    return body + checksum(body)


def layout(prefix: bytes | memoryview) -> tuple[int, int]:
    """Bytes up to the end of the header and its checksum, and of the whole frame, from the first
    `PREFIX_NBYTES`. Raises FrameError where they are not of a frame of these versions."""
    if len(prefix) < PREFIX_NBYTES:
        raise FrameError(f"{len(prefix)} bytes; expected a frame's prefix of {PREFIX_NBYTES}")
    _, version, _, header_nbytes, payload_nbytes = _PREFIX.unpack_from(prefix)
    if version not in READABLE:
        known = ", ".join(map(str, (*READABLE, 6)))
        raise FrameError(f"frame of version {version}; this insitu reads versions {known}")
    end = int(PREFIX_NBYTES + header_nbytes + _own_checksum(version))
    return end, int(end + payload_nbytes + CHECKSUM_NBYTES)


def read_header(data: bytes | memoryview) -> dict[str, Any]:
    """The header from the bytes up to its end, with the lengths of the payloads as "payloads".

    Its checksum is verified, which versions before 4 do not have. Raises FrameError where the bytes
    are not a header.
    """
    version = _PREFIX.unpack_from(data)[1]
    text = bytes(data[PREFIX_NBYTES:])
    if own := _own_checksum(version):
        text, found = text[:-own], text[-own:]
        if checksum(bytes(data[:-own])) != found:
            raise FrameError("checksum of the header does not match: the bytes were altered")
    if text.startswith(zstd.MAGIC):
        text = zstd.decompress(text, _MOST_HEADER, _DICTIONARIES[version])
    return parsed(text)


def parsed(text: bytes) -> dict[str, Any]:
    """An object from JSON. Raises FrameError where it is none."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise FrameError(f"header is {type(header).__name__}, expected an object")
    return header


def as_json(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, separators=(",", ":"), allow_nan=True).encode()


def _own_checksum(version: int) -> int:
    """Bytes of the header's own checksum."""
    return CHECKSUM_NBYTES if version >= 4 else 0
