"""ZSTD with a bound: nothing is inflated beyond what the reader knows it may be.

In: bytes. Out: fewer bytes, and back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from insitu.codecs.errors import FrameError

MAGIC = b"\x28\xb5\x2f\xfd"


def compress(data: bytes, dictionary: bytes = b"") -> bytes:
    """One ZSTD frame that says how long its content is."""
    import zstandard

    return zstandard.ZstdCompressor(level=9, dict_data=_dictionary(dictionary)).compress(data)


def decompress(data: bytes, most: int, dictionary: bytes = b"") -> bytes:
    """The content of the ZSTD frame that `data` starts with.

    Raises FrameError where it is not one, or announces no length, or one beyond `most` bytes:
    ZSTD believes the announcement and allocates.
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


@lru_cache(maxsize=6)  # the headers' own, and what differences count from
def _dictionary(content: bytes) -> Any:
    import zstandard

    raw = zstandard.DICT_TYPE_RAWCONTENT
    return zstandard.ZstdCompressionDict(content, dict_type=raw) if content else None
