"""Quality and cost of a compressed block.

In: errors measured by decoding the block and comparing it with the raw data. Out: metrics.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from insitu.core.scaled import ScaledSum
from insitu.metrics import joint_psnr_db


@dataclass(frozen=True)
class FieldMetrics:
    """Measured over the owned, finite samples of one block, or summed over all blocks."""

    sum_of_squares: tuple[float, ...]
    """Squared error per component, in the field's units squared, summed over finite samples; in
    units of 4**exponent, if there are `exponents`."""
    n_finite: tuple[int, ...]
    """Number of finite samples per component."""
    max_error: float
    """Largest absolute error, in the field's units."""
    nan_count: int
    inf_count: int
    raw_nbytes: int
    """Bytes of the owned raw samples."""
    iterations: int = 0
    """Training steps; for several blocks, the maximum."""
    seconds: float = 0.0
    """Wall-clock seconds of training and measuring; for several blocks, the maximum."""
    warm: bool = False
    """Whether training started from the weights of an earlier step."""
    exponents: tuple[int, ...] = ()
    """Per component, where squared errors cannot be represented otherwise (`core.scaled`)."""

    def psnr_db(self, extents: Iterable[float]) -> float:
        """PSNR in dB relative to the global range (max - min) of each component."""
        return joint_psnr_db(self.sum_of_squares, self.n_finite, extents, self.exponents or None)

    @property
    def _squares(self) -> tuple[ScaledSum, ...]:
        powers = self.exponents or (0,) * len(self.sum_of_squares)
        return tuple(map(ScaledSum, self.sum_of_squares, powers))

    def to_dict(self) -> dict[str, Any]:
        names = _NAMES if self.exponents else _NAMES[:-1]
        return {name: getattr(self, name) for name in names}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> FieldMetrics:
        data = dict(data)
        for key in ("sum_of_squares", "n_finite", "exponents"):
            data[key] = tuple(data.get(key, ()))
        return FieldMetrics(**data)

    @staticmethod
    def total(parts: Iterable[FieldMetrics]) -> FieldMetrics:
        """Combined metrics of several blocks. At least one part."""
        parts = list(parts)
        of_component = zip(*(p._squares for p in parts), strict=True)
        squares = [functools.reduce(operator.add, sums) for sums in of_component]
        exponents = tuple(each.exponent for each in squares)
        return FieldMetrics(
            sum_of_squares=tuple(each.value for each in squares),
            exponents=exponents if any(exponents) else (),
            n_finite=tuple(map(sum, zip(*(p.n_finite for p in parts), strict=True))),
            max_error=max(p.max_error for p in parts),
            nan_count=sum(p.nan_count for p in parts),
            inf_count=sum(p.inf_count for p in parts),
            raw_nbytes=sum(p.raw_nbytes for p in parts),
            iterations=max(p.iterations for p in parts),
            seconds=max(p.seconds for p in parts),
            warm=any(p.warm for p in parts),
        )


_NAMES = tuple(field.name for field in fields(FieldMetrics))  # `exponents` last
