"""Interpolation between two colours in ParaView's colour spaces.

In: two sRGB colours in 0..1 and interpolation weights. Out: sRGB in 0..1.
Conversions are those of CIE 15 for D65 and IEC 61966-2-1 (sRGB); the diverging blend is that of
K. Moreland, Diverging Color Maps for Scientific Visualization, ISVC 2009, section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

# From linear sRGB to XYZ, and its inverse.
_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
)
_RGB = np.linalg.inv(_XYZ)
_WHITE = np.array([0.9505, 1.0, 1.089])  # D65
_CUT = (6 / 29) ** 3

_Blend = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def rgb(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Linear in sRGB. For all blends: colours (3,), weights `share` (n,) in 0..1 -> (n, 3)."""
    return first + share[:, None] * (second - first)


def step(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The second colour everywhere, as in ParaView."""
    return np.where(share[:, None] > 0, second, first)


def hsv(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Linear in hue, saturation and value; the hue does not wrap around at 0."""
    return _from_hsv(rgb(_to_hsv(first), _to_hsv(second), share))


def hsv_wrapped(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Like `hsv`, with the hue along the shorter arc."""
    a, b = _to_hsv(first), _to_hsv(second)
    if b[0] - a[0] > 0.5:
        a[0] += 1
    elif a[0] - b[0] > 0.5:
        b[0] += 1
    return _from_hsv(rgb(a, b, share))


def lab(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Linear in CIE L*a*b*."""
    return _from_lab(rgb(_to_lab(first), _to_lab(second), share))


def diverging(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Linear in Msh, the polar form of L*a*b*; between two distinct hues, through white."""
    a, b = _to_msh(_to_lab(first)), _to_msh(_to_lab(second))
    turn = abs(a[2] - b[2])
    turn = min(turn, 2 * np.pi - turn)
    if a[1] > 0.05 and b[1] > 0.05 and turn > np.pi / 3:
        white = np.array([max(a[0], b[0], 88.0), 0.0, 0.0])
        ends = (_half(a, white, 2 * share), _half(white, b, 2 * share - 1))
        mixed = np.where(share[:, None] < 0.5, *ends)
    else:
        mixed = _half(a, b, share)
    return _from_lab(_from_msh(mixed))


BLENDS: dict[str, _Blend] = {
    "RGB": rgb,
    "HSV": hsv,
    "Lab": lab,
    "Diverging": diverging,
    "Step": step,
}
"""ParaView's name of each blend."""


def blended(blend: _Blend, positions: np.ndarray, colors: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Colours (n, 3) at `at` (n,), between control points: positions (m,), not decreasing, and
    colours (m, 3). `at` lies within the positions."""
    found = np.repeat(colors[:1], len(at), axis=0)
    for (low, high), first, second in zip(
        pairwise(positions.tolist()), colors[:-1], colors[1:], strict=True
    ):
        within = (at >= low) & (at <= high)
        if high > low:
            found[within] = blend(first, second, (at[within] - low) / (high - low))
    return found


def _half(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate two Msh colours; a grey one takes a hue that suits the other."""
    a, b = a.copy(), b.copy()
    if a[1] < 0.05 < b[1]:
        a[2] = _spun(b, a[0])
    elif b[1] < 0.05 < a[1]:
        b[2] = _spun(a, b[0])
    return rgb(a, b, share)


def _spun(msh: np.ndarray, grey: float) -> float:
    """The hue to use for a grey of magnitude `grey` next to a saturated colour."""
    magnitude, saturation, hue = (float(v) for v in msh)
    if magnitude >= grey - 0.1:
        return hue
    spin = saturation * np.sqrt(grey**2 - magnitude**2) / (magnitude * np.sin(saturation))
    return float(hue + spin if hue > -np.pi / 3 else hue - spin)


def _to_lab(color: np.ndarray) -> np.ndarray:
    linear = np.where(color > 0.04045, ((color + 0.055) / 1.055) ** 2.4, color / 12.92)
    ratio = _XYZ @ linear / _WHITE
    f = np.where(ratio > _CUT, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _from_lab(colors: np.ndarray) -> np.ndarray:
    y = (colors[:, 0] + 16) / 116
    f = np.column_stack((y + colors[:, 1] / 500, y, y - colors[:, 2] / 200))
    ratio = np.where(f > 6 / 29, f**3, (f - 16 / 116) * 3 * (6 / 29) ** 2)
    linear = np.clip((ratio * _WHITE) @ _RGB.T, 0, None)
    coded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    # As in VTK: colours out of gamut are scaled down, which keeps their hue.
    return np.asarray(coded / np.maximum(coded.max(axis=1, keepdims=True), 1))


def _to_msh(lab_color: np.ndarray) -> np.ndarray:
    magnitude = float(np.linalg.norm(lab_color))
    saturation = np.arccos(lab_color[0] / magnitude) if magnitude > 0.001 else 0.0
    hue = np.arctan2(lab_color[2], lab_color[1]) if saturation > 0.001 else 0.0
    return np.array([magnitude, saturation, hue])


def _from_msh(colors: np.ndarray) -> np.ndarray:
    magnitude, saturation, hue = colors.T
    flat = magnitude * np.sin(saturation)
    return np.column_stack((magnitude * np.cos(saturation), flat * np.cos(hue), flat * np.sin(hue)))


def _to_hsv(color: np.ndarray) -> np.ndarray:
    import colorsys

    return np.array(colorsys.rgb_to_hsv(*color.tolist()))


def _from_hsv(colors: np.ndarray) -> np.ndarray:
    hue, saturation, value = colors.T
    sector = (np.array([5, 3, 1])[None, :] + 6 * hue[:, None]) % 6
    dip = np.clip(np.minimum(sector, 4 - sector), 0, 1)
    return np.asarray(value[:, None] * (1 - saturation[:, None] * dip))
