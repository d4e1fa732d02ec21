"""Payloads of sparse grids of all versions are read, and written again as they are."""

from pathlib import Path

import numpy as np
import pytest

from insitu.codecs.errors import FrameError
from insitu.codecs.weights import Weights
from insitu.engines.sparse_kernels import sparse_kernels
from insitu.fields import sparse_grid
from insitu.models.sparse_grid.coder import FIRST, LATEST
from insitu.models.sparse_grid.kernels import ReferenceKernels

GOLDEN = Path(__file__).parents[1] / "data" / "sparse_grid"
"""Of two components, which are `after` and `before` + `after`; relative ones have `before` and
`after` as their context. Versions 2 and 4 keep ends."""
SHAPE, SPLITS = (11, 12, 13), [7, 7]

numbers = {name: array.astype(np.int32) for name, array in np.load(GOLDEN / "numbers.npz").items()}
AFTER = [numbers["after"], numbers["before"] + numbers["after"]]
BEFORE = [numbers["before"], numbers["after"]]


@pytest.mark.parametrize("kernels", ["fast", "reference"])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_golden_payloads_are_read_and_written(
    version: int, relative: bool, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = sparse_kernels() if kernels == "fast" else ReferenceKernels()
    monkeypatch.setattr(sparse_grid, "sparse_kernels", lambda: chosen)
    name = f"version_{version}{'_relative' if relative else ''}.payload"
    payload, context = (GOLDEN / name).read_bytes(), BEFORE if relative else []
    components, splits = sparse_grid.unpack(payload, SHAPE, 2, context)
    assert splits == SPLITS
    np.testing.assert_array_equal([c.numbers for c in components], AFTER)
    assert [(c.step, c.points) for c in components] == [(31000, (1, -2)), (31100, (0, 3))]
    ends = {c.shared.ends if c.shared else 0 for c in components}
    assert ends == {0 if version % 2 else 5}
    coding = FIRST if version < 3 else LATEST
    assert sparse_grid.pack(components, splits, context, coding) == payload


@pytest.mark.parametrize("coding", [FIRST, LATEST])
def test_context_keeps_the_coding(coding: int) -> None:
    """So that a step that a record keeps as a difference is the same frame again."""
    first, second = (
        sparse_grid.pack(
            [sparse_grid.Component(n, 31000, (0, 0)) for n in found], SPLITS, coding=coding
        )
        for found in (BEFORE, AFTER)
    )
    none = np.zeros(0, np.float32)
    weights = [Weights(none, sparse_grid.CODEC, payload) for payload in (second, first)]
    coded = sparse_grid.with_context(weights[0], weights[1], SHAPE, 2)
    assert len(coded) < len(second)
    assert sparse_grid.without_context(coded, first, SHAPE, 2) == second


def test_an_unknown_version_is_told() -> None:
    with pytest.raises(FrameError, match="version 5, expected 1 to 4"):
        sparse_grid.unpack(b"\x05\x00" + bytes(40), SHAPE, 2)
