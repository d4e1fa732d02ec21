"""Geometry on several ranks: one picture, without seams."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Surface
from insitu.core.parallel import RemoteError
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.surface.raster import StyledGeometry, rasterize
from insitu.render.surface.surfaces import (
    behind,
    draw,
    extent,
    finer,
    nearest_depth,
    render_surfaces,
    surface_layer,
)
from insitu.render.volume.march import Layer
from tests.support.surfaces import ball, cut_lines, cut_surface, helix
from tests.support.volumes import split

FUNCTION = TransferFunction.default((0.0, 1.0))
OUTSIDE = Camera((1.9, 1.4, 1.6), (0.5, 0.5, 0.5), width=133, height=101)
INSIDE = Camera((0.5, 0.45, 0.55), (0.9, 0.6, 0.4), fov=80, width=133, height=101)


def boxes(parts: int) -> np.ndarray:
    """Boxes (n, 2, 3) that tile the unit cube, cut at places that lie on no grid."""
    lines = np.linspace(0, 1, 8) ** 1.1
    cells = split((0, 0, 0), (7, 7, 7), parts)
    return np.array([[[lines[i] for i in lo], [lines[i] for i in hi]] for lo, hi in cells])


def painted(surface: Surface) -> StyledGeometry:
    return StyledGeometry(surface, values="x", transfer_function=FUNCTION)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("camera", [OUTSIDE, INSIDE], ids=["outside", "inside"])
@pytest.mark.parametrize("per_rank", [1, 4])
def test_pieces_of_a_surface_make_the_picture_of_the_whole(camera: Camera, per_rank: int) -> None:
    comm = MPI.COMM_WORLD
    whole = ball()
    cells = boxes(comm.size * per_rank)[comm.rank :: comm.size]
    mine = [(tuple(box), [painted(cut_surface(whole, box))]) for box in cells]
    image = render_surfaces(comm, mine, camera)
    if comm.rank > 0:
        assert image is None
        return
    everything = [((np.zeros(3), np.ones(3)), [painted(whole)])]
    expected = render_surfaces(MPI.COMM_SELF, everything, camera)
    assert expected[..., 3].mean() > 0.1
    assert np.abs(image - expected).max() < 1 / 255
    if camera is OUTSIDE:  # the ball's edge is smooth
        assert set(np.unique(expected[..., 3])) == {0, 0.25, 0.5, 0.75, 1}


@pytest.mark.parallel(3)
def test_pieces_of_lines_make_the_picture_of_the_whole() -> None:
    """Save for pixels at the cuts, where tubes reach into the next block."""
    comm = MPI.COMM_WORLD
    look = {"values": "t", "transfer_function": FUNCTION, "width": 4.0}
    mine = [
        (tuple(box), [StyledGeometry(cut_lines(helix(), box), **look)])
        for box in boxes(6)[comm.rank :: comm.size]
    ]
    image = render_surfaces(comm, mine, OUTSIDE)
    if comm.rank == 0:
        everything = [((np.zeros(3), np.ones(3)), [StyledGeometry(helix(), **look)])]
        expected = render_surfaces(MPI.COMM_SELF, everything, OUTSIDE)
        error = np.abs(image - expected).max(axis=-1)
        assert (error > 1 / 255).sum() < 0.05 * (expected[..., 3] > 0).sum()


def test_the_mean_of_samples_is_what_is_blended() -> None:
    layer = surface_layer((np.zeros(3), np.ones(3)), [painted(ball())], OUTSIDE)
    y0, y1, x0, x1 = layer.rectangle
    full = np.zeros((202, 266, 4), np.float32)
    full[y0:y1, x0:x1] = layer.rgba
    np.testing.assert_array_equal(full, rasterize([painted(ball())], finer(OUTSIDE))[0])
    blocks = [((np.zeros(3), np.ones(3)), [painted(ball())])]
    image = render_surfaces(MPI.COMM_SELF, blocks, OUTSIDE)
    np.testing.assert_allclose(image, full.reshape(101, 2, 133, 2, 4).mean(axis=(1, 3)), atol=1e-6)


def test_a_volume_before_and_behind_a_surface() -> None:
    """A red veil before the ball, nothing behind it: as blended sample by sample."""
    rectangle = extent([painted(ball())], OUTSIDE)
    rgba, depth, found = draw([painted(ball())], OUTSIDE)
    assert found == rectangle
    end = nearest_depth(depth)
    height, width = rectangle[1] - rectangle[0], rectangle[3] - rectangle[2]
    assert end.shape == (height, width)
    eye, rays = OUTSIDE.rays()
    on_ball = np.linalg.norm(eye + end[..., None] * rays[rectangle[0] : rectangle[1],
                             rectangle[2] : rectangle[3]] - 0.5, axis=-1)  # fmt: skip
    inner = np.isfinite(end) & (nearest_depth(-rgba[..., 3]) < 0)
    assert np.median(np.abs(on_ball[inner] - 0.4)) < 0.01
    veil = np.broadcast_to(np.float32([0.3, 0, 0, 0.3]), (height, width, 4))
    layer = behind(Layer(veil, rectangle, (np.zeros(3), np.ones(3))), rgba)
    assert layer.rectangle == tuple(2 * v for v in rectangle)
    np.testing.assert_allclose(layer.rgba, veil[0, 0] + np.float32(0.7) * rgba, atol=1e-6)


@pytest.mark.parallel([1, 3])
def test_nothing_to_draw_and_a_rank_that_fails() -> None:
    comm = MPI.COMM_WORLD
    nothing = Surface(np.empty((0, 3)), np.empty((0, 3), int))
    bounds = (np.array([comm.rank, 0, 0.0]), np.array([comm.rank + 1, 1, 1.0]))
    for pieces in ([StyledGeometry(nothing)], []):
        image = render_surfaces(comm, [(bounds, pieces)], OUTSIDE)
        assert image is None if comm.rank else not image.any()
    wrong = Surface(np.zeros((3, 3)), np.array([[0, 1, 3]]))
    pieces = [StyledGeometry(wrong)] if comm.rank == comm.size - 1 else []
    with pytest.raises(RemoteError, match="3 is not one of 3 points"):
        render_surfaces(comm, [(bounds, pieces)], OUTSIDE)
