"""The colours and opacities of a plot: a named table and control points.

In: Ascent's `color_table`. Out: a ColorTable, plain data from which a TransferFunction is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from insitu.core.validation import check_keys, number, vector
from insitu.render.colors.color_spaces import BLENDS, blended
from insitu.render.colors.color_tables import DEFAULT, color_table

_KEYS = ("name", "reverse", "control_points")
_POINT_KEYS = {"rgb": ("type", "position", "color"), "alpha": ("type", "position", "alpha")}
_ARRAY_KEYS = ("position", "r", "g", "b", "a")
_TRUE = (True, "true", "True", 1)
_FALSE = (False, "false", "False", 0)
_BLENDED = 257
"""Positions at which a table in another colour space is blended, besides its own: linear between
them, channels are off by less than 1/255."""

RgbPoint = tuple[float, float, float, float]  # position, red, green, blue, all in 0..1
AlphaPoint = tuple[float, float]  # position, opacity, both in 0..1


@dataclass(frozen=True)
class ColorTable:
    """Colours and opacities over positions 0..1, linear between control points."""

    name: str | None = None
    """Name of a table, not case-sensitive; None: `rgb`, or if empty, `color_tables.DEFAULT`."""
    reverse: bool = False
    """Reverses the colours, but not the opacities."""
    rgb: tuple[RgbPoint, ...] = ()
    """Colour points added to those of the named table, sorted by position."""
    alpha: tuple[AlphaPoint, ...] = ()
    """Opacity points, sorted by position; if empty, the renderer chooses the opacity."""
    discrete: bool = False
    """The colours in steps of equal width, without blending."""

    @staticmethod
    def from_ascent(entries: Mapping[str, Any] | None) -> ColorTable:
        """The `color_table` entry of a plot.

        name: a colour table, not case-sensitive. reverse: true reverses the colours but not the
        opacities. control_points: as for the function `control_points`.

        Raises ValueError with the entry, the value found and the value expected.
        """
        entries = {} if entries is None else entries
        check_keys(entries, _KEYS, "color_table")
        rgb, alpha = control_points(entries.get("control_points", ()), "color_table/control_points")
        name = entries.get("name")
        color_table(DEFAULT if name is None else name)
        return ColorTable(name, is_true(entries.get("reverse", False)), rgb, alpha)

    def colors(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions (n,), not decreasing, and colours (n, 3), linear in between: a table that is
        blended in another colour space has more than its own. ValueError for an unknown name."""
        positions, colors, blend = color_table(DEFAULT if self.name is None else self.name)
        if self.rgb:
            rgb = np.array(self.rgb)
            named = np.column_stack((positions, colors)) if self.name is not None else rgb[:0]
            kept = named[~np.isin(named[:, 0], rgb[:, 0])]
            rgb = np.concatenate((kept, rgb))
            rgb = rgb[np.argsort(rgb[:, 0], kind="stable")]
            positions, colors = rgb[:, 0], rgb[:, 1:]
            blend = blend if self.name is not None else "RGB"
        if self.reverse:
            positions, colors = 1 - positions[::-1], colors[::-1]
        if self.discrete:
            positions = np.linspace(0, 1, len(colors) + 1).repeat(2)[1:-1]
            colors = colors.repeat(2, axis=0)
        elif blend != "RGB":
            at = np.unique(np.concatenate((np.linspace(0, 1, _BLENDED), positions)))
            positions, colors = at, blended(BLENDS[blend], positions, colors, at)
        return positions, colors


DEFAULT_TABLE = ColorTable()


def is_true(value: Any) -> bool:
    """Ascent's flag `reverse`. Raises ValueError, "color_table/reverse: ...", for other values."""
    if value not in _TRUE + _FALSE:
        raise ValueError(f"color_table/reverse: {value!r} is not true or false")
    return value in _TRUE


def control_points(
    points: Any, where: str = ""
) -> tuple[tuple[RgbPoint, ...], tuple[AlphaPoint, ...]]:
    """Ascent's control points, separately for colours and opacities, sorted by position.

    points: a list of {type: rgb, position, color: [r, g, b]} and {type: alpha, position, alpha},
    positions and alpha in 0..1, colours in 0..1 (or in 0..255, if any channel of any point exceeds
    1); or {position: [...], r: [...], g: [...], b: [...]} with an optional a.

    Raises ValueError, "where: text".
    """
    rgb: list[RgbPoint] = []
    alpha: list[AlphaPoint] = []
    if isinstance(points, Mapping):
        points = _points_of_arrays(points, where)
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise ValueError(f"{where}: expected a list, got {points!r}")
    for i, point in enumerate(points):
        here = f"{where}[{i}]"
        kind = point.get("type") if isinstance(point, Mapping) else None
        if not isinstance(kind, str) or kind not in _POINT_KEYS:
            raise ValueError(f"{here}: expected type: rgb or type: alpha, got {point!r}")
        check_keys(point, _POINT_KEYS[kind], here)
        for word in _POINT_KEYS[kind]:
            if word not in point:
                raise ValueError(f"{here}: an {kind} point needs '{word}', got {dict(point)}")
        position = number(point["position"], f"{here}/position", 0, 1)
        if kind == "rgb":
            color = vector(point["color"], f"{here}/color")
            if min(color) < 0 or max(color) > 255:
                raise ValueError(f"{here}/color: {list(color)} is not in 0..1 (or 0..255)")
            rgb.append((position, *color))
        else:
            alpha.append((position, number(point["alpha"], f"{here}/alpha", 0, 1)))
    if any(max(channels) > 1 for _, *channels in rgb):
        rgb = [(position, r / 255, g / 255, b / 255) for position, r, g, b in rgb]
    return tuple(sorted(rgb, key=_position)), tuple(sorted(alpha, key=_position))


def _position(point: RgbPoint | AlphaPoint) -> float:
    return point[0]


def _points_of_arrays(arrays: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Convert Ascent's other form, one array per channel, to a list of points."""
    check_keys(arrays, _ARRAY_KEYS, where)
    missing = [word for word in _ARRAY_KEYS[:4] if word not in arrays]
    if missing:
        raise ValueError(f"{where}: '{missing[0]}' is missing")
    columns = {word: list(values) for word, values in arrays.items()}
    if len({len(values) for values in columns.values()}) != 1:
        raise ValueError(f"{where}: position, r, g, b must have equal lengths")
    points: list[dict[str, Any]] = [
        {"type": "rgb", "position": p, "color": [r, g, b]}
        for p, r, g, b in zip(*(columns[w] for w in _ARRAY_KEYS[:4]), strict=True)
    ]
    pairs = zip(columns["position"], columns.get("a", ()), strict=False)
    return points + [{"type": "alpha", "position": p, "alpha": a} for p, a in pairs]
