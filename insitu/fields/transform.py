"""Maps of a block's values before training, which are inverted wherever the field is read.

In: the kind of map, a block's samples. Out: a `Transform`: values to what a model learns, and back,
with the derivative of the way back. Its entry in frame headers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from insitu.codecs.frame import FrameError
from insitu.core.arrays import Floats
from insitu.fields import header as head

KINDS = ("negate", "zero_mean", "standardise", "power", "asinh")

# `power` has no derivative at 0, on one side or the other: nearer, that of this place is taken.
_NEAREST = 1e-4


@dataclass(frozen=True)
class Transform:
    """u = f((v - shift) / scale) * unit, each component of a block by itself; all arrays are
    (n_components,).

    f(w) is w, but sign(w) |w|^exponent for `power`, and arsinh(w) for `asinh`. Values far from 1
    are scaled first, so u has a range of about 1, except for `standardise`: a deviation of 1.
    """

    kind: str
    shift: Floats
    scale: Floats
    unit: Floats
    exponent: float = 1.0

    @staticmethod
    def of(kind: str, components: Sequence[Floats], exponent: float = 1.0) -> Transform:
        """The map for a block, from its finite owned samples, each component (nz, ny, nx) with more
        than one value, or a constant one, which is mapped to 0.

        `negate`: -v over its range. `zero_mean`: v less its mean, over its range. `standardise`:
        over its standard deviation instead. `power`: of (v - min) over its range. `asinh`: of v
        less its mean, over its mean absolute deviation: linear near the mean, logarithmic far away.
        """
        figures = [_figures(kind, values[np.isfinite(values)]) for values in components]
        shift, scale, unit = (np.array(column, np.float64) for column in zip(*figures, strict=True))
        return Transform(kind, shift, scale, unit, exponent if kind == "power" else 1.0)

    def __call__(self, values: Floats) -> Floats:
        """(..., n_components) -> the same shape, float64."""
        w = (np.asarray(values, np.float64) - self.shift) / self.scale
        if self.kind == "power":
            w = np.copysign(np.abs(w) ** self.exponent, w)
        elif self.kind == "asinh":
            w = np.arcsinh(w)
        return np.asarray(w * self.unit)

    def inverse(self, mapped: Floats) -> Floats:
        """(..., n_components) -> field units, float64."""
        w = np.asarray(mapped, np.float64) / self.unit
        if self.kind == "power":
            w = np.copysign(np.abs(w) ** (1 / self.exponent), w)
        elif self.kind == "asinh":
            w = np.sinh(w)
        return np.asarray(self.shift + self.scale * w)

    def slope(self, mapped: Floats) -> Floats:
        """Derivative of `inverse`, (..., n_components), float64."""
        w = np.asarray(mapped, np.float64) / self.unit
        slope = np.ones_like(w)
        if self.kind == "power":
            slope = np.maximum(np.abs(w), _NEAREST) ** (1 / self.exponent - 1) / self.exponent
        elif self.kind == "asinh":
            slope = np.cosh(w)
        return np.asarray(self.scale / self.unit * slope)

    def in_units(self, factor: Floats) -> Transform:
        """The map of the values times `factor` (n_components,)."""
        return Transform(
            self.kind, self.shift * factor, self.scale * factor, self.unit, self.exponent
        )

    def to_header(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "shift": self.shift.tolist(),
            "scale": self.scale.tolist(),
            "unit": self.unit.tolist(),
            "exponent": self.exponent,
        }

    @staticmethod
    def from_header(value: Any, n_components: int) -> Transform | None:
        """The inverse of `to_header`; None for no entry. Raises FrameError."""
        if value is None:
            return None
        entry = head.mapping("transform", value, Transform.__dataclass_fields__)
        arrays = {}
        for key in ("shift", "scale", "unit"):
            name = f"transform: {key}"
            entries = head.sequence(name, entry[key], n_components)
            arrays[key] = np.array([head.real(name, one) for one in entries])
            nothing = key != "shift" and not arrays[key].all()
            if nothing or not np.isfinite(arrays[key]).all():
                raise FrameError(f"{name}: expected finite numbers, and other than 0 to divide by")
        exponent = head.real("transform: exponent", entry["exponent"])
        if not 0.01 <= exponent <= 100:
            raise FrameError("transform: exponent: expected a number in 0.01..100")
        kind = head.word("transform: kind", entry["kind"], KINDS)
        return Transform(kind, exponent=exponent, **arrays)


def _figures(kind: str, values: Floats) -> tuple[float, float, float]:
    """Shift, scale and unit for finite values (n,)."""
    if not values.size or values.min() == values.max():
        return (float(values[0]) if values.size else 0.0), 1.0, 1.0
    wide = values.astype(np.float64)
    low, extent, mean = wide.min(), np.ptp(wide), wide.mean()
    if kind == "negate":
        return 0.0, -float(extent), 1.0
    if kind == "power":
        return float(low), float(extent), 1.0
    if kind == "standardise":
        return float(mean), float(wide.std()), 1.0
    if kind == "asinh":
        scale = np.abs(wide - mean).mean()
        return float(mean), float(scale), float(1 / np.ptp(np.arcsinh((wide - mean) / scale)))
    return float(mean), float(extent), 1.0
