"""Sparse grids travel as coded numbers, relative to the step before where that is shorter."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from insitu.engines.sparse_kernels import Numbers, sparse_kernels
from insitu.fields import correction, sparse_grid
from insitu.fields.model_field import ModelField
from insitu.models.sparse_grid.coder import FIRST
from insitu.store.record import Record
from insitu.viewer import sparse_pack, step_pack
from insitu.viewer.page import worker_script
from tests.support import view_records
from tests.support.page_numbers import unpacked


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    path = tmp_path_factory.mktemp("sparse") / "record"
    view_records.sparse_kinds(path)
    return Record(path)


def steps(record: Record, name: str) -> list[list[ModelField]]:
    found = [[block.open() for block in entry.blocks] for entry in record.entries(name)]
    assert all(isinstance(field, ModelField) for step in found for field in step)
    return found  # type: ignore[return-value]


def decoded(entry: dict[str, Any], data: bytes, before: list[Numbers]) -> list[Numbers]:
    nx, ny, nz = entry["shape"]
    splits = [int(digit) for digit in entry["splits"]]
    start = entry["bytes"][0]
    coded = data[start : start + entry["coded"]]
    context = before if entry["relative"] else []
    shape, n_components = (nz, ny, nx), len(entry["scales"])
    return sparse_kernels().decode(coded, shape, splits, n_components, context, FIRST)


@pytest.mark.parametrize("name", ["cells", "nodes", "vector", "plane", "holed"])
def test_the_numbers_are_those_of_the_field(record: Record, name: str) -> None:
    first, second = steps(record, name)
    before = step_pack.pack(first)
    after = step_pack.pack(second, before)
    header, data = unpacked(before.data)
    later, more = unpacked(after.data, header)
    assert not before.recoded and not after.recoded
    relative = 0
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        known = decoded(header["blocks"][i], data, [])
        got = decoded(later["blocks"][i], more, known)
        relative += later["blocks"][i]["relative"]
        for field, numbers in ((a, known), (b, got)):
            want, _ = sparse_grid.unpack(field.weights.payload, field.shape, field.n_components)
            for x, y in zip(numbers, want, strict=True):
                np.testing.assert_array_equal(x, y.numbers)
        assert later["blocks"][i]["origin"] == b.zero.tolist()  # exactly: shared faces need it
    assert relative > 0


def test_a_correction_is_sent_in_its_pieces(record: Record) -> None:
    for name in ("bounded", "corrected"):
        field = steps(record, name)[0][-1]
        assert isinstance(field.residual, correction.SparseCorrection)
        entry, data = sparse_pack.correction(field.residual)
        total = np.zeros((field.n_components, *field.shape))
        at = 0
        for piece in entry["pieces"]:
            nx, ny, nz = piece["shape"]
            x, y, z = piece["at"]
            splits = [int(digit) for digit in piece["splits"]]
            coded = data[at : at + piece["length"]]
            at += piece["length"]
            found = sparse_kernels().decode(coded, (nz, ny, nx), splits, len(total), [], FIRST)
            for c, (numbers, (step, *points)) in enumerate(
                zip(found, piece["scales"], strict=True)
            ):
                part = sparse_grid.Component(numbers, step, (points[0], points[1]))
                values = sparse_kernels().synthesise(part.coefficients(splits), splits)
                box = np.s_[c, z : z + nz, y : y + ny, x : x + nx]
                total[box] += entry["units"][c] * values
        assert at == len(data) > 0
        for got, want in zip(total, field.residual.decode(), strict=True):
            np.testing.assert_allclose(got, want, atol=1e-6 * np.ptp(want))


def test_a_block_of_more_samples_than_the_page_holds_comes_as_samples(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = steps(record, "cells")[0]
    monkeypatch.setattr(sparse_pack, "MOST_SAMPLES", 100)
    (reason,) = step_pack.pack(fields).recoded
    assert "more samples" in reason


def test_a_step_with_a_correction_after_one_without_does_not_follow(record: Record) -> None:
    with_one = steps(record, "bounded")[0]
    without = steps(record, "cells")[0]
    for first, second in ((with_one, without), (without, with_one)):
        known, _ = unpacked(step_pack.pack(first).data)
        after, _ = unpacked(step_pack.pack(second, step_pack.pack(first)).data, known)
        alone, _ = unpacked(step_pack.pack(second).data)
        assert any(field.residual is not None for field in second) == (second is with_one)
        for a, b, field in zip(after["blocks"], alone["blocks"], second, strict=True):
            assert a.keys() == b.keys()
            assert ("correction" in a) == (field.residual is not None)


def test_the_workers_script_has_each_module_once_and_no_import() -> None:
    script = worker_script()
    found = re.findall(r"^const (of_\w+) = ", script, re.MULTILINE)
    assert len(found) == len(set(found)) and found[-1] == "of_worker_main"
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
