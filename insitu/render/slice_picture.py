"""A slice drawn for people: colours, axes in world units, a colour bar.

In: a slice's values, colours. Out: 8-bit RGB. Pillow is imported where it is used.
"""

from __future__ import annotations

import numpy as np

from insitu.extract.slice_image import SliceImage
from insitu.render.annotations import tick_labels, ticks
from insitu.render.image import DARK, WHITE, Color, annotate
from insitu.render.march import Component, component_index
from insitu.render.transfer_function import TransferFunction


def slice_picture(
    image: SliceImage,
    field: str,
    *,
    transfer_function: TransferFunction | None = None,
    component: Component = None,
    title: str = "",
    caption: str = "",
    label: str | None = None,
    background: Color = WHITE,
) -> np.ndarray:
    """RGB (h, w, 3) uint8: the slice pixel by pixel, with margins for what is written around it.

    transfer_function: its colours, not its opacity; by default viridis over the finite values of
    the slice. component: index, "magnitude", or None for the scalar, or the magnitude of a vector.
    title: above. caption: below, such as cycle and time. label: the colour bar's heading, by
    default the field's name. Where there is no value the background shows.

    Raises ValueError for a field or component that the slice has not.
    """
    if field not in image.values:
        raise ValueError(f"field: '{field}' is not in the slice; it has {', '.join(image.values)}")
    values = _scalars(image.values[field], component)
    if transfer_function is None:
        finite = values[np.isfinite(values)]
        domain = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        transfer_function = TransferFunction.default(domain)
    colors = transfer_function(values[::-1])[..., :3]
    known = np.isfinite(values[::-1])[..., None]
    pixels = (np.where(known, colors, np.array(background)) * 255 + 0.5).astype(np.uint8)
    framed = _with_axes(pixels, image, background, bool(title), bool(caption))
    return annotate(
        framed,
        title=title,
        caption=caption,
        transfer_function=transfer_function,
        label=field if label is None else label,
    )


def _scalars(values: np.ndarray, component: Component) -> np.ndarray:
    if values.ndim == 2:
        values = values[..., None]
    index = component_index(component, values.shape[-1])
    return np.linalg.norm(values, axis=-1) if index < 0 else values[..., index]


def _with_axes(
    pixels: np.ndarray, image: SliceImage, background: Color, title: bool, caption: bool
) -> np.ndarray:
    """The picture on a larger one, with a frame, ticks and the names of its axes."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = pixels.shape[:2]
    size = max(11.0, max(height, width) / 48)
    font = ImageFont.load_default(size)
    left, right, bottom, top = image.extent
    across, up = ticks(left, right), ticks(bottom, top, at_most=max(2, int(height / (3 * size))))
    words = tick_labels(up)
    wide = max(font.getlength(word) for word in words)
    x0, y0 = round(wide + 3.6 * size), round((3.6 if title else 1.6) * size)
    y1 = y0 + height
    canvas = Image.new(
        "RGB",
        (x0 + width + round(10 * size), y1 + round((6.4 if caption else 4) * size)),
        tuple(round(255 * c) for c in background),
    )
    canvas.paste(Image.fromarray(np.ascontiguousarray(pixels)), (x0, y0))
    draw = ImageDraw.Draw(canvas)
    dark = float(np.dot(background, (0.299, 0.587, 0.114))) < 0.5
    ink = tuple(round(255 * c) for c in (WHITE if dark else DARK))
    draw.rectangle([x0 - 1, y0 - 1, x0 + width, y1], outline=ink)
    tick = 0.35 * size
    for value, word in zip(across, tick_labels(across), strict=True):
        x = x0 + (value - left) / (right - left) * width
        draw.line([(x, y1), (x, y1 + tick)], fill=ink)
        draw.text((x, y1 + 2 * tick), word, ink, font, "ma")
    for value, word in zip(up, words, strict=True):
        y = y1 - (value - bottom) / (top - bottom) * height
        draw.line([(x0 - tick, y), (x0 - 1, y)], fill=ink)
        draw.text((x0 - 2 * tick, y), word, ink, font, "rm")
    draw.text((x0 + width / 2, y1 + 2 * size), image.labels[0], ink, font, "ma")
    draw.text((x0 - wide - 1.6 * size, y0 + height / 2), image.labels[1], ink, font, "rm")
    return np.asarray(canvas).copy()
