"""Frames of version 5: steps of a rank under one header, which is binary.

In: a header and a payload, both bytes. Out: one frame; and the header again, verified.

    magic 4 | header length u32 | payload length u64   (16 bytes)
    after u32: checksum of the header of the frame that this one continues, 0: it stands alone
    header (through ZSTD, with the header of that frame as dictionary)
    checksum (CRC-32) of everything before it
    payload

Everything is little-endian. The header has checksums of what is in the payload; so each part can be
verified when it is read, and none is read before. See `insitu.store.step_group` for the header.
"""

from __future__ import annotations

import struct
import zlib

from insitu.codecs import zstd
from insitu.codecs.errors import FrameError

MAGIC = b"\xd1IF5"
_PREFIX = struct.Struct("<4sIQ")
PREFIX_NBYTES = _PREFIX.size
_NUMBER = struct.Struct("<I")

# A dictionary of typical headers: a change requires a new version, and so a new magic.
_DICTIONARY = (
    b'{"write":1,"rank":0,"n_ranks":1,"units":{"length":"","time":"","fields":{}}}'
    b'"association":"vertex","dtype":"float32","model":null,"weights":"kmeans","weights":"sz3_zfp",'
    b'"weights":"half","warm":true},"residual":"sz3","holes":"zstd","exponents":[0],"max_error":'
    b'{"kind":"chunks","codec":"sperr","model":{"kind":"dense_grid","resolution":[0,0,0],'
    b'"n_features":0,"n_frequencies":0,"n_neurons":0,"n_hidden_layers":0,"n_outputs":0},'
    b'"model":{"kind":"hash_grid","n_levels":0,"n_features_per_level":0,"log2_hashmap_size":0,'
    b'"base_resolution":0,"per_level_scale":0.0,"n_neurons":0,"n_hidden_layers":0,"n_outputs":0},'
    b'"weights":"quantized","range":[[0.0,0.0],[0.0,0.0],[0.0,0.0]],"dtype":"float64",'
    b'"origin":[0.0,0.0,0.0],"model":{"kind":"sparse_grid"},"weights":"sparse_grid","metrics":'
    b'{"sum_of_squares":[0.0,0.0,0.0],"n_finite":[0,0,0],'
    b'[{"kind":"neural_field","name":"density","association":"element","cells":[0,0,0],"range":'
    b'[[0.0,0.0]],"dtype":"float32","nodes":[[0.0,0.0,0],[0.0,0.0,0],[0.0,0.0,0]],"origin":[0.0],'
    b'"model":{"kind":"sparse_grid"},"weights":"sparse_grid","metrics":{"sum_of_squares":[0.0],'
    b'"n_finite":[0],"max_error":0.0,"nan_count":0,"inf_count":0,"raw_nbytes":0,"iterations":0,'
    b'"seconds":0.0,"warm":false},"domain_id":0,"cycle":0,"time":0.0,"n_blocks":0,"stored":'
    b'[[0,0],[0,0],[0,0],[0,0]]}'
)  # fmt: skip


def pack(header: bytes, payload: bytes, continued: tuple[int, bytes] | None, least: int) -> bytes:
    """One frame. Not collective.

    Args:
        header, payload: bytes of any length.
        continued: `number_of` the frame that this one continues, and its header; None: none.
        least: bytes that the compressed header has at least; it is padded.
    """
    number, dictionary = continued or (0, _DICTIONARY)
    packed = zstd.compress(header, dictionary)
    least = max(least, -(-(len(header) - _FREE) // _RATIO))
    packed += bytes(max(least - len(packed), 0))
    head = _PREFIX.pack(MAGIC, _NUMBER.size + len(packed), len(payload)) + _NUMBER.pack(number)
    head += packed
    return b"".join([head, _NUMBER.pack(zlib.crc32(head)), payload])


_FREE, _RATIO = 1 << 16, 1 << 10  # a compressed header of b bytes has at most FREE + b * RATIO


def frame_nbytes(prefix: bytes) -> int:
    """Length of the frame, from its first `PREFIX_NBYTES`. Raises FrameError if it is none."""
    if len(prefix) < PREFIX_NBYTES or not prefix.startswith(MAGIC):
        raise FrameError(f"starts with {prefix[:4]!r}; a frame of version 5 with {MAGIC!r}")
    _, n_header, n_payload = _PREFIX.unpack_from(prefix)
    return int(PREFIX_NBYTES + n_header + _NUMBER.size + n_payload)


def header_nbytes(prefix: bytes) -> int:
    """Bytes of the header that follows the prefix, with its checksum."""
    return int(_PREFIX.unpack_from(prefix)[1]) + _NUMBER.size


def verified(prefix: bytes, data: bytes) -> bytes:
    """The header's bytes, compressed, from the prefix and the `header_nbytes` that follow it.
    Raises FrameError where they were altered."""
    if len(data) < 2 * _NUMBER.size or len(data) < header_nbytes(prefix):
        raise FrameError(f"torn: {len(data)} bytes of a header of {header_nbytes(prefix)}")
    if zlib.crc32(prefix[:PREFIX_NBYTES] + data[: -_NUMBER.size]) != number_of(data):
        raise FrameError("checksum of the header does not match: the bytes were altered")
    return data


def number_of(data: bytes) -> int:
    """The number of a frame with these header bytes (with the checksum), for one that continues
    it."""
    return int(_NUMBER.unpack(data[-_NUMBER.size :])[0])


def continues(data: bytes) -> int:
    """`number_of` the frame that one with these header bytes continues; 0: none."""
    return int(_NUMBER.unpack_from(data)[0])


def header(data: bytes, before: bytes) -> bytes:
    """The header of `pack` from the verified bytes; before: the header of the frame that it
    continues, if it does. Raises FrameError."""
    dictionary = before if continues(data) else _DICTIONARY
    most = _FREE + _RATIO * len(data)
    return zstd.decompress(data[_NUMBER.size : -_NUMBER.size], most, dictionary)
