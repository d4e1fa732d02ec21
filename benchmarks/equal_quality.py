"""What a compressor needs for a given PSNR: its tolerance, bisected.

In: a compressor, a volume, targets in dB. Out: bytes, PSNR and CPU seconds at the tolerance found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import process_time

import numpy as np
from compressors import Compressor, NoResult

from insitu.metrics import psnr

CLOSE_DB = 0.05
"""So far above the target a result is taken as it is."""
STEP_DB = 0.3
"""Beyond the target, where nothing is known of the other side of it."""
CLOSE_TOLERANCES = 1.01
"""Factor between tolerances on either side of the target, from which nothing more is expected."""
COARSEST = 256
"""Tolerances go up to so many ranges of the values: ZFP stays far below what it is given."""
TRIALS, EXPENSIVE_TRIALS = 12, 3
"""Per target, native and in WebAssembly."""
SCAN = tuple(2 ** (-i / 2) for i in range(26))
"""Tolerances, in ranges of the values, that native compressors try first: the way from a tolerance
to dB need not be monotonous, and SZ3's is not where few bytes remain."""


@dataclass(frozen=True)
class Outcome:
    """One compression of one volume; seconds are CPU time of one core."""

    nbytes: int
    psnr: float
    encode_seconds: float
    decode_seconds: float
    setting: float | None
    """The tolerance; log2 of the table for networks."""


class Tolerances:
    """A compressor on one volume: every trial serves all targets."""

    def __init__(self, compressor: Compressor, values: np.ndarray) -> None:
        self.compressor, self.values = compressor, values
        self._range = float(np.ptp(values))
        self.trials: list[Outcome] = []

    def reach(self, target: float) -> Outcome | None:
        """The smallest of the results that reach `target` dB, once tolerances on either side are
        next to each other; None where no tolerance reaches it. NoResult where the compressor gives
        up before that."""
        if self.compressor.native and not self.trials:
            for part in SCAN:
                self._try(part * self._range)
        for _ in range(TRIALS if self.compressor.native else EXPENSIVE_TRIALS):
            tolerance = self._next(target)
            if tolerance is None:
                break
            try:
                self._try(tolerance)
            except NoResult:
                if not self._enough(target):
                    raise
                break
        return min(self._enough(target), key=lambda trial: trial.nbytes, default=None)

    def within(self, nbytes: int) -> Outcome | None:
        """The best of the results of at most so many bytes, once tolerances on either side are next
        to each other; None where no tolerance of the scan has so few. NoResult as `reach`."""
        for part in SCAN if not self.trials else ():
            self._try(part * self._range)
        for _ in range(TRIALS):
            small = [t.setting for t in self.trials if t.nbytes <= nbytes]
            finest = min(small, default=math.inf)
            large = [t.setting for t in self.trials if t.nbytes > nbytes and t.setting < finest]
            if not small or not large or finest <= CLOSE_TOLERANCES * max(large):
                break
            self._try(math.sqrt(finest * max(large)))
        few = [trial for trial in self.trials if trial.nbytes <= nbytes]
        return max(few, key=lambda trial: trial.psnr, default=None)

    def _enough(self, target: float) -> list[Outcome]:
        return [trial for trial in self.trials if trial.psnr >= target]

    def _next(self, target: float) -> float | None:
        """The tolerance to try; None: there is none."""
        if not self.trials:
            return self._range * 10 ** (-target / 20)
        above = self._enough(target)
        if not above:
            best = max(self.trials, key=lambda t: t.psnr)
            finest = min(t.setting for t in self.trials)
            return finest * 10 ** (-(target - best.psnr + STEP_DB) / 20)
        nearest = min(above, key=lambda t: (t.psnr, -t.setting))
        if nearest.psnr <= target + CLOSE_DB:
            return None
        coarser = [t for t in self.trials if t.psnr < target and t.setting > nearest.setting]
        if not coarser:
            coarsest = max(t.setting for t in self.trials)
            if coarsest >= COARSEST * self._range:
                return None
            farther = coarsest * 10 ** ((nearest.psnr - target + STEP_DB) / 20)
            return min(farther, COARSEST * self._range)
        beyond = min(coarser, key=lambda t: t.setting)
        if beyond.setting <= CLOSE_TOLERANCES * nearest.setting:
            return None
        # Regula falsi in log tolerance, kept away from the ends.
        part = (nearest.psnr - target) / (nearest.psnr - beyond.psnr)
        part = min(max(part, 0.2), 0.8)
        logs = math.log(nearest.setting), math.log(beyond.setting)
        return math.exp(logs[0] + part * (logs[1] - logs[0]))

    def _try(self, tolerance: float) -> None:
        values = self.values
        start = process_time()
        packed = self.compressor.encode(values, tolerance)
        middle = process_time()
        decoded = self.compressor.decode(packed, values.shape, values.dtype)
        end = process_time()
        self.trials.append(
            Outcome(len(packed), psnr(decoded, values), middle - start, end - middle, tolerance)
        )
