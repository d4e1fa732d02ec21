"""Slice pictures: the pixels are the table's colours, the writing is around them."""

from dataclasses import replace

import numpy as np
import pytest

from insitu.extract.slice_image import SliceImage
from insitu.render.slice_picture import slice_picture
from insitu.render.transfer_function import TransferFunction


def image(height: int = 120, width: int = 160) -> SliceImage:
    y, x = np.meshgrid(np.linspace(0, 3, height), np.linspace(1, 5, width), indexing="ij")
    pressure = x + 10 * y
    pressure[:10, :10] = np.nan
    return SliceImage(
        {"pressure": pressure, "velocity": np.stack([x, y, 0 * x], axis=-1)},
        (1.0, 5.0, 0.0, 3.0),
        ("x", "y"),
        np.zeros(3),
        (np.eye(3)[0], np.eye(3)[1]),
    )


def find(picture: np.ndarray, part: np.ndarray) -> tuple[int, int] | None:
    """Where a picture has another, exactly."""
    first = (picture == part[0, 0]).all(axis=-1)
    h, w = part.shape[:2]
    for y, x in np.argwhere(first):
        if np.array_equal(picture[y : y + h, x : x + w], part):
            return int(y), int(x)
    return None


def test_values_have_the_colours_of_the_table_and_y_is_up() -> None:
    function = TransferFunction.from_ascent({"name": "Jet"}, (1.0, 35.0))
    source = image()
    picture = slice_picture(source, "pressure", transfer_function=function)
    expected = function(source.values["pressure"][::-1])[..., :3]
    expected[-10:, :10] = 1.0  # no value: the background
    expected = (expected * 255 + 0.5).astype(np.uint8)
    assert find(picture, expected) is not None
    assert picture.shape[0] > 120 and picture.shape[1] > 160


def test_vectors_by_component_or_length() -> None:
    source = image()
    by_length = slice_picture(source, "velocity", component="magnitude")
    np.testing.assert_array_equal(slice_picture(source, "velocity"), by_length)
    alone = replace(source, values={"velocity": source.values["velocity"][..., 1]})
    np.testing.assert_array_equal(
        slice_picture(source, "velocity", component=1), slice_picture(alone, "velocity")
    )


def test_writing_is_on_it() -> None:
    source = image()
    plain = slice_picture(source, "pressure")
    titled = slice_picture(source, "pressure", title="Pressure", caption="cycle 3")
    assert titled.shape[0] > plain.shape[0]
    dark = slice_picture(source, "pressure", background=(0.0, 0.0, 0.0))
    assert (dark[:3, :3] == 0).all() and dark[-40:].max() > 200  # light ink on it


def test_without_values_it_is_the_background() -> None:
    source = replace(image(), values={"p": np.full((120, 160), np.nan)})
    picture = slice_picture(source, "p")
    assert find(picture, np.full((120, 160, 3), 255, np.uint8)) is not None
    constant = replace(image(), values={"p": np.full((120, 160), 2.5)})
    assert slice_picture(constant, "p").shape == picture.shape


def test_what_the_slice_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="it has pressure, velocity"):
        slice_picture(image(), "density")
    with pytest.raises(ValueError, match="component"):
        slice_picture(image(), "velocity", component=3)
