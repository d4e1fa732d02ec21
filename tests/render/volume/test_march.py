"""Marching blocks of fields: words, layers, and that blocks add up to the whole.

That an engine draws what the reference draws is in `insitu.testing`.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.march import march
from tests.support.volumes import CELLS, blocks_of, nodes_of, raw_block, transfer_function, volume


def full_image(layer: object, camera: Camera) -> np.ndarray:
    image = np.zeros((camera.height, camera.width, 4), np.float32)
    y0, y1, x0, x1 = layer.rectangle
    image[y0:y1, x0:x1] = layer.rgba
    return image


@pytest.mark.parametrize("step", [0.0125, 0.004])
def test_constant_medium_has_its_analytic_opacity(step: float) -> None:
    """alpha = 1 - (1 - a)^(L / reference), whatever the step."""
    values = np.full((4, 4, 4), 0.5, np.float32)
    nodes = (np.linspace(0, 1, 5),) * 3
    camera = Camera((0.5, 0.5, 9.0), (0.5, 0.5, 0.0), fov=2.0, width=9, height=9)
    table = np.tile([0.2, 0.6, 1.0, 0.3], (2, 1))
    function = TransferFunction((0.0, 1.0), table, reference=0.4)
    block = raw_block(values, nodes)
    rgba = march(block, camera, function, bounds=block.bounds, step=step, opaque=1.0).rgba[4, 4]
    alpha = 1 - (1 - 0.3) ** (1.0 / 0.4)
    np.testing.assert_allclose(rgba, alpha * np.array([0.2, 0.6, 1.0, 1.0]), rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    parts=st.integers(2, 8),
    eye=st.tuples(*(st.floats(-2, 2),) * 3).filter(lambda p: np.linalg.norm(p) > 0.1),
    step=st.floats(0.01, 0.3),
)
def test_blocks_take_exactly_the_samples_of_the_whole(parts: int, eye: tuple, step: float) -> None:
    """With opacities so thin that they add, the layers of a split sum up to the whole."""
    values = np.ones(CELLS, np.float32)
    nodes = nodes_of(CELLS)
    table = np.tile([1.0, 1.0, 1.0, 1e-6], (2, 1))
    function = TransferFunction((0.0, 1.0), table, reference=step)
    camera = Camera(eye, (0.2, 0.25, 0.3), fov=60, width=40, height=40)
    whole = raw_block(values, nodes)
    options = {"bounds": whole.bounds, "step": step, "opaque": 2.0}
    expected = full_image(march(whole, camera, function, **options), camera)[..., 3] * 1e6
    layers = [march(b, camera, function, **options) for b in blocks_of(values, nodes, parts)]
    total = sum(full_image(layer, camera)[..., 3] for layer in layers) * 1e6
    np.testing.assert_array_equal(np.rint(total), np.rint(expected))


def test_faces_on_the_sample_positions_are_counted_once() -> None:
    """Rays along an axis whose samples fall exactly on the face between two blocks."""
    values = np.ones((4, 4, 4), np.float32)
    nodes = (np.linspace(0, 4, 5),) * 3
    table = np.tile([1.0, 1.0, 1.0, 0.5], (2, 1))
    function = TransferFunction((0.0, 1.0), table, reference=1.0)
    camera = Camera((2.0, 2.0, -4.0), (2.0, 2.0, 0.0), fov=1e-3, width=1, height=1)
    whole = raw_block(values, nodes)
    for step in (0.8, 4 / 3, 4.0):  # 2.0, the face, is a sample position
        options = {"bounds": whole.bounds, "step": step, "opaque": 2.0}
        expected = march(whole, camera, function, **options).rgba[0, 0, 3]
        alphas = [
            float(full_image(march(b, camera, function, **options), camera)[0, 0, 3])
            for b in blocks_of(values, nodes, 8)
        ]
        assert 1 - np.prod(1 - np.array(alphas)) == pytest.approx(expected, abs=1e-6)


def test_a_block_out_of_view_is_an_empty_layer() -> None:
    block = raw_block(volume(), nodes_of(CELLS))
    camera = Camera((5.0, 0.0, 0.0), (9.0, 0.0, 0.0), width=20, height=20)
    layer = march(block, camera, transfer_function(), bounds=block.bounds, step=0.1)
    assert layer.rgba.shape == (0, 0, 4)


def test_jitter_is_that_of_the_pixel_and_the_frame() -> None:
    nodes = nodes_of(CELLS)
    whole = raw_block(volume(), nodes)
    camera = Camera.default(whole.bounds, 40, 40)
    options = {"bounds": whole.bounds, "step": 0.05, "opaque": 2.0}
    thin = TransferFunction((0.0, 1.0), np.tile([1.0, 1.0, 1.0, 1e-6], (2, 1)), reference=0.05)
    frames = [march(whole, camera, thin, jitter=frame, **options).rgba for frame in (None, 0, 0, 1)]
    np.testing.assert_array_equal(frames[1], frames[2])
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[3])
    layers = [march(b, camera, thin, jitter=0, **options) for b in blocks_of(volume(), nodes, 6)]
    total = sum(full_image(layer, camera)[..., 3] for layer in layers) * 1e6
    expected = full_image(march(whole, camera, thin, jitter=0, **options), camera)[..., 3] * 1e6
    np.testing.assert_array_equal(np.rint(total), np.rint(expected))


@pytest.mark.parametrize("shading", [False, True])
def test_the_picture_does_not_depend_on_the_threads(
    shading: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = (40, 70, 90)
    block = raw_block(volume(cells), nodes_of(cells))
    camera = Camera.default(block.bounds, 150, 130)
    options = {"bounds": block.bounds, "step": 0.01, "shading": shading}
    pictures = []
    for n in (1, 2, 5):
        monkeypatch.setenv("OMP_NUM_THREADS", str(n))
        pictures.append(march(block, camera, transfer_function(), **options).rgba)
    assert pictures[0][..., 3].max() > 0.5
    np.testing.assert_array_equal(pictures[1], pictures[0])
    np.testing.assert_array_equal(pictures[2], pictures[0])


def test_components_are_indices_or_the_magnitude() -> None:
    x = volume()
    block = raw_block(x, nodes_of(CELLS), -x[::-1], x[:, ::-1])
    camera = Camera.default(block.bounds, 31, 29)
    options = {"bounds": block.bounds, "step": 0.05}
    pictures = [
        march(block, camera, transfer_function(), component=component, **options).rgba
        for component in ("magnitude", None, 0, 2)
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])
    assert not np.array_equal(pictures[2], pictures[3])
    for component in (3, -2, "speed"):
        with pytest.raises(ValueError, match="component"):
            march(block, camera, transfer_function(), component=component, **options)


def test_a_surface_has_the_shape_of_the_block_s_rectangle() -> None:
    block = raw_block(volume(), nodes_of(CELLS))
    camera = Camera.default(block.bounds, 31, 29)
    wrong = np.zeros((5, 31, 4), np.float32), np.zeros((5, 31), np.float32)
    with pytest.raises(ValueError, match="surface"):
        march(block, camera, transfer_function(), bounds=block.bounds, step=0.1, surface=wrong)
