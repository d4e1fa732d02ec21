"""Blocks with a small range of their own are kept well enough to be read, where that is cheap."""

from collections.abc import Sequence

import numpy as np
import pytest

from insitu.fields import quiet
from insitu.fields.block_field import BlockField
from insitu.fields.read import read_field
from insitu.fields.seams import face_jumps
from insitu.mesh.partition import Partition
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.job import TrainingJob
from insitu.training.options import Target
from insitu.training.ranges import MeasuredBlock, local_ranges
from insitu.training.train import train

SHAPE = (22, 24, 40)


def slab(kind: str, size: float = 0.02) -> np.ndarray:
    """A loud part beside a half with a range of `size`."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in SHAPE), indexing="ij")
    waves = 0.5 * np.sin(5 * y + 4 * x) * np.cos(3 * z)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, SHAPE)
    quiet_one = size * (noise if kind == "noise" else waves)
    return np.asarray(quiet_one + np.sin(9 * y) * np.clip(3 * (x - 0.6), 0, 1))


def halves(values: np.ndarray) -> list[Partition]:
    """Two blocks side by side along x, with a ghost layer."""
    middle = SHAPE[2] // 2
    blocks = []
    for side, (low, high) in enumerate(((0, middle), (middle, SHAPE[2]))):
        ghosts = (1 - side, side)
        cells = values[:, :, low - ghosts[1] : high + ghosts[0]]
        nodes = (np.arange(low, high + 1.0), np.arange(SHAPE[1] + 1.0), np.arange(SHAPE[0] + 1.0))
        layers = ((0, 0), (0, 0), ghosts[::-1])
        blocks.append(Partition("f", "element", (cells,), layers, nodes, side))
    return blocks


def keep(blocks: Sequence[Partition], psnr: float) -> list[BlockField]:
    measured = [MeasuredBlock.of(block) for block in blocks]
    whole = local_ranges({"f": measured}, {"f"})["f"]
    jobs = [
        TrainingJob(block=block, whole=whole, model=SparseGrid(), target=Target(psnr=psnr))
        for block in measured
    ]
    return [read_field(train(job).to_bytes()) for job in jobs]


def off(field: BlockField, block: Partition) -> float:
    """Root mean square error in units of the block's own range."""
    error = field.decode().astype(np.float64) - block.owned[0]
    return float(np.sqrt(np.square(error).mean()) / np.ptp(block.owned[0]))


@pytest.mark.parametrize("psnr", [40, 55])
def test_a_quiet_block_is_not_lost_in_the_error_of_the_field(psnr: float) -> None:
    """Of 1 % of the field's range, with errors of 1 % and 0.2 % of it elsewhere."""
    blocks = halves(slab("waves"))
    fields = keep(blocks, psnr)
    assert off(fields[0], blocks[0]) < 1.1 * quiet.SHARE
    assert face_jumps(fields).max_error < 1e-6 * np.ptp(blocks[1].owned[0])
    assert off(fields[1], blocks[1]) > 0.5 * 10 ** (-psnr / 20)  # is no better than asked for


def test_noise_and_rounding_errors_take_no_bytes() -> None:
    """A floor for these would need bits for every sample: here, 2,600 bytes."""
    for values in (slab("noise"), slab("waves", 1e-9), slab("noise", 1e-15)):
        assert len(keep(halves(values), 40)[0].as_model.weights.payload) < 300  # type: ignore[union-attr]


def test_the_error_of_a_part_is_between_the_field_s_and_a_16th_of_it() -> None:
    assert quiet.error_of(100.0, 1.0) == 1.0
    assert quiet.error_of(6.0, 1.0) == 0.5
    assert quiet.error_of(0.1, 1.0) == 1 / 16
    assert quiet.error_of(0.01, 1.0) == 1.0  # nothing of it would be left either way
