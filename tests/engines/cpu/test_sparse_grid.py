"""Pictures of a sparse grid are those of its decoded samples."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.engines import engine, using
from insitu.fields.model_field import ModelField
from insitu.fields.raw_block import RawBlock
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.models.sparse_grid.model import SparseGrid
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.march import RenderBlock
from insitu.render.volume.volume import render_volume
from insitu.training.job import TrainingJob
from insitu.training.options import Target
from insitu.training.train import train
from tests.support.blocks import blob, partition, swirl


def picture(block: ModelField | RawBlock, component: int | None) -> np.ndarray:
    camera = Camera.default(block.bounds, 40, 30)
    function = TransferFunction.default((-0.5, 1.2))
    return render_volume(
        MPI.COMM_SELF, [RenderBlock.of(block)], camera, function, component=component
    )


@pytest.mark.parametrize(
    "shape", [(1, 1, 200_000), (1, 999, 1), (3, 2, 40), (1, 1, 2), (5, 6, 7), (33, 17, 18)]
)
def test_every_sample_is_the_decoded_one(shape: tuple[int, int, int]) -> None:
    """Along axes of any length: opening a long one takes memory in proportion to it."""
    values = np.random.default_rng(0).normal(size=shape).cumsum(axis=int(np.argmax(shape)))
    nodes = tuple(np.arange(n + 1.0) for n in reversed(shape))
    block = Partition("f", "element", (values,), NO_LAYERS, nodes, 0)  # type: ignore[arg-type]
    field = train(TrainingJob.of(block, SparseGrid(), target=Target(psnr=50)))
    axes = [(np.arange(n) + 0.5) / n for n in reversed(shape)]
    decoded = field.decode()
    slope = max(float(np.abs(np.diff(decoded, axis=a)).max(initial=0)) for a in range(3))
    rounding = 3e-7 * max(shape) * slope + 1e-6 * float(np.ptp(values))  # of unit coordinates
    np.testing.assert_allclose(field.on_grid(*axes)[..., 0], decoded, atol=rounding)
    centers = np.meshgrid(*[np.arange(n) + 0.5 for n in reversed(shape)], indexing="ij")
    found = field(np.stack(centers, axis=-1).reshape(-1, 3)).reshape(*shape[::-1]).T
    np.testing.assert_allclose(found, decoded, atol=rounding)


@pytest.mark.parametrize("vertex", [False, True])
def test_errors_beside_holes(vertex: bool) -> None:
    """Every finite sample counts, next to one that is not too, as on the reference."""
    values = np.random.default_rng(0).random((3, 4, 47))
    values[1, 1, ::5] = np.nan
    cells = (2, 3, 46) if vertex else values.shape
    nodes = tuple(np.arange(n + 1.0) for n in reversed(cells))
    association = "vertex" if vertex else "element"
    block = Partition("f", association, (values,), NO_LAYERS, nodes, 0)  # type: ignore[arg-type]
    field = train(TrainingJob.of(block, SparseGrid(), target=Target(psnr=40)))
    scale = field.zero, field.range[:, 1] - field.range[:, 0]
    found = []
    for name in ("cpu", "numpy"):
        on = engine(name)
        sampler = on.sampler((values,), NO_LAYERS, cells, vertex)
        for begin, end, every in ((0, values.size, 1), (5, 300, 2)):
            found += on.measure(
                field.model, field.weights.params, sampler, *scale, begin, end, every
            )
        with pytest.raises(ValueError, match="every: 0"):
            on.measure(field.model, field.weights.params, sampler, *scale, 0, 9, 0)
    for one, other in zip(found[:2], found[2:], strict=True):
        assert one.finite == other.finite
        assert one.max == pytest.approx(other.max, rel=1e-4)
        assert one.sum_of_squares == pytest.approx(other.sum_of_squares, rel=1e-4)
    assert found[0].finite == np.isfinite(values).sum()


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("name", ["cpu", "numpy"])
def test_pictures(association: str, name: str) -> None:
    block = partition((blob, swirl), association=association, ghosts=0)
    job = TrainingJob.of(block, SparseGrid(), target=Target(psnr=35), sized_by_target=True)
    field = train(job)
    decoded = tuple(np.ascontiguousarray(c) for c in np.moveaxis(field.decode(), -1, 0))
    raw = RawBlock(Partition("f", association, decoded, NO_LAYERS, block.nodes, 0))  # type: ignore[arg-type]
    with using(engine(name)):
        for component in (0, 1):
            np.testing.assert_allclose(
                picture(field, component), picture(raw, component), atol=2e-4
            )
