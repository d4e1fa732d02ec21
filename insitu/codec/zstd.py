"""ZSTD with a bound: nothing is inflated beyond what the reader knows it may be.

In: bytes. Out: fewer bytes, and back.
"""

from __future__ import annotations

from insitu.codec.frame import FrameError


def compress(data: bytes) -> bytes:
    """One ZSTD frame that says how long its content is."""
    import zstandard

    return zstandard.ZstdCompressor(level=9).compress(data)


def decompress(data: bytes, most: int) -> bytes:
    """The content of the ZSTD frame that `data` starts with.

    Raises FrameError where it is not one, or announces no length, or one beyond `most` bytes:
    ZSTD believes the announcement and allocates.
    """
    import zstandard

    try:
        announced = zstandard.frame_content_size(data)
        if not 0 <= announced <= most:
            raise FrameError(f"weights: {announced} bytes announced, expected at most {most}")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=most)
    except zstandard.ZstdError as error:
        raise FrameError(f"weights: {error}") from None
