"""Scenes: pictures from networks equal pictures from raw data, whatever the rank count."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

from insitu.engines.network import Network
from insitu.fields.distributed_field import DistributedField
from insitu.fields.raw_block import RawBlock
from insitu.metrics import psnr
from insitu.render.camera import Camera
from insitu.render.histogram import histogram
from insitu.render.march import Block
from insitu.render.scene import View, file_stem, render_volume_scene
from insitu.render.transfer_function import TransferFunction
from insitu.render.volume import render_volume
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange, local_ranges
from insitu.training.train import train
from tests.blocks import blob, split, swirl

CELLS = (24, 24, 24)
NETWORK = Network(log2_hashmap_size=12)


def gathered(comm: MPI.Comm, functions: object, cycle: int = 0) -> DistributedField:
    """The unit cube in four blocks, dealt out to the ranks; of several, the last has none."""
    blocks = split(functions, CELLS, (2, 1, 2), name="density")
    whole = GlobalRange(24**3, local_ranges({"f": blocks})["f"].range)
    mine = [
        train(b, NETWORK, TrainingOptions(n_min=300), Target(), whole, cycle=cycle, time=0.5)
        for i, b in enumerate(blocks)
        if i % max(comm.size - 1, 1) == comm.rank
    ]
    return DistributedField.gather(comm, mine)


@pytest.mark.parallel([1, 2, 3, 4])
def test_the_picture_is_that_of_the_raw_data() -> None:
    comm = MPI.COMM_WORLD
    field = gathered(comm, blob)
    camera = Camera.default(field.summary.bounds, 96, 96)
    colors = TransferFunction.default(tuple(field.summary.range[0]))
    neural = render_volume(comm, [Block.of(f) for f in field.fields], camera, colors)
    if comm.rank == 0:
        (whole,) = split(blob, CELLS, (1, 1, 1))
        raw = render_volume(MPI.COMM_SELF, [Block.of(RawBlock(whole))], camera, colors)
        assert psnr(neural, raw, 1.0) > 38
        assert raw[..., 3].max() > 0.2  # there is something to see


@pytest.mark.parallel([1, 2, 3, 4])
def test_the_picture_does_not_depend_on_the_ranks() -> None:
    comm = MPI.COMM_WORLD
    camera = Camera.default(([0, 0, 0], [1, 1, 1]), 96, 96)
    colors = TransferFunction.default((-0.1, 1.1))

    def picture(c: MPI.Comm) -> np.ndarray | None:
        field = gathered(c, blob)
        return render_volume(c, [Block.of(f) for f in field.fields], camera, colors)

    together, alone = picture(comm), picture(MPI.COMM_SELF)
    if comm.rank == 0:
        # The same four networks, on one rank or on several.
        assert np.abs(together - alone).max() < 1 / 255


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("functions", [blob, [blob, swirl, blob]])
def test_a_scene_writes_a_picture_per_step(functions: object, tmp_path: Path) -> None:
    comm = MPI.COMM_WORLD
    folder = comm.bcast(tmp_path)
    steps = [gathered(comm, functions, cycle) for cycle in (5, 10)]
    views = [View(image_prefix="a_%04d", image_width=120, image_height=100)]
    files = render_volume_scene(comm, steps, views, folder)
    assert [f.name for f in files] == ["a_0005.png", "a_0010.png"]
    comm.barrier()
    for file in files:
        with Image.open(file) as image:
            assert image.size == (120, 100)
            assert np.asarray(image).std() > 5


def test_file_names() -> None:
    assert file_stem("a_%04d", 7) == "a_0007"
    assert file_stem("a_%d_b", 7) == "a_7_b"
    assert file_stem("a", 7) == "a_000007"
    assert file_stem("100%", 7) == "100%_000007"


@pytest.mark.parallel([1, 2, 4])
def test_histogram() -> None:
    comm = MPI.COMM_WORLD
    blocks = split(lambda x, y, z: x, CELLS, (4, 1, 1))
    mine = [Block.of(RawBlock(b)) for i, b in enumerate(blocks) if i % comm.size == comm.rank]
    counts, edges = histogram(comm, mine, (0.0, 1.0))
    assert counts.shape == (64,) and edges.shape == (65,)
    share = counts / counts.sum()
    np.testing.assert_allclose(share[2:-2], 1 / 64, rtol=0.2)


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    field = gathered(MPI.COMM_SELF, blob)
    with pytest.raises(ValueError, match="min_value"):
        render_volume_scene(
            MPI.COMM_SELF, [field], [View(image_prefix="a")], tmp_path, min_value=2, max_value=1
        )
    assert render_volume_scene(MPI.COMM_SELF, [], [View(image_prefix="a")], tmp_path) == []
