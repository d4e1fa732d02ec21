"""Frames of neural fields that survive anything: whatever the bytes are, a field or FrameError."""

import json
import tracemalloc
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import frame
from insitu.codecs.frame import FrameError, pack, unpack
from insitu.codecs.weights import Weights
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from tests.support.json_values import json_values
from tests.support.paths import ROOT

FRAMES = ROOT / "tests" / "data" / "frames"
# Values at the middle of the box, written down when the frames were.
GOLDEN: dict[str, list[float]] = json.loads((FRAMES / "values.json").read_text())


@cache
def golden(name: str) -> bytes:
    return (FRAMES / f"{name}.frame").read_bytes()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_frames_of_every_version_stay_readable(name: str) -> None:
    field = read_field(golden(name))
    values = np.ravel(field(np.mean(field.bounds, axis=0)))
    np.testing.assert_allclose(values, GOLDEN[name], rtol=1e-4)
    assert (field.cycle, field.time) == (7, 0.5)
    version, what = int(name[8]), name[10:]
    assert golden(name)[8] == version if version < 6 else golden(name).startswith(frame.MAGIC)
    if isinstance(field, ModelField):
        assert field.model is not None
        named = what if version >= 3 and what != "residual" else "hash_grid"
        assert field.model.kind == named.replace("holes", "grid")
        assert (field.residual is not None) == (what == "residual")
        assert (field.holes is not None) == (what == "sparse_holes")
        usual = "quantized" if version > 2 or what == "residual" else what
        codec = "sparse_grid" if what.startswith("sparse") else usual
        assert field.weights.codec == {1: "half"}.get(version, codec)
    else:
        assert what == f"bricks_{field.codec}"


@pytest.mark.parametrize("name", [name for name in sorted(GOLDEN) if name.startswith("version_6")])
def test_frames_of_the_present_version_are_written_as_they_were(name: str) -> None:
    field = replace(read_field(golden(name)), _bytes=None)
    assert field.to_bytes() == golden(name)
    if isinstance(field, ModelField) and field.weights.codec == "quantized":
        assert field.model is not None
        again = Weights.of(field.model, field.weights.codec, field.weights.body)
        assert again.payload == field.weights.payload


def test_there_is_a_frame_of_every_version_and_codec() -> None:
    assert sorted(path.stem for path in Path(FRAMES).glob("*.frame")) == sorted(GOLDEN)
    assert len(GOLDEN) == 19


names = st.sampled_from(sorted(GOLDEN))


def survives(data: bytes) -> None:
    try:
        field = read_field(data)
    except FrameError:
        return
    field(np.mean(field.bounds, axis=0))
    field.metrics.psnr_db((field.range[:, 1] - field.range[:, 0]).tolist())


def signed(data: bytes) -> bytes:
    """With the last four bytes replaced by the checksum that fits."""
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes(noise: bytes) -> None:
    with pytest.raises(FrameError):
        read_field(noise)


@settings(deadline=None)
@given(names, st.data())
def test_truncation_and_flipped_bits(name: str, data: st.DataObject) -> None:
    whole = golden(name)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(FrameError):
        read_field(whole[:cut])
    flipped = bytearray(whole)
    flipped[cut] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(FrameError):
        read_field(bytes(flipped))


@settings(deadline=None, max_examples=400)
@given(names, st.data())
def test_flipped_bits_under_a_checksum_that_fits(name: str, data: st.DataObject) -> None:
    flipped = bytearray(golden(name))
    for _ in range(data.draw(st.integers(1, 3))):
        flipped[data.draw(st.integers(0, len(flipped) - 5))] ^= 1 << data.draw(st.integers(0, 7))
    survives(signed(bytes(flipped)))


odd = json_values | st.sampled_from(
    [0, -1, 2**31, 2**63, 10**400, 1e308, float("inf"), float("nan"), True, "", [], {}, None]
)


def edited(tree: object, data: st.DataObject) -> object:
    """The tree with one value, anywhere in it, replaced, left out, or doubled."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = data.draw(st.sampled_from(keys))
    inner = tree[key]
    if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
        tree[key] = edited(inner, data)
    elif data.draw(st.integers(0, 9)) == 0:
        del tree[key]
    elif isinstance(inner, list) and data.draw(st.booleans()):
        tree[key] = inner + inner
    else:
        tree[key] = data.draw(odd)
    return tree


@settings(deadline=None, max_examples=300)
@given(names, st.data())
def test_edited_headers_under_a_checksum_that_fits(name: str, data: st.DataObject) -> None:
    header, payloads = unpack(golden(name))
    for _ in range(data.draw(st.integers(1, 2))):
        header = edited(header, data)
    survives(pack(header, payloads))


@settings(deadline=None, max_examples=200)
@given(names, names, st.integers(0, 3), st.binary(max_size=100))
def test_other_payloads(name: str, other: str, which: int, noise: bytes) -> None:
    header, payloads = unpack(golden(name))
    survives(pack(header, [*payloads[:which], noise, *payloads[which + 1 :]]))
    survives(pack(header, unpack(golden(other))[1]))
    survives(pack(header, payloads[:which]))


HUGE: list[dict] = [
    {"cells": [2**24] * 3, "nodes": [[0, 1, 2**24 + 1]] * 3},
    {"network": {"n_hidden_layers": 10**9}},
    {"network": {"n_hidden_layers": 64, "n_neurons": 256}},
    {"network": {"log2_hashmap_size": 28, "n_levels": 32, "base_resolution": 1000}},
    {"network": {"per_level_scale": 1e300}},
    {"model": {"n_hidden_layers": 10**9}},
    {"model": {"resolution": [2**14, 2**14, 1]}},
    {"model": {"log2_hashmap_size": 28, "base_resolution": 1000}},
    {"model": {"resolution": [600, 600, 600]}},
    {"range": [[0, 1]] * 10**5},
    {"name": [[[[[[]]]]]]},
]


def header_of(name: str) -> set[str]:
    """Its entries; of a sparse grid, the payload says what the model is."""
    return set(unpack(golden(name))[0]) - ({"model"} if "sparse" in name else set())


@pytest.mark.parametrize(
    ("name", "edit"),
    [(name, edit) for edit in HUGE for name in sorted(GOLDEN) if edit.keys() <= header_of(name)],
)
def test_nothing_large_is_made_for_a_few_bytes(name: str, edit: dict) -> None:
    header, payloads = unpack(golden(name))
    for key, value in edit.items():
        header[key] = {**header[key], **value} if isinstance(value, dict) else value
    data = pack(header, payloads)
    tracemalloc.start()
    with pytest.raises(FrameError):
        read_field(data)
    assert tracemalloc.get_traced_memory()[1] < (4 << 20) + 20 * len(data)
    tracemalloc.stop()


def test_more_grid_lines_than_three_numbers_may_stand_for_are_written_out() -> None:
    field = read_field(golden("version_2_half"))
    cells = (*field.cells[:2], 1 << 17)
    nodes = (np.linspace(0, 1, cells[2] + 1), *field.nodes[1:])
    long = ModelField(**{**field.__dict__, "cells": cells, "nodes": nodes, "_bytes": None})
    assert long.nbytes > 8 << 17
    np.testing.assert_array_equal(read_field(long.to_bytes()).nodes[0], nodes[0])
