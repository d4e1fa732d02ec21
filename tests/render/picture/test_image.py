"""Pictures: background, edges of the domain, annotations, files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture import image

BOUNDS = (np.zeros(3), np.ones(3))


def test_flatten_blends_over_the_background() -> None:
    rgba = np.array([[[0, 0, 0, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 1], [2, 0, 0, 1]]], np.float32)
    pixels = image.flatten(rgba, (0.0, 0.0, 1.0))
    assert pixels.dtype == np.uint8
    assert pixels[0].tolist() == [[0, 0, 255], [128, 0, 128], [0, 255, 0], [255, 0, 0]]


def test_edges_in_front_stay_and_edges_behind_are_veiled() -> None:
    camera = Camera.default(BOUNDS, 200, 200)
    clear = np.zeros((200, 200, 4), np.float32)
    opaque = np.ones((200, 200, 4), np.float32)
    shown = image.flatten(clear, camera=camera, bounds=BOUNDS) < 255
    veiled = image.flatten(opaque, camera=camera, bounds=BOUNDS) < 255
    assert veiled.any() and shown.sum() > 1.2 * veiled.sum()
    inside = Camera((0.5, 0.5, 0.5), (2, 0.5, 0.5), width=200, height=200)
    assert (image.flatten(opaque, camera=inside, bounds=BOUNDS) == 255).all()


def test_png_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    path = image.write_png(tmp_path / "frames" / "a.png", pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)

    def failing(self: Image.Image, file: Path, **_: object) -> None:
        Path(file).write_bytes(b"half a pict")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", failing)
    with pytest.raises(OSError, match="disk full"):
        image.write_png(path, pixels * 0)
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]
    np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)


@pytest.mark.parametrize("shade", [0, 255])
def test_annotations_are_drawn_and_readable(shade: int) -> None:
    plain = np.full((240, 320, 3), shade, np.uint8)
    function = TransferFunction.default((-1.0, 3.0))
    pixels = image.annotate(
        plain, title="a title", caption="cycle 5", transfer_function=function, label="density"
    )
    assert (plain == shade).all() and pixels.shape == plain.shape
    for area in (pixels[:40, :120], pixels[-40:, :120]):  # title, caption: high contrast
        assert np.abs(area.astype(int) - shade).max() > 200
    bar = pixels[80:160, -24:].astype(int)
    assert (np.ptp(bar, axis=2) > 60).any()  # colours


def test_small_images_stay_as_they_are() -> None:
    plain = np.zeros((40, 40, 3), np.uint8)
    assert (image.annotate(plain, title="t") == plain).all()
