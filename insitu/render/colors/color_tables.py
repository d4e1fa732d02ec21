"""The colour tables that Ascent has, by name.

In: a name, not case-sensitive. Out: its control points: positions in 0..1 and RGB in 0..1.
Each table has a few points, chosen to look like the original, with linear interpolation; those of
ColorBrewer are in color_brewer.py.
"""

from __future__ import annotations

import numpy as np

from insitu.core.errors import nearest
from insitu.render.colors.color_brewer import COLOR_BREWER

DEFAULT = "Viridis"


def color_table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions (n,) and colours (n, 3) of a table. ValueError suggests a name if it is unknown."""
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
    positions, colors = COLOR_TABLES[known]
    if positions is None:
        positions = tuple(np.linspace(0, 1, len(colors)))
    return np.array(positions), np.array([_rgb(c) for c in colors])


def _rgb(color: str) -> tuple[float, float, float]:
    """RGB in 0..1 from six hexadecimal digits."""
    r, g, b = (int(color[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return r, g, b


# name: (positions, or None if evenly spaced; colours)
COLOR_TABLES: dict[str, tuple[tuple[float, ...] | None, tuple[str, ...]]] = {
    "Viridis": (
        None,
        ("440154", "482878", "3e4a89", "31688e", "26838f", "1f9d8a", "6cce5a", "b6de2b", "fee825"),
    ),
    "Inferno": (
        None,
        ("000004", "1f0c48", "550f6d", "88226a", "ba3655", "e35933", "f98c0a", "f9c932", "fcffa4"),
    ),
    "Plasma": (
        None,
        ("0d0887", "47039f", "7301a8", "9c179e", "bd3786", "d8576b", "ed7953", "fdb32f", "f0f921"),
    ),
    "Magma": (
        None,
        ("000004", "1c1044", "4f127b", "812581", "b5367a", "e55064", "fb8761", "fec287", "fcfdbf"),
    ),
    "Cool to Warm": (
        None,
        ("3b4cc0", "6282ea", "8db0fe", "b8d0f9", "dddddd", "f5c4ad", "f4987a", "de604d", "b40426"),
    ),
    "Cool to Warm Extended": (
        None,
        ("000059", "245586", "3b8ab2", "7fb9c9", "dfe9e6", "e6b48f", "cc6d52", "9c2030", "59000d"),
    ),
    "Cold and Hot": (
        (0.0, 0.45, 0.5, 0.55, 1.0),
        ("00ffff", "0000ff", "000080", "ff0000", "ffff00"),
    ),
    "Black-Body Radiation": ((0.0, 0.4, 0.8, 1.0), ("000000", "e60000", "e6e600", "ffffff")),
    "X Ray": ((0.0, 1.0), ("ffffff", "000000")),
    "Gray": ((0.0, 1.0), ("000000", "ffffff")),
    "Green": (None, ("0e1c1e", "1c4a2e", "3b7d33", "87b24a", "d9e39b")),
    "Black - Blue - White": ((0.0, 0.33, 0.67, 1.0), ("000000", "0000a8", "4f9cff", "ffffff")),
    "Blue to Orange": (
        None,
        ("0b3a82", "3f7bc0", "93bcdc", "ece9df", "e5b071", "bf6c1b", "7a3404"),
    ),
    "Gray to Red": (None, ("1a1a1a", "6d6d6d", "bababa", "fefefe", "f6b596", "cd4f45", "67001f")),
    "Blue - Green - Orange": (
        None,
        ("1b2a6b", "2f6fa8", "4fae9c", "a3cf7f", "e8d27a", "dd8a3b", "8f3b12"),
    ),
    "Yellow - Gray - Blue": (None, ("e3c74b", "b5a878", "8b8b8b", "5a73a3", "1d4fae")),
    "Rainbow Uniform": (
        None,
        ("3a4cc0", "2f87d6", "2fb4a5", "5fc04d", "c3c12f", "e88a2b", "d83a34"),
    ),
    "Rainbow Desaturated": (
        (0.0, 0.143, 0.285, 0.429, 0.571, 0.714, 0.857, 1.0),
        ("4747db", "00005c", "00ffff", "008000", "ffff00", "ff6100", "6b0000", "e04d4d"),
    ),
    "Jet": (
        (0.0, 0.125, 0.375, 0.625, 0.875, 1.0),
        ("000080", "0000ff", "00ffff", "ffff00", "ff0000", "800000"),
    ),
    "Rainbow": (None, ("0000ff", "00ffff", "00ff00", "ffff00", "ff0000")),
    "Samsel Fire": (None, ("000000", "30050d", "760a0a", "b8330e", "e8761c", "f8bf57", "ffffe0")),
    "Linear YGB": (None, ("fff5b8", "d3df8f", "8fc486", "45a18f", "1f7490", "1b4577", "101e45")),
    "Linear Green": (None, ("0e1c1e", "1c4a2e", "3b7d33", "87b24a", "d9e39b", "fbfbe0")),
    "CubicL": (
        None,
        ("780085", "7b3cc0", "5a7fe0", "44b3b4", "60cd6b", "a6da4a", "efc25c", "f96965"),
    ),
    "CubicYF": (None, ("7b0290", "6a4dd3", "4a8be0", "40b8b0", "5cd070", "98e24e", "ccec5a")),
    "LinearL": (
        None,
        ("040404", "3b0a5c", "31389c", "197087", "2b9b52", "7fba3b", "d9d587", "f9f9f9"),
    ),
    "LinLhot": (None, ("060303", "4b0d05", "8f1a04", "c23c00", "da7a00", "e2b81d", "f8f6c4")),
    "IsoL": (None, ("e839e5", "8a76f0", "2f9fc9", "30ac70", "6fa92d", "b8932a", "ef6a4a")),
    "dense": (None, ("e6f1f1", "a4cfe2", "759fe0", "7669d0", "753597", "58145a", "360e24")),
    "thermal": (None, ("042333", "13357e", "6a4d96", "a65c85", "e07461", "fbb53c", "e8fa5b")),
    "blue": (None, ("08142e", "123a75", "2c6cb8", "6ea4dc", "b7d3f0", "eef5fd")),
    "orange": (None, ("2b1003", "7a3205", "c05a0b", "ec8a2e", "fac182", "fff2e2")),
    **{name: (None, tuple(colors.split())) for name, colors in COLOR_BREWER.items()},
}

ALIASES = {
    "Default": DEFAULT,
    "Cool to Warm (Extended)": "Cool to Warm Extended",
    "Black, Blue and White": "Black - Blue - White",
    "cool2warm": "Cool to Warm",
    "ColdAndHot": "Cold and Hot",
    "HotAndCold": "Cold and Hot",
    "grey": "Gray",
}
"""Other names of these tables in Ascent and its Devil Ray."""

ELSEWHERE = {
    **dict.fromkeys(("3w", "4w", "5w", "3-w", "4-w", "5-w"), "file: a colour map from ParaView"),
    "gr-insert": "Gray, with control_points in the part that is to stand out",
    "rambo": "Rainbow",
    "levels": "Set3, with discrete: true",
    "temperature": "thermal or Cool to Warm",
}
"""By how their names begin: tables of Devil Ray that there are not, and what to use instead."""
