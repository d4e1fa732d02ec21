"""ParaView's colour maps in JSON, as exported from its colour map editor.

In: the text of a file. Out: control points in Ascent's format, as `TransferFunction` reads them.

Name, ColorSpace, HSVWrap, RGBPoints and Points (opacity) are read. Other entries are ignored: NaN
is always transparent here, and annotations of values are not supported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from insitu.core.errors import nearest
from insitu.render.colors.color_spaces import BLENDS, blended, hsv_wrapped

ENTRIES = 256


def control_points(text: str, name: str | None = None) -> dict[str, list[float]]:
    """Arrays position, r, g, b of 256 entries, and a if the map has opacities; all in 0..1.

    Colours are interpolated in the map's colour space. Positions are rescaled to 0..1, because a
    map is stretched to the range of the data, like a preset in ParaView.

    text: JSON, one map or a list of maps. name: the map to use; required if there are several.
    Raises ValueError that says what is wrong in the text.
    """
    chosen = _chosen(text, name)
    nodes = _points(chosen, "RGBPoints")
    first, last = nodes[0, 0], nodes[-1, 0]
    at = np.linspace(first, last, ENTRIES)
    colors = np.clip(_colors(chosen, nodes, at), 0, 1)
    arrays = {"position": np.linspace(0, 1, ENTRIES)}
    arrays |= dict(zip("rgb", colors.T, strict=True))
    if chosen.get("Points"):
        opacity = _points(chosen, "Points")
        arrays["a"] = np.clip(_opacities(opacity, at), 0, 1)
    return {key: values.tolist() for key, values in arrays.items()}


def _chosen(text: str, name: str | None) -> Mapping[str, Any]:
    """The map with this name in the text; without a name, the only map."""
    try:
        maps = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    maps = maps if isinstance(maps, list) else [maps]
    maps = [one for one in maps if isinstance(one, Mapping) and "RGBPoints" in one]
    names = [str(one.get("Name", "")) for one in maps]
    if not maps:
        raise ValueError("contains no colour map: expected RGBPoints, as ParaView exports them")
    if name is None and len(maps) > 1:
        raise ValueError(f"contains several maps; choose one by name: {', '.join(names)}")
    if name is not None and name not in names:
        hint = nearest(name, names) or f"; there are {', '.join(names)}"
        raise ValueError(f"contains no map {name!r}{hint}")
    return maps[0 if name is None else names.index(name)]


def _points(chosen: Mapping[str, Any], key: str) -> np.ndarray:
    """At least two rows of four numbers, sorted by the first number."""
    try:
        rows = np.array(chosen[key], np.float64).reshape(-1, 4)
    except (TypeError, ValueError):
        raise ValueError(f"{key}: expected numbers, four for each point") from None
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    if len(rows) < 2 or not np.isfinite(rows).all() or rows[0, 0] == rows[-1, 0]:
        raise ValueError(f"{key}: expected at least two points at different values, all finite")
    return rows


def _colors(chosen: Mapping[str, Any], nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Colours (n, 3) at values (n,), interpolated between control points."""
    space = chosen.get("ColorSpace", "Diverging")
    if space not in BLENDS:
        hint = nearest(str(space), BLENDS) or f"; expected one of {', '.join(BLENDS)}"
        raise ValueError(f"ColorSpace: {space!r} is not supported{hint}")
    blend = hsv_wrapped if space == "HSV" and chosen.get("HSVWrap") else BLENDS[space]
    return blended(blend, nodes[:, 0], nodes[:, 1:], at)


def _opacities(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Opacity (n,) at values (n,), constant beyond the ends.

    points: those of a vtkPiecewiseFunction: value, opacity, midpoint, sharpness.
    """
    at = np.clip(at, points[0, 0], points[-1, 0])
    out = np.full(len(at), points[0, 1])
    for (low, first, midpoint, sharpness), (high, second, *_) in pairwise(points.tolist()):
        within = (at >= low) & (at <= high)
        if high > low:
            share = (at[within] - low) / (high - low)
            out[within] = _bent(share, first, second, midpoint, sharpness)
    return out


def _bent(
    share: np.ndarray, first: float, second: float, midpoint: float, sharpness: float
) -> np.ndarray:
    """Interpolate from the first to the second value like VTK.

    The value is half-way at the midpoint (0..1). Sharpness 0 is piecewise linear, 1 is a step, and
    values between give a Hermite curve.
    """
    midpoint = min(max(midpoint, 1e-5), 1 - 1e-5)
    below = 0.5 * share / midpoint
    share = np.where(share < midpoint, below, 0.5 + 0.5 * (share - midpoint) / (1 - midpoint))
    if sharpness < 0.01:
        return first + share * (second - first)
    power = 1 + 10 * sharpness
    folded = 0.5 * (2 * np.minimum(share, 1 - share)) ** power
    s = np.where(share < 0.5, folded, 1 - folded)
    slope = (1 - sharpness) * (second - first)
    curve = (
        (2 * s**3 - 3 * s**2 + 1) * first
        + (3 * s**2 - 2 * s**3) * second
        + (2 * s**3 - 3 * s**2 + s) * slope
    )
    return np.clip(curve, min(first, second), max(first, second))
