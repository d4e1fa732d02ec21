"""Frames of versions 5 and 7: steps of a rank under one header.

In: entries of a header and a payload, both bytes. Out: one frame of version 7; and of both versions
the header again, verified.

    magic 4 | header length | payload length     numbers of seven bits a byte
    header: u32: `number_of` the frame that this one continues, 0: it stands alone
            entries (`insitu.codecs.headers`, which counts from those of that frame)
            checksum (CRC-32) of everything before it
    payload

Everything is little-endian. The header has checksums of what is in the payload; so each part can be
verified when it is read, and none is read before. See `insitu.store.step_group` for the entries.

Version 5, which stays readable, has lengths of u32 and u64, and a table as entries
(`insitu.codecs.header_table`), through ZSTD with those of the continued frame as dictionary.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from insitu.codecs import prefix as prefixes
from insitu.codecs import zstd
from insitu.codecs.errors import FrameError

MAGIC, MAGIC_5 = b"\xd1IF7", b"\xd1IF5"
MAGICS = (MAGIC, MAGIC_5)
_PREFIX_5 = struct.Struct("<4sIQ")
PREFIX_NBYTES = max(prefixes.MOST_NBYTES, _PREFIX_5.size)
"""So many first bytes of a frame, or all of a shorter one, tell how long it and its header are."""
_NUMBER = struct.Struct("<I")

# A dictionary of typical headers, of version 5.
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


def pack(entries: bytes, payload: bytes, continued: int) -> bytes:
    """One frame of version 7. Not collective.

    continued: `number_of` the frame that this one continues; 0: none.
    """
    lengths = [len(entries) + 2 * _NUMBER.size, len(payload)]
    head = prefixes.pack(MAGIC, lengths) + _NUMBER.pack(continued) + entries
    return b"".join([head, _NUMBER.pack(zlib.crc32(head)), payload])


@dataclass(frozen=True)
class Header:
    """The verified header of a frame."""

    version: int
    continues: int
    """`number` of the frame that it continues; 0: none."""
    entries: bytes
    """As in the frame; of version 5, compressed."""
    number: int
    """For a frame that continues it."""


def layout(data: bytes) -> tuple[int, int]:
    """Bytes up to the end of the header, and of the whole frame, from its first `PREFIX_NBYTES`.
    Raises FrameError if it is none."""
    if not data.startswith(MAGICS):
        raise FrameError(f"starts with {data[:4]!r}; a frame of version 7 with {MAGIC!r}")
    end, n_payload = _ends(data)[1:]
    return end, end + n_payload


def _ends(data: bytes) -> tuple[int, int, int]:
    """Where the header begins and ends, and the bytes of the payload."""
    if data.startswith(MAGIC):
        (n_header, n_payload), at = prefixes.unpack(data, 2)
        return at, at + n_header, n_payload
    if len(data) < _PREFIX_5.size:
        raise FrameError(f"torn: {len(data)} bytes; expected a frame's prefix")
    _, n_header, n_payload = _PREFIX_5.unpack_from(data)
    return _PREFIX_5.size, _PREFIX_5.size + n_header + _NUMBER.size, n_payload


def verified(data: bytes) -> Header:
    """The header, from the bytes up to its end. Raises FrameError where they were altered."""
    at, end, _ = _ends(data)
    last = end - _NUMBER.size
    if len(data) < end or last < at + _NUMBER.size:
        raise FrameError(f"torn: {len(data)} bytes of a header of {end}")
    (number,) = _NUMBER.unpack_from(data, last)
    if zlib.crc32(data[:last]) != number:
        raise FrameError("checksum of the header does not match: the bytes were altered")
    (continues,) = _NUMBER.unpack_from(data, at)
    version = 7 if data.startswith(MAGIC) else 5
    return Header(version, continues, data[at + _NUMBER.size : last], number)


def entries_of_5(header: Header, before: bytes) -> bytes:
    """The entries of a header of version 5; before: those of the frame that it continues, if it
    does. Raises FrameError."""
    most = _FREE + _RATIO * len(header.entries)
    return zstd.decompress(header.entries, most, before if header.continues else _DICTIONARY)


_FREE, _RATIO = 1 << 16, 1 << 10  # b bytes of entries have at most FREE + b * RATIO
