"""Anisotropic Gaussians whose normalised weighted sum is the function: a model for points.

In: the number of Gaussians. Out: the layout of the parameters, initial ones, sizes. The weights are
those of a partition of unity (Shepard 1968), on ellipsoids that are trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models.base import Model, ParameterArray, Params, ReadCost, SizeOption
from insitu.models.gaussians import placement, reference

N_SHAPE = 9  # rows of the parameters before the outputs: position, size, shear
_MOST = 1 << 22
_PER_POINT = 30  # Gaussians that are near a point, about
# Points per Gaussian of the sizes that a target chooses from, and without a target.
_RATIOS = (160, 113, 80, 56, 40, 28, 20, 14, 10, 7, 5)
_RATIO = 10


@dataclass(frozen=True)
class Gaussians(Model):
    """`n_gaussians` Gaussians, each with a position m, three sizes, three shears, and for every
    output a value v and with `degree` 1 a slope g:

        z = diag(exp(-s)) K (x - m),  w = max(0, 1 - |z|^2 / 8)^4
        y = sum_i w_i (v_i + g_i . z_i) / (sum_i w_i + 1e-6)

    K is unit upper triangular, so size and shear are the ellipsoid's axes and their rotation, in
    six numbers instead of seven. w is exp(-|z|^2 / 2) up to 0.03, and 0 from 2.83 standard
    deviations on, so that a point needs only the Gaussians near it; where there are none, y is 0.

    Parameters: rows (n_rows, n_gaussians) for position x y z, size s (natural logarithms, in units
    of the box, cut off at -16 and 4), shear K01 K02 K12; then for each output v and g (3).
    """

    kind: ClassVar[str] = "gaussians"
    size_option: ClassVar[str] = "n_gaussians"
    scattered: ClassVar[bool] = True

    n_gaussians: int = 4096
    """Number of Gaussians for the whole domain; default: from the target, or one for 10 points."""
    degree: int = 1
    """What each Gaussian adds: 0 a constant; 1 a linear function."""
    n_outputs: int = 1

    @property
    def n_terms(self) -> int:
        """Numbers per Gaussian and output."""
        return 1 + 3 * self.degree

    @property
    def n_rows(self) -> int:
        """Numbers per Gaussian."""
        return N_SHAPE + self.n_outputs * self.n_terms

    @property
    def n_params(self) -> int:
        return self.n_rows * self.n_gaussians

    def check(self) -> None:
        if not 1 <= self.n_gaussians <= _MOST:
            raise ValueError(f"n_gaussians: {self.n_gaussians} is not in 1..{_MOST}")
        if self.degree not in (0, 1):
            raise ValueError(f"degree: {self.degree} is not 0 or 1")
        if not 1 <= self.n_outputs <= 16:
            raise ValueError(f"n_outputs: {self.n_outputs} is not in 1..16")

    def rows(self, params: NDArray[np.floating]) -> NDArray[np.floating]:
        """View (n_rows, n_gaussians) of params (n_params,)."""
        return params.reshape(self.n_rows, self.n_gaussians)

    def arrays(self, params: Floats) -> list[ParameterArray]:
        """One array for each row."""
        names = [("position", axis) for axis in "xyz"] + [("size", axis) for axis in "xyz"]
        names += [("shear", pair) for pair in ("xy", "xz", "yz")]
        for output in range(self.n_outputs):
            names.append((f"value.{output}", "0"))
            names += [(f"slope.{output}", axis) for axis in "xyz"[: self.n_terms - 1]]
        return [
            ParameterArray(f"{group}.{part}", "coefficients", group, row)
            for (group, part), row in zip(names, self.rows(params), strict=True)
        ]

    def initial(self, seed: int) -> Params:
        """Gaussians anywhere in the box, with random values within +-0.5; `place` knows better."""
        rng = np.random.default_rng(seed)
        params = rng.uniform(-0.1, 0.1, self.n_params).astype(np.float32)
        rows = self.rows(params)
        rows[:3] = rng.uniform(size=(3, self.n_gaussians))
        rows[3:6] += np.log(placement.OVERLAP * self.n_gaussians ** (-1 / 3))
        rows[N_SHAPE :: self.n_terms] *= 5
        return params

    def place(self, points: Floats, targets: Floats) -> Params:
        return placement.place(self, points, targets)

    def rates(self, params: Floats) -> Params:
        return placement.rates(self, params)

    def for_domain(self, n_voxels: int) -> Gaussians:
        return replace(self, n_gaussians=int(np.clip(n_voxels // _RATIO, 1, _MOST)))

    def for_block(self, n_outputs: int, share: float) -> Gaussians:
        """The number of Gaussians scales with the share of the points."""
        if not 0 < share <= 1:
            raise ValueError(f"share: {share} is not in (0, 1]")
        n = max(1, round(self.n_gaussians * share))
        return replace(self, n_outputs=n_outputs, n_gaussians=n)

    def sizes(self, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        """One Gaussian for 160, 113, 80, ... 5 points."""
        counts = sorted({int(np.clip(n_voxels // ratio, 1, _MOST)) for ratio in _RATIOS})
        return [SizeOption(replace(self, n_gaussians=n), 1.0) for n in counts]

    def scaled(self, params: Floats, factors: Floats) -> Params:
        scaled: Params = params.astype(np.float32)
        of_outputs = self.rows(scaled)[N_SHAPE:].reshape(self.n_outputs, -1)
        of_outputs *= factors[:, None].astype(np.float32)
        return scaled

    @property
    def read_cost(self) -> ReadCost:
        near = min(_PER_POINT, self.n_gaussians)
        return ReadCost(taps=near * self.n_rows, flops=near * (30 + 2 * self.n_rows))

    def evaluate(self, params: Floats, points: Floats) -> Floats:
        return reference.evaluate(self, params, points)

    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        return reference.backward(self, params, points, output_gradient)

    def sensitivity(self, params: Floats, points: Floats, scale: Floats) -> Floats:
        return reference.sensitivity(self, params, points, scale)
