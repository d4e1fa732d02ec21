"""Views: names of pictures, and which annotations there are."""

import numpy as np

from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.view import View, file_stem

BOUNDS = (np.zeros(3), np.ones(3))


def test_file_names() -> None:
    assert file_stem("a_%04d", 7) == "a_0007"
    assert file_stem("a_%d_b", 7) == "a_7_b"
    assert file_stem("a", 7) == "a_000007"
    assert file_stem("100%", 7) == "100%_000007"
    assert View(image_name="a").file_stem(7) == "a"
    assert View(image_prefix="a_%d").file_stem(7) == "a_7"


def drawn(**words: object) -> np.ndarray:
    """Of an empty picture of 128 x 128."""
    view = View(image_width=128, image_height=128, bg_color=(0, 0, 0), **words)
    bars = [("density", TransferFunction.default((0.0, 1.0)))]
    empty = np.zeros((128, 128, 4), np.float32)
    return view.pixels(empty, view.camera_for(BOUNDS), BOUNDS, "cycle 7", bars)


def test_annotations() -> None:
    off = {"world_annotations": False, "screen_annotations": False}
    assert not drawn(**off).any()
    edges = drawn(screen_annotations=False)
    words = drawn(world_annotations=False)
    assert edges.any() and words.any()
    both = drawn()
    assert (both != edges).any() and (both != words).any()
    assert (drawn(title="A title") != both).any()
    larger = drawn(screen_annotations=False, dataset_bounds=(-3, 1, 0, 1, 0, 1))
    assert (larger != edges).any()
    # All of the larger box is in view, as in Ascent.
    assert not any(edge.any() for edge in (larger[0], larger[-1], larger[:, 0], larger[:, -1]))


def test_annotations_in_a_colour() -> None:
    for words in ({"screen_annotations": False}, {"world_annotations": False}):
        red, plain = drawn(fg_color=(1, 0, 0), **words), drawn(**words)
        assert red[..., 0].sum() > red[..., 1:].max(axis=-1).sum()
        assert (red != plain).any()


def test_without_a_background_what_is_empty_is_transparent() -> None:
    pixels = drawn(render_bg=False, world_annotations=False, screen_annotations=False)
    assert pixels.shape == (128, 128, 4) and not pixels[..., 3].any()
