"""A block of one step, encoded as its difference from the same block one step before.

In: two fields that are models. Out: bytes; these with the earlier field give the later one again,
bit for bit.

If both have the same model, the weights are stored as differences of their quantised values
(`codecs.weight_delta`). The numbers of a sparse grid are coded with those of the earlier one as
their context (`fields.sparse_grid`). The rest of the frame, which is mostly the same, is compressed
by ZSTD with that of the earlier block as its dictionary.
"""

from __future__ import annotations

import json
from typing import Any

from insitu.codecs import frame, weight_delta, zstd
from insitu.codecs.errors import FrameError
from insitu.codecs.weights import Weights
from insitu.fields import sparse_grid
from insitu.fields.model_field import ModelField

_WORD = "difference"  # in place of the codec's name
_CONTEXT = "sparse_grid_context"  # of a sparse grid
_MOST = 2**40  # limit of the decompressed size; the data was written by this process


def subtract(block: ModelField, before: ModelField) -> bytes:
    """Encode `block` as a difference from `before`. Not collective."""
    header, payloads = frame.unpack(block.to_bytes())
    difference = subtract_weights(block, before)
    if difference is not None:
        header["weights"] = _CONTEXT if block.weights.codec == sparse_grid.CODEC else _WORD
        payloads[0] = difference
    return zstd.compress(_join(header, payloads), _dictionary(before))


def add(data: bytes, before: ModelField) -> ModelField:
    """Decode what `subtract` returned. Raises FrameError if the bytes do not fit."""
    header, payloads = _split(zstd.decompress(data, _MOST, _dictionary(before)))
    weights = None
    codec = {_WORD: "quantized", _CONTEXT: sparse_grid.CODEC}.get(header["weights"])
    if codec is not None:
        header["weights"] = codec
        payloads[0], weights = add_weights(payloads[0], codec, before)
    return ModelField.from_bytes(frame.pack(header, payloads), before.engine, weights)


def subtract_weights(block: ModelField, before: ModelField) -> bytes | None:
    """The weights' payload as a difference; None where the two have nothing in common."""
    codec = block.weights.codec
    if codec == "quantized" and block.model is not None and block.model == before.model:
        return weight_delta.subtract(block.model, block.weights.body, before.params)
    if _are_alike(block, before):
        return sparse_grid.with_context(
            block.weights, before.weights, block.shape, block.n_components
        )
    return None


def add_weights(data: bytes, codec: str, before: ModelField) -> tuple[bytes, Weights | None]:
    """The payload that `subtract_weights` was given, of weights of this codec; and the weights, if
    these were decoded for it. Raises FrameError if the bytes do not fit."""
    if codec == sparse_grid.CODEC:
        if before.weights.codec != sparse_grid.CODEC:
            raise FrameError("difference: the step before is no sparse grid")
        payload = sparse_grid.without_context(
            data, before.weights.payload, before.shape, before.n_components
        )
        return payload, None
    if codec != "quantized" or before.model is None:
        raise FrameError(f"difference: weights {codec!r}, or a step before without weights")
    weights = weight_delta.add(before.model, data, before.params)
    return weights.payload, weights


def _are_alike(block: ModelField, before: ModelField) -> bool:
    """Whether both are sparse grids of the same samples."""
    return (
        block.weights.codec == before.weights.codec == sparse_grid.CODEC
        and block.shape == before.shape
        and block.n_components == before.n_components
    )


def _dictionary(block: ModelField) -> bytes:
    """All of a block except its weights."""
    header, payloads = frame.unpack(block.to_bytes())
    return _join(header, [b"", *payloads[1:]])


def _join(header: dict[str, Any], payloads: list[bytes]) -> bytes:
    text = json.dumps([header, [len(payload) for payload in payloads]], separators=(",", ":"))
    return b"\n".join([text.encode(), b"".join(payloads)])


def _split(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    text, _, rest = data.partition(b"\n")
    header, lengths = json.loads(text)
    payloads, at = [], 0
    for length in lengths:
        payloads.append(rest[at : at + length])
        at += length
    return header, payloads
