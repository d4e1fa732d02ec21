"""The ablations: blocks that fit together, faces that both sides are asked about.

In: small volumes with three different, partly odd lengths. Out: nothing but pass or fail.
"""

from __future__ import annotations

import ablations
import numpy as np
import pytest
from ablations import boundary, caching, chain, compression, decoded, face_errors, split, train
from volumes import Series, partition

from insitu.config import FieldConfig
from insitu.training.ranges import grid_sampler

SHAPE = (19, 28, 37)
Z, Y, X = np.meshgrid(*(np.linspace(0, 1, n) for n in SHAPE), indexing="ij")
VALUES = (np.sin(3 * X + 2 * Y) * np.cos(Z)).astype(np.float32)
SHORT = FieldConfig(iterations=150, compression="half")


def test_blocks_cover_the_volume_and_see_their_neighbours() -> None:
    whole = np.full(SHAPE, np.nan, np.float32)
    for block in split(VALUES):
        box = tuple(slice(int(n[0]), int(n[-1])) for n in reversed(block.nodes))
        assert np.isnan(whole[box]).all()
        whole[box] = block.owned[0]
        assert [sum(layers) for layers in block.ghost_layers] == [1, 1, 1]
    np.testing.assert_array_equal(whole, VALUES)


def test_ghosts_make_both_sides_of_a_face_the_same() -> None:
    # The raw blocks themselves, read on the face between the two along x.
    left, right = split(VALUES)[0], split(VALUES)[1]
    lines = [(np.arange(n) + 0.5) / n for n in left.cells[:2]]
    z, y = np.meshgrid(*lines, indexing="ij")
    at = [np.stack([np.full(z.size, x), y.ravel(), z.ravel()], 1) for x in (1.0, 0.0)]
    values = [
        grid_sampler(b).sample(p.astype(np.float32)) for b, p in zip((left, right), at, strict=True)
    ]
    np.testing.assert_allclose(values[0], values[1], atol=1e-5)
    cut = SHAPE[2] // 2
    box = tuple(slice(0, n) for n in left.cells[:2])
    truth = VALUES[(*box, slice(cut - 1, cut + 1))].mean(axis=2).ravel()
    np.testing.assert_allclose(values[0][:, 0], truth, atol=1e-5)


def test_faces_are_asked_from_both_sides() -> None:
    field, seconds = train(split(VALUES), SHORT)
    assert seconds > 0
    errors, jumps = face_errors(VALUES, field)
    nz, ny, nx = SHAPE
    faces = nz * ny + nz * nx + ny * nx
    assert len(jumps) == faces
    assert len(errors) == 2 * faces
    assert 0 < np.abs(jumps).max() <= 2 * np.abs(errors).max()
    # A network that has learnt nothing would be wrong by the values themselves.
    assert np.std(errors) < 0.3 * np.std(VALUES)
    assert np.std(decoded(VALUES, field) - VALUES) < 0.3 * np.std(VALUES)


def test_a_chain_carries_the_weights_on() -> None:
    series = Series("wave", ("1", "2"), (VALUES, VALUES))
    first, second = chain(series, SHORT)
    assert second[0] > first[0] + 1
    assert (first[2], second[2]) == (150, 150)


def test_every_part_gives_a_row_per_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablations, "LAMBDAS", (0.0, 0.15))
    found = [Series("wave", ("1", "2"), (VALUES, VALUES + 0.01 * Z.astype(np.float32)))]
    rows = list(boundary(found, [0]))
    assert [row["lambda"] for row in rows] == [0.0, 0.15]
    (row,) = caching(found, [0])
    assert row["on"]["psnr"] > row["off"]["psnr"]
    (to_the_end, to_target) = compression(found, [0])
    assert to_the_end["quantized"]["ratio"] > to_the_end["half"]["ratio"]
    assert to_target["quantized"]["psnr"] < to_the_end["quantized"]["psnr"]


def test_a_volume_is_one_partition() -> None:
    block = partition(VALUES)
    assert block.cells == SHAPE
    assert block.components[0] is VALUES
