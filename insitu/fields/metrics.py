"""Quality and cost of a compressed block.

In: errors measured by decoding the block and comparing it with the raw data. Out: metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from insitu.metrics import joint_psnr_db


@dataclass(frozen=True)
class FieldMetrics:
    """Measured over the owned, finite samples of one block, or summed over all blocks."""

    sum_of_squares: tuple[float, ...]
    """Squared error per component, in the field's units squared, summed over finite samples."""
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

    def psnr_db(self, extents: Iterable[float]) -> float:
        """PSNR in dB relative to the global range (max - min) of each component."""
        return joint_psnr_db(self.sum_of_squares, self.n_finite, extents)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> FieldMetrics:
        data = dict(data)
        for key in ("sum_of_squares", "n_finite"):
            data[key] = tuple(data[key])
        return FieldMetrics(**data)

    @staticmethod
    def total(parts: Iterable[FieldMetrics]) -> FieldMetrics:
        """Combined metrics of several blocks. At least one part."""
        parts = list(parts)
        return FieldMetrics(
            sum_of_squares=tuple(map(sum, zip(*(p.sum_of_squares for p in parts), strict=True))),
            n_finite=tuple(map(sum, zip(*(p.n_finite for p in parts), strict=True))),
            max_error=max(p.max_error for p in parts),
            nan_count=sum(p.nan_count for p in parts),
            inf_count=sum(p.inf_count for p in parts),
            raw_nbytes=sum(p.raw_nbytes for p in parts),
            iterations=max(p.iterations for p in parts),
            seconds=max(p.seconds for p in parts),
            warm=any(p.warm for p in parts),
        )
