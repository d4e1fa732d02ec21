"""The benchmark of blocks: what it counts is what is on disk, and what it decodes the field."""

import blocks
import numpy as np
import pytest
from compressors import Compressor
from volumes import partition

from insitu.config import FieldConfig

VALUES = np.fromfunction(lambda z, y, x: np.tanh((x + 0.4 * y - z) / 9), (24, 20, 22)).astype("f4")


def test_blocks_tile_the_field_and_have_ghosts_between_them() -> None:
    parts = list(blocks.boxes(VALUES.shape, 3))
    assert len(parts) == 27
    times = np.zeros(VALUES.shape, int)
    for number, box in enumerate(parts):
        times[box] += 1
        made = blocks.block(VALUES, box, number)
        np.testing.assert_array_equal(made.owned[0], VALUES[box])
        assert made.ghost_layers[0] == (int(box[0].start > 0), int(box[0].stop < 24))
    assert (times == 1).all()
    assert blocks.block(VALUES, parts[0], 0).cells != partition(VALUES).cells


@pytest.mark.parametrize("cuts", [1, 2])
def test_a_record_is_counted_and_read(cuts: int) -> None:
    found = blocks.record(VALUES, cuts, FieldConfig(psnr=40.0))
    assert found.psnr >= 39.9
    assert found.nbytes == found.payloads + found.headers < VALUES.nbytes / 10
    assert found.headers < 100 * cuts**3 and 200 < found.manifest < 600


def test_the_peer_has_one_tolerance_over_all_blocks() -> None:
    def encode(values: np.ndarray, tolerance: float) -> bytes:
        return np.rint(values / tolerance).astype("<i4").tobytes() + np.float64(tolerance).tobytes()

    def decode(packed: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        steps = np.frombuffer(packed[:-8], "<i4").reshape(shape)
        return steps * np.frombuffer(packed[-8:], "<f8")[0]

    rounding = Compressor("rounding", encode, decode)
    one, eight = (blocks.peer(VALUES, cuts, 40.0, rounding) for cuts in (1, 2))
    assert eight == one + 7 * 8
    constant = VALUES * (np.arange(22) < 11)
    assert blocks.peer(constant, 2, 40.0, rounding) == 4 * (VALUES.nbytes // 8 + 8) + 4 * 4
