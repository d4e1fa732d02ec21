"""Slices as arrays: the values at every pixel, of a record or over ranks."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.sample import sample_points
from insitu.store.record import open_record
from tests.support import records
from tests.support.blocks import blob, split, swirl
from tests.support.fitting import fit

COMM = MPI.COMM_WORLD


@pytest.fixture(scope="module")
def blocks() -> list[BlockField]:
    """A domain of 1 x 1.5 x 0.5 in 4 blocks; the same on every rank."""
    made = []
    for part in split([blob, swirl], (6, 8, 10), (1, 2, 2), name="v"):
        x, y, z = part.nodes
        object.__setattr__(part, "nodes", (x, 1.5 * y, 0.5 * z))
        made.append(fit(part, n_min=20))
    return made


def spread(blocks: list[BlockField]) -> DistributedField:
    mine = tuple(blocks[COMM.rank :: COMM.size])
    return DistributedField(mine, DistributedField.join(blocks).summary)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("normal", "origin", "shape", "labels", "extent"),
    [
        ("z", 0.2, (48, 32), ("x", "y"), (0, 1, 0, 1.5)),
        ((0, 0, -3), (9, 9, 0.2), (48, 32), ("x", "y"), (0, 1, 0, 1.5)),
        ("y", 0.75, (24, 48), ("x", "z"), (0, 1, 0, 0.5)),  # the face between the blocks
        ("x", 1.0, (16, 48), ("y", "z"), (0, 1.5, 0, 0.5)),  # the domain's own
        ((1, 1, 0.5), (0.4, 0.7, 0.2), None, ("u", "v"), None),
    ],
)
def test_values_are_those_of_the_pixels(
    blocks: list[BlockField],
    normal: object,
    origin: object,
    shape: tuple | None,
    labels: tuple,
    extent: tuple | None,
) -> None:
    field = spread(blocks)
    found = insitu.slice_array(field, normal, origin, pixels=48, comm=COMM)
    assert found.labels == labels
    height, width = found.values.shape[:2]
    if shape is not None:
        assert (height, width) == shape and found.extent == pytest.approx(extent)
    left, right, bottom, top = found.extent
    u = left + (right - left) * (np.arange(width) + 0.5) / width
    v = bottom + (top - bottom) * (np.arange(height) + 0.5) / height
    at = found.origin + u[:, None] * found.axes[0] + v[:, None, None] * found.axes[1]
    expected = sample_points(DistributedField.join(blocks), at.reshape(-1, 3))
    np.testing.assert_array_equal(found.values.reshape(-1, 2), expected)
    inside = ((at >= 0) & (at <= [1, 1.5, 0.5])).all(axis=-1)
    np.testing.assert_array_equal(np.isfinite(found.values).all(axis=-1), inside)
    assert inside.all() == (shape is not None)


def test_a_record_s_middle_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record"
    records.write(path, cycles=(0,))
    field = open_record(path)["density"].sel(step=0)
    whole = insitu.slice_array(field, "z", pixels=20)
    assert whole.values.shape == (20, 20) and whole.origin.tolist() == [0, 0, 0.5]
    np.testing.assert_array_equal(
        whole.values, insitu.slice_array(field, "z", 0.5, pixels=20).values
    )
    monkeypatch.setattr("insitu.filters.geometry.slice_array._POINTS", 50)
    np.testing.assert_array_equal(whole.values, insitu.slice_array(field, "z", pixels=20).values)


@pytest.mark.parallel([1, 3])
def test_what_cannot_be(blocks: list[BlockField]) -> None:
    field = spread(blocks)
    for normal, origin, message in (
        ("w", None, "normal: 'w', expected 'x', 'y', 'z' or a vector"),
        ((0, 0, 0), None, "expected a direction"),
        ((0, 0), None, r"normal: shape \(2,\)"),
        ("x", (1, 2), r"origin: shape \(2,\)"),
        ("x", 1.25, "misses the domain"),
    ):
        with pytest.raises(ValueError, match=message):
            insitu.slice_array(field, normal, origin, comm=COMM)
    with pytest.raises(ValueError, match="pixels: 0"):
        insitu.slice_array(field, "x", pixels=0, comm=COMM)
