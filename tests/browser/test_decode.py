"""The browser's values against the fields' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from insitu.models.sparse_grid.model import SparseGrid
from insitu.store.record import Record
from tests.support import view_records
from tests.support.browser import Open, exported

pytestmark = pytest.mark.browser


def values(
    record: Record, name: str, component: int, shape: tuple[int, ...], step: int = 0
) -> np.ndarray:
    """At the middles of `shape` (nz, ny, nx) equal parts of the domain."""
    field = record.load(name, step)
    low, high = field.summary.bounds
    z, y, x = (
        low[a] + (np.arange(n) + 0.5) / n * (high[a] - low[a])
        for a, n in zip((2, 1, 0), shape, strict=True)
    )
    zs, ys, xs = np.meshgrid(z, y, x, indexing="ij")
    found = field(np.stack([xs.ravel(), ys.ravel(), zs.ravel()], axis=1))
    if found.ndim > 1:
        found = np.linalg.norm(found, axis=1) if component < 0 else found[:, component]
    return np.asarray(found).reshape(shape)


def test_every_kind_of_block_decodes_to_a_thousandth_of_the_range(tab: Open, kinds: Path) -> None:
    record, shown = Record(kinds), tab(exported(kinds))
    shown.settle()
    for number, name in enumerate(record.names):
        for component in {"vector": (-1, 2), "tensor": (-1, 4)}.get(name, (-1,)):
            got = shown.decoded(number, component)
            want = values(record, name, component, got.shape)
            assert got.shape == (12, 16, 20)
            assert (np.isnan(got) == np.isnan(want)).all(), name
            span = np.nanmax(want) - np.nanmin(want)
            assert np.nanmax(np.abs(got - want)) < 1e-3 * span, (name, component)
    finer = shown.decoded(record.names.index("hashed"), -1, 64)
    want = values(record, "hashed", -1, finer.shape)
    assert max(finer.shape) == 64
    assert np.abs(finer - want).max() < 1e-3 * np.ptp(want)
    assert "sz3" in shown.page.inner_text("#notes")


def test_sparse_grids_and_corrections_decode_to_a_thousandth_of_the_range(
    tab: Open, tmp_path: Path
) -> None:
    view_records.sparse_kinds(tmp_path / "record")
    record = Record(tmp_path / "record")
    shown = tab(exported(tmp_path / "record"))
    shown.settle()
    for number, name in enumerate(record.names):
        for component in {"vector": (-1, 1), "corrected": (0,)}.get(name, (-1,)):
            for step in (1, 0):
                got = shown.decoded(number, component, step=step)
                want = values(record, name, component, got.shape, step)
                assert (np.isnan(got) == np.isnan(want)).all(), name
                span = np.nanmax(want) - np.nanmin(want)
                assert np.nanmax(np.abs(got - want)) < 1e-3 * span, (name, component, step)
    # Between samples too, and with those of shared faces.
    for name in ("cells", "nodes", "corrected"):
        got = shown.decoded(record.names.index(name), 0, 40, 1)
        want = values(record, name, 0, got.shape, 1)
        off = np.abs(got - want) / np.ptp(want)
        assert off.max() < 5e-3 and off.mean() < 3e-4, name  # weights have 8 bits
    assert shown.page.inner_text("#notes") == ""


def test_a_large_sparse_grid_is_seen_before_its_finest_levels(tab: Open, tmp_path: Path) -> None:
    view_records.bump(tmp_path / "record", 128, SparseGrid())
    record = Record(tmp_path / "record")
    shown = tab(exported(tmp_path / "record"))
    shown.settle()
    until = shown.page.evaluate(
        "async () => { const {volumes} = page.viewer, {grids} = volumes, seen = [];"
        "const ask = grids.workers.ask.bind(grids.workers);"
        "grids.workers.ask = (job) => { seen.push(job.until); return ask(job); };"
        "volumes.kept.clear(); grids.samples.kept.clear();"
        "for (const longest of [64, 0, 32])"
        "  await volumes.decode({field: 0, component: -1}, 0, longest, () => true);"
        "return seen; }"
    )
    assert until == [1, 0]  # then the samples are known
    coarse, fine = shown.decoded(0, -1, 64), shown.decoded(0, -1)
    want = values(record, "density", -1, coarse.shape)
    assert np.abs(coarse - want).max() < 5e-3 * np.ptp(want)
    field = record.blocks("density")[0].open().decode()
    assert fine.shape == field.shape == (128, 128, 128)
    assert np.abs(fine - field).max() < 1e-3 * np.ptp(field)


def test_a_probe_gives_the_models_own_value_at_all_steps(
    tab: Open, page: Path, smooth: Path
) -> None:
    record, shown, point = Record(smooth), tab(page), [0.31, 0.52, 0.43]
    shown.settle()
    got = shown.page.evaluate(
        "async (point) => { const found = [];"
        "await page.viewer.probe({field: 0, component: -1}, point, (c, v) => found.push([c, v]));"
        "return found; }",
        point,
    )
    want = [float(record.load("density", i)(np.array([point]))[0]) for i in range(3)]
    outside = shown.page.evaluate(
        "async () => { const found = [];"
        "await page.viewer.probe({field: 0, component: -1}, [2, 0, 0], (...v) => found.push(v));"
        "return found; }"
    )
    assert outside == []
    assert [cycle for cycle, _ in got] == [0, 5, 10]
    assert [value for _, value in got] == pytest.approx(want, abs=1e-3)


def test_64_blocks_fill_the_domain(tab: Open, tmp_path: Path) -> None:
    view_records.many_blocks(tmp_path / "record")
    shown = tab(exported(tmp_path / "record"))
    shown.settle()
    got = shown.decoded(0, -1)
    want = values(Record(tmp_path / "record"), "density", -1, got.shape)
    assert np.abs(got - want).max() < 1e-3 * np.ptp(want)
    assert shown.page.evaluate("page.blocks().length") == 64
