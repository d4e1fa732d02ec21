"""The ray marcher: against the NumPy reference, an analytic medium, and its own halves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render import reference
from insitu.render.camera import Camera
from insitu.render.march import march
from insitu.render.transfer_function import TransferFunction

from .volumes import CELLS, blocks_of, nodes_of, raw_block, transfer_function, volume

WIDTH, HEIGHT = 61, 47


def full_image(layer: object, camera: Camera) -> np.ndarray:
    image = np.zeros((camera.height, camera.width, 4), np.float32)
    y0, y1, x0, x1 = layer.rectangle
    image[y0:y1, x0:x1] = layer.rgba
    return image


@pytest.mark.parametrize("stretch", [0.0, 0.4])
@pytest.mark.parametrize("place", ["outside", "inside", "grazing"])
def test_agrees_with_reference(stretch: float, place: str) -> None:
    nodes = nodes_of(CELLS, stretch)
    block = raw_block(volume(), nodes)
    camera = {
        "outside": Camera.default(block.bounds, WIDTH, HEIGHT),
        "inside": Camera((0.1, 0.2, 0.3), (0.9, 0.3, 0.1), fov=70, width=WIDTH, height=HEIGHT),
        "grazing": Camera((-3.0, 0.1, 0.21), (0.0, 0.1, 0.21), width=WIDTH, height=HEIGHT),
    }[place]
    options = {"bounds": block.bounds, "step": 0.031, "opaque": 1.0}
    function = transfer_function()
    layer = march(block, camera, function, **options)
    expected = reference.march(block.field, camera, function, **options)
    assert expected[..., 3].max() > 0.3
    np.testing.assert_allclose(full_image(layer, camera), expected, atol=2e-5)


def test_vectors_give_components_and_magnitudes() -> None:
    nodes = nodes_of(CELLS)
    x = volume()
    block = raw_block(x, nodes, -x[::-1], x[:, ::-1])
    camera = Camera.default(block.bounds, 31, 29)
    options = {"bounds": block.bounds, "step": 0.05, "opaque": 1.0}
    function = transfer_function()
    for component, index in ((0, 0), (2, 2), ("magnitude", -1), (None, -1)):
        layer = march(block, camera, function, component=component, **options)
        expected = reference.march(block.field, camera, function, component=index, **options)
        np.testing.assert_allclose(full_image(layer, camera), expected, atol=2e-5)
    for component in (3, -2, "speed"):
        with pytest.raises(ValueError, match="component"):
            march(block, camera, function, component=component, **options)


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


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_transparent(bad: float) -> None:
    values = volume()
    holes = values.copy()
    holes[:, :, 14:] = bad
    nodes = nodes_of(CELLS)
    camera = Camera.default((np.zeros(3), np.ones(3)), 40, 40)
    options = {"bounds": raw_block(values, nodes).bounds, "step": 0.02}
    image = full_image(
        march(raw_block(holes, nodes), camera, transfer_function(), **options), camera
    )
    assert np.isfinite(image).all()
    assert (
        0
        < image[..., 3].sum()
        < full_image(
            march(raw_block(values, nodes), camera, transfer_function(), **options), camera
        )[..., 3].sum()
    )


def test_early_end_changes_less_than_it_says() -> None:
    nodes = nodes_of(CELLS)
    block = raw_block(volume(), nodes)
    camera = Camera.default(block.bounds, 40, 40)
    function = transfer_function(reference=0.02)
    options = {"bounds": block.bounds, "step": 0.02}
    exact = march(block, camera, function, opaque=1.0, **options).rgba
    early = march(block, camera, function, opaque=0.9, **options).rgba
    assert 0 < np.abs(exact - early).max() <= 0.1


def test_a_block_out_of_view_is_an_empty_layer() -> None:
    block = raw_block(volume(), nodes_of(CELLS))
    camera = Camera((5.0, 0.0, 0.0), (9.0, 0.0, 0.0), width=20, height=20)
    layer = march(block, camera, transfer_function(), bounds=block.bounds, step=0.1)
    assert layer.rgba.shape == (0, 0, 4)


@pytest.mark.parametrize("stretch", [0.0, 0.4])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_shading_jitter_and_surfaces_agree_with_reference(stretch: float, association: str) -> None:
    cells = tuple(n + (association == "vertex") for n in CELLS)
    block = raw_block(volume(cells), nodes_of(CELLS, stretch))
    camera = Camera.default(block.bounds, WIDTH, HEIGHT)
    depth = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    middle = np.linalg.norm(np.subtract(camera.position, camera.look_at))
    depth[14:30, 22:42] = middle + np.linspace(-0.3, 0.3, 20, dtype=np.float32)
    rgba = np.where(np.isfinite(depth)[..., None], np.float32([0.2, 0.5, 0.1, 0.6]), np.float32(0))
    options = {"bounds": block.bounds, "step": 0.043, "opaque": 1.0, "shading": True}
    y0, y1, x0, x1 = camera.rectangle(block.bounds)
    part = (rgba[y0:y1, x0:x1], depth[y0:y1, x0:x1])
    layer = march(block, camera, transfer_function(), surface=part, **options)
    expected = reference.march(
        block.field, camera, transfer_function(), surface=(rgba, depth), **options
    )
    # Light falls apart where its direction turns fast; round-off shows there.
    np.testing.assert_allclose(full_image(layer, camera), expected, atol=1e-3)
    assert np.abs(full_image(layer, camera) - expected).mean() < 1e-5
    plain = march(block, camera, transfer_function(), bounds=block.bounds, step=0.043, opaque=1.0)
    assert np.abs(plain.rgba - layer.rgba).max() > 0.1
    with pytest.raises(ValueError, match="surface"):
        march(block, camera, transfer_function(), surface=(rgba[:5], depth[:5]), **options)


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


def test_more_samples_than_a_ray_can_have_are_refused() -> None:
    block = raw_block(volume(), nodes_of(CELLS))
    camera = Camera.default(block.bounds, 8, 8)
    with pytest.raises(ValueError, match="65000 samples"):
        march(block, camera, transfer_function(), bounds=block.bounds, step=1e-6)


def test_refuses_nodes_that_do_not_increase() -> None:
    x, y, z = nodes_of(CELLS)
    block = raw_block(volume(), (x, y[::-1].copy(), z))
    camera = Camera((0.0, 0.0, 5.0), (0.0, 0.0, 0.0), fov=60, width=8, height=8)
    with pytest.raises(ValueError, match=r"bounds|nodes"):
        march(block, camera, transfer_function(), bounds=([-1] * 3, [2] * 3), step=0.1)
