"""Transfer functions: the mapping from values to colour and opacity.

In: a `color_table` in Ascent's format (name, reverse, control_points), and the value range.
Out: a TransferFunction: a table of straight RGBA over that range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from insitu.render.color_map import ColorTable

ROWS = 1024


@dataclass(frozen=True)
class TransferFunction:
    """A table of straight (not premultiplied) RGBA, interpolated linearly between its rows.

    domain: (lo, hi), the values of the first and the last row; values outside are clamped.
    table: (n, 4) float32 in 0..1, n >= 2.
    reference: world length over which the medium has the table's opacity; None: a tenth of the
        domain's diagonal, as in Ascent, so that the picture does not depend on the resolution.
    opacity_given: False if the opacity is the default ramp, which a fitted one may replace.
    log: whether the values, and so the domain, are decimal logarithms, for the labels of a bar.
    """

    domain: tuple[float, float]
    table: np.ndarray
    reference: float | None = None
    opacity_given: bool = True
    log: bool = False

    def __post_init__(self) -> None:
        lo, hi = self.domain
        if not (np.isfinite(lo) and np.isfinite(hi) and lo <= hi):
            raise ValueError(f"transfer function: domain {self.domain} is not lo <= hi, finite")
        table = np.array(self.table, dtype=np.float32)
        if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] != 4:
            raise ValueError(f"transfer function: table of shape {table.shape}, expected (n, 4)")
        if not (np.isfinite(table).all() and table.min() >= 0 and table.max() <= 1):
            raise ValueError("transfer function: table entries must be in 0..1")
        if self.reference is not None and not self.reference > 0:
            raise ValueError(
                f"transfer function: reference length {self.reference} is not positive"
            )
        table.setflags(write=False)
        object.__setattr__(self, "domain", (float(lo), float(hi)))
        object.__setattr__(self, "table", table)

    @staticmethod
    def default(domain: tuple[float, float]) -> TransferFunction:
        """A viridis-like table whose opacity rises with the value."""
        return TransferFunction.from_ascent(None, domain)

    @staticmethod
    def from_ascent(
        entries: Mapping[str, Any] | None, domain: tuple[float, float]
    ) -> TransferFunction:
        """A transfer function from a `color_table` entry.

        As in Ascent, rgb points are added to a named table and replace the default table. Without
        alpha points the opacity is a ramp, and `opacity_given` is False. See `ColorTable`.

        Raises ValueError naming the entry, its value and what was expected.
        """
        return TransferFunction.of(ColorTable.from_ascent(entries), domain)

    @staticmethod
    def of(colors: ColorTable, domain: tuple[float, float]) -> TransferFunction:
        """The colour table mapped to `domain`. Without alpha points the opacity is a ramp, and
        `opacity_given` is False. Raises ValueError for an unknown table name."""
        positions, channels = colors.colors()
        rows = np.linspace(0, 1, ROWS)
        rgb = [np.interp(rows, positions, channels[:, i]) for i in range(3)]
        opacity = _ramp(rows)
        if colors.alpha:
            opacity = np.interp(rows, *np.array(colors.alpha).T)
        return TransferFunction(
            domain, np.column_stack((*rgb, opacity)), opacity_given=bool(colors.alpha)
        )

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Fractional row numbers, in 0..n-1, for values of any shape; NaN if not finite."""
        lo, hi = self.domain
        last = len(self.table) - 1
        scale = last / (hi - lo) if hi > lo else 0.0
        values = np.asarray(values, dtype=np.float64)
        return np.clip((np.where(np.isfinite(values), values, np.nan) - lo) * scale, 0, last)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Straight RGBA (..., 4) float32 of values (...); transparent black if not finite."""
        rows = self.rows(values)
        safe = np.where(np.isnan(rows), 0.0, rows)
        grid = np.arange(len(self.table))
        out = np.stack([np.interp(safe, grid, self.table[:, i]) for i in range(4)], axis=-1)
        out[np.isnan(rows)] = 0
        return out.astype(np.float32)

    def for_step(self, step: float, bounds: tuple[Any, Any]) -> np.ndarray:
        """The table (n, 4) float32 with opacities per step: 1 - (1 - a)^(step / reference).

        step: world length; bounds: of the whole domain, which set the default reference length.
        """
        reference = self.reference or float(np.linalg.norm(np.subtract(bounds[1], bounds[0]))) / 10
        table = self.table.astype(np.float64)
        table[:, 3] = 1 - (1 - table[:, 3]) ** (step / reference)
        return table.astype(np.float32)

    def with_opacity_from_histogram(
        self,
        counts: np.ndarray,
        edges: np.ndarray,
        *,
        depth: float = 4.0,
        max_alpha: float = 0.95,
    ) -> TransferFunction:
        """The same colours with an opacity fitted to the histogram of the values.

        The most common value is taken as the background and made transparent. The optical depth
        is divided among the others: a value that fills the fraction f of the volume gets an
        extinction proportional to 1 / f, so that a thin front is as visible as a broad plume, and
        increasing with its distance from the background value.

        counts: (n,) occurrences; edges: (n + 1,) increasing values; both over the whole domain
        and all ranks. depth: total optical depth along a ray with average content.
        max_alpha: upper limit of the opacity per reference length.

        Raises ValueError if the lengths of counts and edges do not match.
        """
        counts, edges = np.asarray(counts, dtype=np.float64), np.asarray(edges, dtype=np.float64)
        if counts.ndim != 1 or edges.shape != (counts.size + 1,) or counts.size < 1:
            raise ValueError(
                f"histogram: {counts.shape} counts, {edges.shape} edges; need n, n + 1"
            )
        if not counts.sum() > 0:
            return self
        share = counts / counts.sum()
        occupied = share > 0
        if occupied.sum() < 2:
            return self
        centers = (edges[1:] + edges[:-1]) / 2
        distance = np.abs(centers - centers[np.argmax(share)])
        distance /= distance[occupied].max()
        # Smoothed, because opacity jumps between bins make sampling artefacts (wood grain) visible.
        smooth = _smoothed(share)
        extinction = depth * distance / np.maximum(smooth, 1e-6)
        extinction *= (1 - share / share.max()) / (counts.size * 10)  # diagonal: 10 references
        alpha = _smoothed(np.minimum(1 - np.exp(-extinction), max_alpha))
        alpha[np.argmax(share)] = 0.0
        values = np.linspace(*self.domain, len(self.table))
        table = np.array(self.table)
        table[:, 3] = np.interp(values, centers, alpha)
        return replace(self, table=table, opacity_given=True)


def _ramp(rows: np.ndarray) -> np.ndarray:
    """The default opacity: rises smoothly from transparent at the bottom to dense at the top."""
    return 0.9 * rows**2


def _smoothed(values: np.ndarray) -> np.ndarray:
    """A running mean with weights 1 2 3 2 1; the end values are repeated."""
    return np.convolve(np.pad(values, 2, mode="edge"), np.array([1, 2, 3, 2, 1]) / 9, mode="valid")
