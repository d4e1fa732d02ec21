"""Reading a block of any kind from its bytes.

In: one frame. Out: the field.
"""

from __future__ import annotations

import insitu.fields.brick_field
import insitu.fields.model_field  # noqa: F401 - both imports register the kinds
from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.engines import Engine
from insitu.fields.block_field import KINDS, BlockField


def read_field(data: bytes | memoryview, engine: Engine | None = None) -> BlockField:
    """The field of one frame. Raises FrameError where the bytes are not a complete field frame.

    engine: evaluates the field, if it is a model; default: `insitu.engines.for_model`.
    """
    kind = frame.unpack(data)[0].get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FrameError(f"a frame of kind {kind!r}, not of a field")
    return KINDS[kind].from_bytes(data, engine)
