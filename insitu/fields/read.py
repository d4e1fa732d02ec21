"""A block from its bytes, whatever kind it is.

In: one frame. Out: the field.
"""

from __future__ import annotations

from insitu.codec import frame
from insitu.codec.frame import FrameError
from insitu.fields.block_field import BlockField
from insitu.fields.brick_field import BrickField
from insitu.fields.neural_field import NeuralField


def read_field(data: bytes | memoryview) -> BlockField:
    """The field of one frame. FrameError where the bytes are not a whole frame of a field."""
    kind = frame.unpack(data)[0].get("kind")
    if kind == NeuralField.kind:
        return NeuralField.from_bytes(data)
    if kind == BrickField.kind:
        return BrickField.from_bytes(data)
    raise FrameError(f"a frame of kind {kind!r}, not of a field")
