"""A block of one step, encoded as its difference from the same block one step before.

In: two fields that are models. Out: bytes; these with the earlier field give the later one again,
bit for bit.

If both have the same model, the weights are stored as differences of their quantised values
(`codecs.weight_delta`). The numbers of a sparse grid are coded with those of the earlier one as
their context (`fields.sparse_grid`). The header is coded with that of the earlier block
(`codecs.headers`); the rest, which is mostly the same, by ZSTD with that of the earlier block as
its dictionary.

    lengths of the two that follow, as in a frame | header | other payloads | weights
"""

from __future__ import annotations

from typing import Any

from insitu.codecs import frame, headers, prefix, weight_delta, zstd
from insitu.codecs.errors import FrameError
from insitu.codecs.weights import Weights
from insitu.fields import sparse_grid
from insitu.fields.model_field import ModelField

_WORD = "difference"  # in place of the codec's name
_CONTEXT = "sparse_grid_context"  # of a sparse grid
_MOST = 2**40  # limit of the decompressed size; the data was written by this process


def subtract(block: ModelField, before: ModelField) -> bytes:
    """Encode `block` as a difference from `before`. Not collective."""
    header, payloads = block.parts()
    difference = subtract_weights(block, before)
    if difference is not None:
        header["weights"] = _CONTEXT if block.weights.codec == sparse_grid.CODEC else _WORD
        payloads[0] = difference
        if header["weights"] == _WORD:
            payloads[0] = zstd.compress(difference)
    weights, *others = payloads
    coded = headers.encode([_with_lengths(header, payloads)], _memory(before))
    rest = b"".join(others)
    if rest:
        rest = zstd.compress(rest, _others(before))
    return b"".join([prefix.pack(b"", [len(coded), len(rest)]), coded, rest, weights])


def add(data: bytes, before: ModelField) -> ModelField:
    """Decode what `subtract` returned. Raises FrameError if the bytes do not fit."""
    (n_header, n_rest), at = prefix.unpack(data, 2, magic_nbytes=0)
    end = at + n_header
    (header,) = headers.decode(data[at:end], 1, _memory(before))
    packed = data[end : end + n_rest]
    rest = zstd.decompress(packed, _MOST, _others(before)) if packed else b""
    payloads = [data[end + n_rest :]]
    for length in header.pop("payloads")[1:]:
        payloads.append(rest[:length])
        rest = rest[length:]
    weights = None
    codec = {_WORD: "quantized", _CONTEXT: sparse_grid.CODEC}.get(header["weights"])
    if codec is not None:
        difference = payloads[0]
        if header["weights"] == _WORD:
            difference = zstd.decompress(difference, _MOST)
        header["weights"] = codec
        payloads[0], weights = add_weights(difference, codec, before)
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


def _memory(block: ModelField) -> headers.Memory:
    """What the coder of headers knows after a block's."""
    memory = headers.new_memory()
    headers.encode([_with_lengths(*block.parts())], memory)
    return memory


def _others(block: ModelField) -> bytes:
    """All payloads of a block but its weights."""
    return b"".join(block.parts()[1][1:])


def _with_lengths(header: dict[str, Any], payloads: list[bytes]) -> dict[str, Any]:
    return {**header, "payloads": [len(payload) for payload in payloads]}
