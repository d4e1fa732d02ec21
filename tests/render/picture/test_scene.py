"""Scenes: pictures from networks equal pictures from raw data, whatever the rank count."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from PIL import Image

from insitu.core.geometry import Lines
from insitu.fields.distributed_field import DistributedField
from insitu.fields.raw_block import RawBlock
from insitu.filters.derived import Derive
from insitu.filters.pipeline import Pipeline, VolumeData
from insitu.filters.surface_filters import Slice
from insitu.metrics import psnr
from insitu.models.hash_grid.model import HashGrid
from insitu.render.camera import Camera
from insitu.render.color_map import ColorTable
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.plots import Plot, colors, on_scale
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


@pytest.mark.parallel([1, 3])
def test_a_logarithmic_scale() -> None:
    """Values become decimal logarithms; those below the first colour count as that."""
    comm = MPI.COMM_WORLD
    parts = split(lambda x, y, z: 10 ** (3 * x) - 2, CELLS, (2, 1, 2), name="density")
    volume = VolumeData(
        {"density": [RawBlock(b) for b in parts[comm.rank :: comm.size]]},
        (np.zeros(3), np.ones(3)),
    )
    plot = Plot(field="density", log_scale=True)
    [found], (low, high) = on_scale(comm, plot, [volume])
    assert high == pytest.approx(np.log10(10 ** (3 * 23.5 / 24) - 2))
    assert low == pytest.approx(high - 6)  # a millionth of the largest
    assert isinstance(found, VolumeData)
    for block in found.fields["density"]:
        middle = np.mean(block.bounds, axis=0)
        middle[0] = 23.5 / 24  # of the last cells
        if block.bounds[1][0] == 1:
            assert np.ravel(block(middle[None])) == pytest.approx([high], abs=1e-5)
    [found], (low, _) = on_scale(comm, replace(plot, min_value=5.0), [volume])
    assert low == pytest.approx(np.log10(5))
    assert np.min([f.sampled_range[0, 0] for f in found.fields["density"]], initial=9) >= low
    lines = Lines(np.zeros((2, 3)), np.array([0, 2]), {"density": np.array([[3.0, 4.0], [0, 0.1]])})
    [found], ends = on_scale(comm, plot, [lines])  # vectors: their magnitude
    assert ends == pytest.approx(np.log10([0.1, 5]))
    assert found.values["density"] == pytest.approx(np.log10([5, 0.1]))
    assert colors(comm, plot, [found], ends).log
    with pytest.raises(ValueError, match=r"log_scale: density goes from .* only positive"):
        on_scale(comm, replace(plot, max_value=-0.1), [volume])


def test_a_plane_alone_is_seen_from_in_front() -> None:
    steps = newest(window(MPI.COMM_SELF, blob), {"density"}, 1)

    def plot(normal: tuple[float, float, float]) -> Plot:
        pipeline = Pipeline("p", (Slice(normal=normal, point=(0.5, 0.5, 0.5)),))
        return Plot(field="density", type="pseudocolor", pipeline=pipeline)

    def plane(*plots: Plot) -> object:
        return PreparedScene.at(MPI.COMM_SELF, plots, steps)[0].plane

    assert plane(plot((0, 0, 1)), plot((0, 0, -2))) == (0, 0, 1)
    assert plane(plot((0, 0, 1)), plot((0, 1, 0))) is None
    view = View(image_width=96, image_height=96, world_annotations=False, screen_annotations=False)
    pixels = PreparedScene.at(MPI.COMM_SELF, (plot((0, 0, 1)),), steps)[0].pixels(view)
    drawn = (pixels != pixels[0, 0]).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert drawn[rows[0] : rows[-1], columns[0] : columns[-1]].all()  # a rectangle
    assert len(rows) == pytest.approx(len(columns), abs=1)


def test_few_samples_show_as_rings_or_grain() -> None:
    """More samples come closer to the integral, and jitter changes the samples."""
    steps = newest(window(MPI.COMM_SELF, blob), {"density"}, 1)
    camera = Camera.default(([0, 0, 0], [1, 1, 1]), 64, 64)
    table = ColorTable(alpha=((0.0, 0.0), (0.5, 0.0), (0.55, 0.9), (0.6, 0.0), (1.0, 0.0)))

    def picture(**words: object) -> np.ndarray:
        plots = (Plot(field="density", color_table=table, **words),)
        return PreparedScene.at(MPI.COMM_SELF, plots, steps)[0].image(camera)

    fine = picture(samples=800)
    one = np.abs(picture(samples=round(24 * 3**0.5)) - fine).mean()
    assert np.abs(picture() - fine).mean() < 0.5 * one
    assert np.abs(picture(jitter=True) - picture()).max() > 1e-3


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
