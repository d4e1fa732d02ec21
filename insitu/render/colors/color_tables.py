"""The colour tables that Ascent has, by name.

In: a name, not case-sensitive. Out: its control points, positions in 0..1 and RGB in 0..1, and how
colours between them are blended. All are those of a source that color_presets.py,
color_brewer.py and devil_ray.py name; the two of Ascent that have none are refused with what is
nearest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.errors import nearest
from insitu.render.colors.color_brewer import COLOR_BREWER
from insitu.render.colors.color_presets import DEVIL_RAY, MATPLOTLIB, PARAVIEW
from insitu.render.colors.devil_ray import DEVIL_RAY_TABLES

DEFAULT = "Viridis"

COLOR_TABLES: dict[str, tuple[str, str]] = {
    **MATPLOTLIB,
    **PARAVIEW,
    **DEVIL_RAY,
    **{name: ("RGB", colors) for name, colors in (COLOR_BREWER | DEVIL_RAY_TABLES).items()},
}
"""By name: the colour space of the blend and the control points, as in color_presets.py."""

ALIASES = {
    "Default": DEFAULT,
    "Cool to Warm (Extended)": "Cool to Warm Extended",
    "Black, Blue and White": "Black - Blue - White",
    "Linear Green": "Green",
    "HotAndCold": "Cold and Hot",
    "grey": "Gray",
}
"""Other names of these tables in Ascent, its Devil Ray and ParaView. VTK-m's default is Viridis."""

ELSEWHERE = {
    "samsel fire": "Inferno",
    "linear ygb": "YlGnBu, with reverse: true",
}
"""By how their names begin: tables of Ascent that there are not, and what to use instead."""


class Table(NamedTuple):
    """The control points of a colour table."""

    positions: Floats
    """(n,), increasing from 0 to 1."""
    colors: Floats
    """(n, 3), sRGB in 0..1."""
    blend: str
    """A colour space of `color_spaces.BLENDS`."""


def color_table(name: str) -> Table:
    """A table. ValueError suggests a name if it is unknown."""
    by_lower = {known.lower(): known for known in COLOR_TABLES}
    by_lower |= {other.lower(): known for other, known in ALIASES.items()}
    asked = str(name).strip().lower()
    known = by_lower.get(asked)
    if known is None:
        others = next((use for begin, use in ELSEWHERE.items() if asked.startswith(begin)), None)
        if others is not None:
            raise ValueError(f"color_table/name: insitu has no table '{name}'; use {others}")
        hint = nearest(name, COLOR_TABLES) or f"; expected one of {', '.join(COLOR_TABLES)}"
        raise ValueError(f"color_table/name: '{name}' is unknown{hint}")
    blend, text = COLOR_TABLES[known]
    points = [point.rpartition(":") for point in text.split()]
    positions = np.linspace(0, 1, len(points))
    if points[0][1]:
        positions = np.array([float(position) for position, _, _ in points])
    return Table(positions, np.array([_rgb(color) for _, _, color in points]), blend)


def _rgb(color: str) -> tuple[float, float, float]:
    """RGB in 0..1 from six hexadecimal digits."""
    r, g, b = (int(color[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return r, g, b
