"""Typical headers: what the coder of headers knows before the first one.

In: nothing. Out: headers of blocks alone and in groups, of writes, and of a manifest's steps, from
which it learns keys, words and how many bits numbers have. A change requires a new version of
frames.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_NAMES = (
    "speed", "potential", "vorticity_magnitude", "velocity_z", "velocity_y", "concentration",
    "vorticity", "u", "momentum", "temperature", "pressure", "velocity_x", "velocity", "energy",
    "density",
)  # fmt: skip
_HASH_GRID = {
    "kind": "hash_grid", "n_levels": 4, "n_features_per_level": 4, "log2_hashmap_size": 10,
    "base_resolution": 5, "per_level_scale": 2.0, "n_neurons": 16, "n_hidden_layers": 2,
}  # fmt: skip
_DENSE_GRID = {
    "kind": "dense_grid", "resolution": [20, 20, 20], "n_features": 8, "n_frequencies": 0,
    "n_neurons": 16, "n_hidden_layers": 2,
}  # fmt: skip
_SPARSE_GRID = {"kind": "sparse_grid"}
_CODECS = {3: "zfp", 5: "sz3", 7: "sperr"}
"""Of the blocks that are bricks."""


def typical_headers() -> list[dict[str, Any]]:
    """About fifty, the most typical last."""
    named = list(enumerate(_NAMES))
    return [header for make in (_steps, _group, _alone) for each in named for header in make(*each)]


def _steps(number: int, name: str) -> Iterator[dict[str, Any]]:
    """Two steps of a manifest, as of `insitu.store.step_table`."""
    for cycle in (5 * number, 5 * number + 5):
        yield {
            "field": name,
            "cycle": cycle,
            "time": cycle / 70,
            "bounds": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]],
            "range": [_range(number + cycle)],
            "n_blocks": 4,
            "nbytes": 4000 + 37 * number,
            "psnr_db": _single(40 + number / 23),
            "write": number,
            "gradient_db": _leading(30 + number / 13, 10),
            "normals_deg": _leading(3 + number / 17, 10),
            "raw_nbytes": 1 << 22,
        }


def _group(number: int, name: str) -> Iterator[dict[str, Any]]:
    """A write, and a block of it."""
    said: dict[str, Any] = {"write": number, "rank": 1, "n_ranks": 4, "steps": 1}
    if number % 3 == 0:
        said |= {"rank": 0, "units": {"length": "", "time": "", "fields": {}}}
    yield {**said, "checksums": [(0x9E3779B1 * (number + 1)) % 2**32]}
    kind = 2 if number % 4 else 0
    stored = [[kind, 150 + 7 * number], [0, 0], [0, 0], [0, 0]]
    header = {**_block(number, name), "n_blocks": 4, "stored": stored}
    yield header | {"head": _head(number, header)} if "sparse_grid" in header.values() else header


def _head(number: int, header: dict[str, Any]) -> list[int]:
    """Of a sparse grid's payload (`insitu.fields.sparse_grid`): version, levels, steps, points; of
    most, with what neighbors share."""
    relative = 16 if number % 4 else 0
    shared = number % 3 > 0
    head = [relative | (4 if shared else 3), 4, 119, 119, *([106] if shared else [])]
    for i in range(len(header["range"])):
        head += [(57 * number + 31 * i) % 256, 124 + number % 4, 118 + number + i]
        if shared:
            head += [93, 104, 238, 252 - number, 205, 188 + number, 144]
    return head


def _alone(number: int, name: str) -> Iterator[dict[str, Any]]:
    """A block with its payloads."""
    header = _block(number, name)
    payloads = [1300 + 41 * number, 0, 0, 0]
    if number in (4, 8):
        header["residual"] = "sz3" if number == 4 else "sparse_grid"
        payloads.append(900)
    if number in (2, 9):
        header["holes"] = "zstd"
        payloads.append(50)
    yield {**header, "payloads": payloads}


def _block(number: int, name: str) -> dict[str, Any]:
    n = 24 + 8 * (number % 5)
    cells = [n, n, n] if number % 4 else [n, n + 8, 2 * n]
    n_components = 3 if name in ("velocity", "vorticity", "momentum") else 1
    at = range(3 * number, 3 * number + n_components)
    vertex = number % 3 == 1
    samples = 1
    for n in cells:
        samples *= n + vertex
    dtype = "float64" if number % 4 == 2 else "float32"
    model: dict[str, Any] = _SPARSE_GRID
    weights = "sparse_grid"
    if number % 5 == 1:
        model, weights = {**_HASH_GRID, "n_outputs": n_components}, "quantized"
    elif number == 2:
        model, weights = {**_DENSE_GRID, "n_outputs": n_components}, "quantized"
    content: dict[str, Any] = {
        "kind": "neural_field",
        "name": name,
        "association": "vertex" if vertex else "element",
        "cells": cells,
        "range": [_range(i, dtype) for i in at],
        "dtype": dtype,
        "nodes": [_lines(number, n) for n in cells[::-1]],
    }
    if number in _CODECS:
        layers = [[0, 1]] * 3
        content |= {"kind": "brick_field", "codec": _CODECS[number], "ghost_layers": layers}
    else:
        origin = [_number(3 * i + 2, dtype) for i in at]
        content |= {"origin": origin, "model": model, "weights": weights}
    return {
        **content,
        "metrics": {
            "sum_of_squares": [_leading(_any(5 * i, 12), 12) for i in at],
            "n_finite": [samples] * n_components,
            "max_error": _leading(_any(5 * number + 1, 9), 12),
            "nan_count": 0,
            "inf_count": 0,
            "raw_nbytes": samples * n_components * (8 if dtype == "float64" else 4),
            "iterations": 2 + number % 2,
            "seconds": _leading(_any(5 * number + 2, 5) / 9, 4),
            "warm": number % 2 == 0,
        },
        "domain_id": (number + 1) % 3,
        "cycle": 5 * number if number % 2 else 0,
        "time": number / 70 if number % 2 else 0.0,
    }


def _lines(number: int, n: int) -> list[Any]:
    """First and last of an axis, and how many."""
    first = 0.25 * number if number % 5 == 4 else 0.0
    return [first, first + (1.0 if number % 3 else 0.125 * n), n + 1]


def _range(number: int, dtype: str = "float32") -> list[float]:
    ends = [_number(3 * number, dtype), _number(3 * number + 1, dtype)]
    return sorted(ends) if number % 4 else [0.0, abs(ends[1])]


def _number(number: int, dtype: str) -> float:
    value = _any(number, 16) * (-1 if number % 5 == 2 else 1)
    return value if dtype == "float64" else _single(value)


def _any(number: int, octaves: int) -> float:
    """A number > 0, of so many octaves around 1: from no generator, so that it stays the same."""
    bits = (0x9E3779B97F4A7C15 * (number + 1)) % 2**64
    power = (bits >> 40) % octaves - octaves // 2
    return (1 + (bits >> 12) / 2**52) * 2.0**power


def _single(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _leading(value: float, bits: int) -> float:
    """A number > 0 with so many bits behind the first one."""
    (whole,) = struct.unpack("<Q", struct.pack("<d", value))
    kept = whole >> (52 - bits) << (52 - bits)
    return float(struct.unpack("<d", struct.pack("<Q", kept))[0])
