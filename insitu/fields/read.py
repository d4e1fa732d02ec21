"""A block from its bytes, whatever kind it is.

In: one frame. Out: the field.
"""

from __future__ import annotations

import insitu.fields.brick_field
import insitu.fields.model_field  # noqa: F401 - both are there to be found by their kinds
from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.engines import Engine
from insitu.fields.block_field import KINDS, BlockField


def read_field(data: bytes | memoryview, engine: Engine | None = None) -> BlockField:
    """The field of one frame. FrameError where the bytes are not a whole frame of a field.

    engine: what computes it; default: `insitu.engines.for_model`.
    """
    kind = frame.unpack(data)[0].get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FrameError(f"a frame of kind {kind!r}, not of a field")
    return KINDS[kind].from_bytes(data, engine)
