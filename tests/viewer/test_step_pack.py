"""What the browser gets: models and samples that give the values, in one compressed piece."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from insitu.core.arrays import Floats
from insitu.fields.model_field import ModelField
from insitu.io.array_source import ArrayVolume
from insitu.mesh.partition import Association
from insitu.store.record import Record
from insitu.viewer import block_pack, step_pack
from insitu.viewer.source import ArrayViewSource
from tests.support import records
from tests.support.page_numbers import samples, unpacked


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    path = tmp_path_factory.mktemp("viewer") / "record"
    records.write(path, cycles=(0, 5))
    return Record(path)


def parameters(field: ModelField, entry: dict[str, Any]) -> Floats:
    """(n_params,) from an unpacked block."""
    assert field.model is not None
    params = np.zeros(field.model.n_params)
    arrays = field.model.arrays(params)
    for array, (name, shape), values in zip(arrays, entry["arrays"], entry["values"], strict=True):
        assert (array.name, list(array.values.shape)) == (name, shape)
        array.values[...] = values.reshape(array.values.shape)
    return params


def test_models_travel_without_loss_to_half_a_thousandth(record: Record) -> None:
    for name in ("density", "velocity"):
        fields = [block.open() for block in record.blocks(name)]
        header, _ = unpacked(step_pack.pack(fields).data)
        assert len(header["blocks"]) == len(fields) == 8
        points = np.random.default_rng(0).random((50, 3))
        for field, entry in zip(fields, header["blocks"], strict=True):
            assert isinstance(field, ModelField) and field.model is not None
            assert entry["kind"] == field.model.kind
            sent = field.model.evaluate(parameters(field, entry), points)
            kept = field.model.evaluate(field.params.astype(np.float64), points)
            assert np.abs(sent - kept).max() < 5e-4


def test_a_step_after_another_has_the_same_values_in_fewer_bytes(record: Record) -> None:
    """What is as before is left out; quantized weights come as they are."""
    first, second = (
        [block.open() for block in entry.blocks] for entry in record.entries("velocity")
    )
    before = step_pack.pack(first)
    for fields in (second, first[:1] + second[1:]):
        alone, after = step_pack.pack(fields), step_pack.pack(fields, before)
        assert len(after.data) < len(alone.data)
        want, _ = unpacked(alone.data)
        known, _ = unpacked(before.data)
        got, _ = unpacked(after.data, known)
        assert got["lines"] == want["lines"]
        for a, b in zip(got["blocks"], want["blocks"], strict=True):
            assert {**a, "values": 0, "bytes": 0} == {**b, "values": 0, "bytes": 0}
            for x, y in zip(a["values"], b["values"], strict=True):
                np.testing.assert_array_equal(x, y)


def test_a_block_of_another_shape_does_not_follow(record: Record) -> None:
    first = [block.open() for block in record.blocks("density")]
    others = [block.open() for block in record.blocks("velocity")]
    before = step_pack.pack(first)
    known, _ = unpacked(before.data)
    got, _ = unpacked(step_pack.pack(others, before).data, known)
    want, _ = unpacked(step_pack.pack(others).data)
    for a, b in zip(got["blocks"], want["blocks"], strict=True):
        assert a["arrays"] == b["arrays"]
        assert all((x == y).all() for x, y in zip(a["values"], b["values"], strict=True))


def test_the_grid_and_the_place_of_each_block(record: Record) -> None:
    for name in ("density", "height"):  # in cells and at nodes
        blocks = record.blocks(name)
        header, _ = unpacked(step_pack.pack([block.open() for block in blocks]).data)
        assert [axis["cells"] for axis in header["lines"]] == list(records.CELLS[::-1])
        for block, entry in zip(blocks, header["blocks"], strict=True):
            size = np.subtract(entry["high"], entry["low"])
            assert size.tolist() == list(block.cells[::-1])
            for axis, lines in zip(range(3), block.nodes, strict=True):
                ends, cells = (header["lines"][axis][key] for key in ("ends", "cells"))
                place = ends[0] + entry["low"][axis] / cells * (ends[1] - ends[0])
                assert place == pytest.approx(lines[0])


@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 1, 1), (1, 9, 2), (4, 17, 8)])
def test_samples_are_within_half_a_thousandth_of_the_range_and_holes_stay_holes(
    shape: tuple[int, int, int],
) -> None:
    values = np.random.default_rng(1).random((*shape, 2)) * [40, 1e-3] - [13, 5]
    values[shape[0] // 2, shape[1] // 2, 1:4] = np.nan
    packed = block_pack.samples(values, False, "a test")
    got = samples({**packed.entry, "bytes": [0, 0]}, packed.data)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(values))
    off = np.nanmax(np.abs(got - values), axis=(0, 1, 2))
    assert (off <= np.array([40, 1e-3]) * 2.6e-4).all()


def test_smooth_samples_take_few_bytes() -> None:
    z, y, x = np.mgrid[0:40, 0:40, 0:40] / 40
    smooth = np.sin(4 * x + y) * np.cos(3 * z)
    packed = block_pack.samples(smooth, False, "a test")
    assert len(zlib.compress(packed.data, 9)) < 0.12 * smooth.size
    got = samples({**packed.entry, "bytes": [0, 0]}, packed.data)[..., 0]
    assert np.abs(got - smooth).max() < 5e-4 * np.ptp(smooth)


def test_what_has_no_shader_is_sent_as_samples_and_says_so(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [block.open() for block in record.blocks("density")]
    monkeypatch.delitem(block_pack.SHADERS, "hash_grid")
    packed = step_pack.pack(fields)
    assert packed.recoded == {"model hash_grid": 8}
    header, _ = unpacked(packed.data)
    assert {entry["kind"] for entry in header["blocks"]} == {"samples"}


def test_a_block_with_an_infinite_range_is_one_of_holes(record: Record) -> None:
    fields = [block.open() for block in record.blocks("density")]
    assert isinstance(fields[0], ModelField)
    fields[0] = replace(fields[0], range=np.array([[0.0, np.inf]]), _bytes=None)
    header, data = unpacked(step_pack.pack(fields).data)
    assert [entry["kind"] for entry in header["blocks"]] == ["samples"] + 7 * ["hash_grid"]
    assert header["blocks"][0]["extent"] == [0.0]
    assert np.isnan(samples(header["blocks"][0], data)).all()


def test_blocks_with_a_gap_are_resampled_to_one_grid(record: Record) -> None:
    fields = [block.open() for block in record.blocks("density")][1:]
    packed = step_pack.pack(fields)
    header, data = unpacked(packed.data)
    (entry,) = header["blocks"]
    assert 0.1 < np.isnan(samples(entry, data)).mean() < 0.15  # an eighth is missing
    assert packed.recoded == {"blocks that do not tile one grid": 1}


def test_the_page_has_all_that_it_needs_and_no_address(record: Record, tmp_path: Path) -> None:
    from insitu.cli import main

    out = tmp_path / "page.html"
    command = ["export", str(record.path), "--html", str(out)]
    assert main([*command, "--fields", "density", "--steps", "-1"]) == 0
    text = out.read_text()
    assert 'id="step-0-0"' in text and 'id="step-0-1"' not in text and 'id="step-1-0"' not in text
    assert not re.search(r"\{\{[a-z]+\}\}", text)
    assert "http:" not in text and "https:" not in text
    assert main([*command, "--fields", "densty"]) == 2
    assert main([*command, "--steps", "7"]) == 2
    assert main(["export", str(record.path), "--html", str(tmp_path / "no" / "x.html")]) == 2


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_a_large_array_on_a_stretched_grid_is_thinned_where_its_samples_are(
    association: Association,
) -> None:
    lines = np.linspace(0, 1, 602 if association == "element" else 601) ** 2
    x = lines if association == "vertex" else 0.5 * (lines[1:] + lines[:-1])
    values = np.broadcast_to(x, (2, 2, 601))
    short = np.linspace(0, 1, 3 if association == "element" else 2)
    nodes = (lines, short, short)
    volume = ArrayVolume(values, "place", association=association, nodes=nodes)
    packed = ArrayViewSource(volume, "place").pack(0, 0)
    n = 200 if association == "element" else 201
    assert list(packed.recoded) == [f"raw array, {n} x 2 x 2 of 601 x 2 x 2 samples"]
    header, data = unpacked(packed.data)
    (entry,) = header["blocks"]
    got = samples(entry, data)[0, 0, :, 0]
    shown = np.array(header["lines"][0]["all"])
    assert (shown[0], shown[-1]) == (0, 1)
    if association == "vertex":
        assert np.abs(got - shown).max() < 1e-3
    else:
        assert ((shown[:-1] < got + 1e-3) & (got - 1e-3 < shown[1:])).all()
        assert np.abs(got - 0.5 * (shown[1:] + shown[:-1])).max() < 3e-3


def test_a_notebook_shows_what_there_is_and_refuses_what_there_is_not(record: Record) -> None:
    from insitu.viewer.notebook import view

    shown = view(record, fields=["density"], steps=[1])._repr_html_()
    assert "step-0-0" in shown and "step-0-1" not in shown and "step-1-0" not in shown
    with pytest.raises(KeyError, match="no field 'densty'; there are: density"):
        view(record, fields=["densty"])
    with pytest.raises(IndexError, match="no step -1; there are 0 to 1"):
        view(record, steps=[-1])
