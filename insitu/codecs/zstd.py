"""ZSTD with a limit on the decompressed size, for untrusted input.

In: bytes. Out: compressed bytes, and back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from insitu.codecs.errors import FrameError

MAGIC = b"\x28\xb5\x2f\xfd"


def compress(data: bytes, dictionary: bytes = b"") -> bytes:
    """One ZSTD frame that contains the length of its content."""
    import zstandard

    return zstandard.ZstdCompressor(level=9, dict_data=_dictionary(dictionary)).compress(data)


def decompress(data: bytes, most: int, dictionary: bytes = b"") -> bytes:
    """The content of the ZSTD frame at the start of `data`.

    Raises FrameError where it is invalid, or announces no length, or more than `most` bytes: ZSTD
    allocates the announced length.
    """
    import zstandard

    try:
        announced = zstandard.frame_content_size(data)
        if not 0 <= announced <= most:
            raise FrameError(f"{announced} bytes announced, expected at most {most}")
        reader = zstandard.ZstdDecompressor(dict_data=_dictionary(dictionary))
        return reader.decompress(data, max_output_size=most)
    except zstandard.ZstdError as error:
        raise FrameError(f"ZSTD: {error}") from None


@lru_cache(maxsize=6)  # dictionaries of headers, and references of differences
def _dictionary(content: bytes) -> Any:
    import zstandard

    raw = zstandard.DICT_TYPE_RAWCONTENT
    return zstandard.ZstdCompressionDict(content, dict_type=raw) if content else None
