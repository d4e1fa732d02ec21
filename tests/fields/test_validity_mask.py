"""What lies outside of the domain stays there: in bytes, at points, in boxes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs.frame import FrameError
from insitu.fields.read import read_field
from insitu.fields.validity_mask import ValidityMask
from tests.support.blocks import blob, partition
from tests.support.fitting import fit

pytestmark = pytest.mark.parallel(1)


@settings(deadline=None)
@given(st.tuples(*[st.integers(1, 7)] * 3), st.integers(0, 2**32 - 1), st.booleans())
def test_masks_come_back(shape: tuple[int, int, int], seed: int, vertex: bool) -> None:
    mask = np.random.default_rng(seed).random(shape) < 0.5
    mask[0, 0, 0] = True
    holes = ValidityMask.of(mask, vertex)
    assert holes is not None
    np.testing.assert_array_equal(
        ValidityMask.from_payload(holes.payload, shape, vertex).mask, mask
    )


def test_nothing_outside_is_nothing() -> None:
    assert ValidityMask.of(np.zeros((3, 4, 5), bool), False) is None


def test_bytes_of_another_shape_are_refused() -> None:
    holes = ValidityMask.of(np.ones((4, 4, 4), bool), False)
    assert holes is not None
    with pytest.raises(FrameError, match="holes"):
        ValidityMask.from_payload(holes.payload, (4, 4, 8), False)
    with pytest.raises(FrameError, match="holes"):  # before anything of that size is made
        ValidityMask.from_payload(holes.payload, (2**20, 2**20, 2**20), False)


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("residual", [False, True])
def test_a_field_with_holes(association: str, residual: bool) -> None:
    block = partition(blob, association=association)
    values = block.components[0].copy()
    values[:, :, : values.shape[2] // 2] = np.nan
    block = replace(block, components=(values,))
    target = {"max_error": 0.02} if residual else {"psnr": 40.0}
    field = read_field(fit(block, **target).to_bytes())
    outside = np.isnan(block.owned[0])
    decoded = field.decode()
    np.testing.assert_array_equal(np.isnan(decoded), outside)
    box = (slice(1, 4), slice(0, 5), slice(2, field.shape[2]))
    np.testing.assert_array_equal(field.decode_box(box), decoded[box])
    low, high = field.bounds
    points = low + (high - low) * np.array([[0.9, 0.5, 0.5], [0.1, 0.5, 0.5]])
    assert np.isnan(field(points)).tolist() == [False, True]
    assert np.isnan(field.gradient(points)).any(axis=1).tolist() == [False, True]
    grid = field.on_grid(np.array([0.1, 0.9]), np.array([0.5]), np.array([0.5]))
    assert np.isnan(grid[0, 0, :, 0]).tolist() == [True, False]
