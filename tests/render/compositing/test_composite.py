"""The picture of many ranks, for every algorithm."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.render.camera import Camera
from insitu.render.compositing import composite
from insitu.render.volume.march import Layer, RenderBlock, march
from insitu.render.volume.volume import global_bounds, render_volume
from tests.support.volumes import CELLS, blocks_of, nodes_of, psnr, transfer_function, volume


# How the blocks of a split go to the ranks: evenly, all to the last rank, or in turn from behind.
def share(blocks: list, rank: int, size: int, how: str) -> list:
    if how == "one each":
        return [b for i, b in enumerate(blocks) if i * size // len(blocks) == rank]
    if how == "all to the last":
        return blocks if rank == size - 1 else []
    return blocks[::-1][rank::size]


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("how", ["one each", "all to the last", "in turn"])
@pytest.mark.parametrize("inside", [False, True])
def test_picture_does_not_depend_on_the_ranks(how: str, inside: bool) -> None:
    comm = MPI.COMM_WORLD
    values, nodes = volume(), nodes_of(CELLS, 0.2)
    whole = blocks_of(values, nodes, 1)
    camera = (
        Camera((0.25, 0.1, 0.4), (0.9, 0.3, 0.1), fov=75, width=160, height=121)
        if inside
        else Camera.default(whole[0].bounds, 160, 121)
    )
    function = transfer_function(reference=0.05)
    parts = comm.size if how == "one each" else 5
    mine = share(blocks_of(values, nodes, parts), comm.rank, comm.size, how)
    spacing = whole[0].spacing
    image = render_volume(comm, mine, camera, function, spacing=spacing)
    if comm.rank > 0:
        assert image is None
        return
    expected = render_volume(MPI.COMM_SELF, whole, camera, function, spacing=spacing)
    assert image.shape == (121, 160, 4) and image.dtype == np.float32
    assert expected[..., 3].max() > 0.9
    assert np.abs(image - expected).max() < 1 / 255
    assert psnr(image, expected) > 60


def layers_of(n: int, rank: int, size: int, camera: Camera, empty: int = -1) -> list[Layer]:
    """Marched layers of the blocks i of n that rank i % size holds; rank `empty` holds none."""
    blocks = blocks_of(volume(), nodes_of(CELLS, 0.2), n)
    lo, hi = (np.array([x[i] for x in nodes_of(CELLS, 0.2)]) for i in (0, -1))
    holders = [r for r in range(size) if r != empty]
    return [
        march(block, camera, transfer_function(0.05), bounds=(lo, hi), step=0.03)
        for i, block in enumerate(blocks)
        if holders[i % len(holders)] == rank
    ]


ALL = {"direct-send": range(99), "binary-swap": (1, 2, 4, 8), "2-3-swap": range(99)}


@pytest.mark.parallel([1, 3, 4])
@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("blocks_per_rank", [1, 3])
@pytest.mark.parametrize("supersampling", [1, 2])
def test_picture_does_not_depend_on_the_algorithm(
    algorithm: str, blocks_per_rank: int, supersampling: int
) -> None:
    comm = MPI.COMM_WORLD
    if comm.size not in ALL[algorithm]:
        with pytest.raises(ValueError, match=r"binary-swap needs a power of two.*use 2-3-swap"):
            composite(comm, [], (0.0, 0.0, 0.0), 8, 8, algorithm=algorithm)
        return
    camera = Camera((1.9, 1.4, 1.6), (0.2, 0.2, 0.2), width=94, height=66)
    size = (camera.width // supersampling, camera.height // supersampling)
    empty = comm.size - 2 if comm.size > 1 else -1
    n = (comm.size - (empty >= 0)) * blocks_per_rank
    mine = layers_of(n, comm.rank, comm.size, camera, empty)
    eye = camera.position
    options = {"supersampling": supersampling}
    for precision in ("float16", "float32"):
        image = composite(
            comm, mine, eye, *size, algorithm=algorithm, precision=precision, **options
        )
        if comm.rank == 0:
            alone = layers_of(n, 0, 1, camera)
            expected = composite(MPI.COMM_SELF, alone, eye, *size, **options)
            assert expected[..., 3].max() > 0.9
            worst = 1e-5 if precision == "float32" else 1 / 255
            assert np.abs(image - expected).max() < worst


@pytest.mark.parallel([1, 3])
def test_images_with_fewer_rows_than_ranks() -> None:
    comm = MPI.COMM_WORLD
    blocks = blocks_of(volume(), nodes_of(CELLS), comm.size)
    bounds = global_bounds(comm, blocks[comm.rank : comm.rank + 1])
    np.testing.assert_array_equal(bounds[1], [n[-1] for n in nodes_of(CELLS)])
    camera = Camera.default(bounds, 7, 2)
    image = render_volume(comm, blocks[comm.rank : comm.rank + 1], camera, transfer_function())
    assert image is None if comm.rank else image.shape == (2, 7, 4)


@pytest.mark.parallel(2)
def test_layers_that_are_clear_or_out_of_view_are_no_trouble() -> None:
    comm = MPI.COMM_WORLD
    lo, hi = np.full(3, float(comm.rank)), np.full(3, comm.rank + 1.0)
    layers = [
        Layer(np.zeros((0, 0, 4), np.float32), (0, 0, 0, 0), (lo, hi)),
        Layer(np.zeros((4, 4, 4), np.float32), (0, 4, 0, 4), (lo + 5, hi + 5)),
    ]
    image = composite(comm, layers, (9.0, 0.0, 0.0), 8, 8)
    assert comm.rank or not image.any()


@pytest.mark.parallel([1, 3])
def test_a_failing_rank_fails_all() -> None:
    comm = MPI.COMM_WORLD
    block = blocks_of(volume(), nodes_of(CELLS), comm.size)[comm.rank]
    camera = Camera.default(block.bounds, 8, 8)
    bad = RenderBlock(block.field, None) if comm.rank == comm.size - 1 else block
    with pytest.raises(RemoteError, match=f"rank {comm.size - 1}"):
        render_volume(comm, [bad], camera, transfer_function())
    with pytest.raises(RemoteError, match="samples_per_voxel"):
        render_volume(comm, [block], camera, transfer_function(), samples_per_voxel=0)


@pytest.mark.parallel([1, 3])
def test_errors_that_all_ranks_see() -> None:
    comm = MPI.COMM_WORLD
    block = blocks_of(volume(), nodes_of(CELLS), 1)[0]
    camera = Camera.default(block.bounds, 8, 8)
    with pytest.raises(ValueError, match="no rank has a block"):
        render_volume(comm, [], camera, transfer_function())
    with pytest.raises(ValueError, match="overlap"):
        render_volume(comm, [block, block], camera, transfer_function())
    with pytest.raises(ValueError, match="did you mean 'direct-send'"):
        composite(comm, [], (0.0, 0.0, 0.0), 8, 8, algorithm="direct_send")
    with pytest.raises(ValueError, match="did you mean 'float16'"):
        composite(comm, [], (0.0, 0.0, 0.0), 8, 8, precision="float1")


@pytest.mark.parallel([1, 3])
def test_no_layers_at_all_are_a_clear_picture() -> None:
    image = composite(MPI.COMM_WORLD, [], (0.0, 0.0, 0.0), 5, 4)
    assert (image is None) == (MPI.COMM_WORLD.rank > 0)
    assert image is None or (image.shape == (4, 5, 4) and not image.any())
