"""Scenes: pictures from networks equal pictures from raw data, whatever the rank count."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

from insitu.fields.distributed_field import DistributedField
from insitu.fields.raw_block import RawBlock
from insitu.filters.derived import Derive
from insitu.filters.pipeline import Pipeline
from insitu.metrics import psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.plots import Plot
from insitu.render.picture.scene import PreparedScene, Scene
from insitu.render.picture.view import View
from insitu.render.volume.histogram import histogram
from insitu.render.volume.march import RenderBlock
from insitu.render.volume.volume import render_volume
from insitu.store.timestep import newest
from insitu.store.window import Window
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, local_ranges, split, swirl

CELLS = (24, 24, 24)
NETWORK = HashGrid(log2_hashmap_size=12)


def gathered(comm: MPI.Comm, functions: object, cycle: int = 0) -> DistributedField:
    """The unit cube in four blocks, dealt out to the ranks; of several, the last has none."""
    blocks = split(functions, CELLS, (2, 1, 2), name="density")
    whole = GlobalRange(24**3, local_ranges({"f": blocks})["f"].range)
    mine = [
        train(
            TrainingJob.of(
                b,
                NETWORK,
                options=TrainingOptions(n_min=300),
                target=Target(),
                whole=whole,
                cycle=cycle,
                time=0.5,
            )
        )
        for i, b in enumerate(blocks)
        if i % max(comm.size - 1, 1) == comm.rank
    ]
    return DistributedField.gather(comm, mine)


@pytest.mark.parallel([1, 3])
def test_the_picture_is_that_of_the_raw_data() -> None:
    comm = MPI.COMM_WORLD
    field = gathered(comm, blob)
    camera = Camera.default(field.summary.bounds, 96, 96)
    colors = TransferFunction.default(tuple(field.summary.range[0]))
    neural = render_volume(comm, [RenderBlock.of(f) for f in field.fields], camera, colors)
    if comm.rank == 0:
        (whole,) = split(blob, CELLS, (1, 1, 1))
        raw = render_volume(MPI.COMM_SELF, [RenderBlock.of(RawBlock(whole))], camera, colors)
        assert psnr(neural, raw, 1.0) > 38
        assert raw[..., 3].max() > 0.2  # there is something to see


@pytest.mark.parallel([3, 4])
def test_the_picture_does_not_depend_on_the_ranks() -> None:
    comm = MPI.COMM_WORLD
    camera = Camera.default(([0, 0, 0], [1, 1, 1]), 96, 96)
    colors = TransferFunction.default((-0.1, 1.1))

    def picture(c: MPI.Comm) -> np.ndarray | None:
        field = gathered(c, blob)
        return render_volume(c, [RenderBlock.of(f) for f in field.fields], camera, colors)

    together, alone = picture(comm), picture(MPI.COMM_SELF)
    if comm.rank == 0:
        # The same four networks, on one rank or on several.
        assert np.abs(together - alone).max() < 1 / 255


def window(comm: MPI.Comm, functions: object) -> Window:
    """The field at two steps."""
    found = Window(5)
    for cycle in (5, 10):
        found.append(gathered(comm, functions, cycle))
    return found


SMALL = {"image_width": 120, "image_height": 100}


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("functions", [blob, [blob, swirl, blob]])
def test_a_scene_writes_a_picture_per_step(functions: object, folder: Path) -> None:
    comm = MPI.COMM_WORLD
    views = (View(image_prefix="a_%04d", **SMALL), View(image_name="b", render_bg=False, **SMALL))
    scene = Scene(name="s", plots=(Plot(field="density"),), views=views, window="all")
    files = scene.run(comm, newest(window(comm, functions), {"density"}, "all"), folder)
    assert [f.name for f in files] == ["a_0005.png", "a_0010.png", "b.png", "b.png"]
    comm.barrier()
    for file in files:
        with Image.open(file) as image:
            assert image.size == (120, 100)
            assert image.mode == ("RGBA" if file.name == "b.png" else "RGB")
            assert np.asarray(image)[..., :3].std() > 5


@pytest.mark.parallel([1, 3])
def test_light_on_a_volume(folder: Path) -> None:
    """A plot that asks for it is darker where its surfaces turn away."""
    comm = MPI.COMM_WORLD
    pictures = []
    for shading in (False, True):
        scene = Scene(
            name="s",
            plots=(Plot(field="density", shading=shading),),
            views=(View(image_prefix=f"lit_{shading}", image_width=64, image_height=64),),
        )
        files = scene.run(comm, newest(window(comm, blob), {"density"}, 1), folder)
        comm.barrier()
        pictures.append(np.asarray(Image.open(files[0])).astype(float))
    assert np.abs(pictures[0] - pictures[1]).max() > 10


@pytest.mark.parallel(3)
def test_a_plot_of_a_computed_field(folder: Path) -> None:
    """The picture of a gradient's length is there, and does not depend on the ranks."""
    pipeline = Pipeline("p", (Derive("gradient", "density", "g"),))
    plots = (Plot(field="g", pipeline=pipeline, samples=40),)
    camera = Camera.default(([0, 0, 0], [1, 1, 1]), 48, 48)

    def picture(comm: MPI.Comm) -> np.ndarray | None:
        steps = newest(window(comm, blob), {"density"}, 1)
        (shown,) = PreparedScene.at(comm, plots, steps)
        return shown.image(camera)

    together, alone = picture(MPI.COMM_WORLD), picture(MPI.COMM_SELF)
    if MPI.COMM_WORLD.rank == 0:
        assert np.abs(together - alone).max() < 2 / 255
        assert alone[..., 3].max() > 0.2


@pytest.mark.parallel([1, 3])
def test_histogram() -> None:
    comm = MPI.COMM_WORLD
    blocks = split(lambda x, y, z: x, CELLS, (4, 1, 1))
    mine = [RenderBlock.of(RawBlock(b)) for i, b in enumerate(blocks) if i % comm.size == comm.rank]
    counts, edges = histogram(comm, mine, (0.0, 1.0))
    assert counts.shape == (64,) and edges.shape == (65,)
    share = counts / counts.sum()
    np.testing.assert_allclose(share[2:-2], 1 / 64, rtol=0.2)


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    plots = (Plot(field="density", min_value=1e9),)  # above all that there is
    scene = Scene(name="s", plots=plots, views=(View(image_prefix="a"),))
    steps = newest(window(MPI.COMM_SELF, blob), {"density"}, 1)
    with pytest.raises(ValueError, match="min_value"):
        scene.run(MPI.COMM_SELF, steps, tmp_path)
    assert scene.run(MPI.COMM_SELF, [], tmp_path) == []
