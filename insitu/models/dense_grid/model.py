"""fV-SRN: one dense feature grid with trilinear interpolation, followed by an MLP.

In: the architecture. Out: the layout of the parameters, initial weights, sizes. Weiss, Hermueller
and Westermann, "Fast Neural Representations for Direct Volume Rendering", 2021; here with ReLU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models import mlp
from insitu.models.base import ParameterArray, ReadCost, Segment, SizeOption
from insitu.models.dense_grid import reference
from insitu.models.dense_grid.sizes import resolution_for, scaled_resolution, size_options
from insitu.models.mlp_model import MlpModel

Resolution = tuple[int, int, int]

_MOST_PER_AXIS = 1 << 14
_MOST_VERTICES = 1 << 28
_MOST_FREQUENCIES = 12


@dataclass(frozen=True)
class DenseGrid(MlpModel):
    """A grid of features over the unit cube, vertex i of an axis at i / (resolution - 1), and a
    ReLU MLP without biases. With `n_frequencies`, the MLP also gets sin and cos of 2^k pi x.

    Parameters: the MLP's matrices as in `insitu.models.mlp`, then the grid (rz, ry, rx, features).
    The MLP's inputs are the features, then for each k the sines along x, y, z, then the cosines.
    """

    kind: ClassVar[str] = "dense_grid"
    size_option: ClassVar[str] = "resolution"

    resolution: Resolution = (20, 20, 20)
    """Vertices along x, y, z; one number applies to all three."""
    n_features: int = 8
    """Number of features at each vertex."""
    n_frequencies: int = 0
    """Number of frequencies of the Fourier features per axis; 0: none."""
    n_neurons: int = 16
    n_hidden_layers: int = 2
    n_outputs: int = 1

    def __post_init__(self) -> None:
        """Raises TypeError if `resolution` is neither one whole number nor three."""
        given: Any = self.resolution
        axes = tuple(given) if isinstance(given, Sequence) else (given,) * 3
        if len(axes) != 3 or not all(type(n) is int for n in axes):
            raise TypeError(f"resolution: {given!r}; expected one whole number, or three: x, y, z")
        object.__setattr__(self, "resolution", axes)

    @property
    def n_encoded(self) -> int:
        return self.n_features + 6 * self.n_frequencies

    @property
    def n_vertices(self) -> int:
        return math.prod(self.resolution)

    @property
    def n_params(self) -> int:
        return self.n_mlp_params + self.n_vertices * self.n_features

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "resolution": list(self.resolution)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DenseGrid:
        axes = data.get("resolution") if isinstance(data, dict) else None
        if not isinstance(axes, list) or len(axes) != 3 or not all(type(n) is int for n in axes):
            raise ValueError(f"resolution: {axes!r}; expected three whole numbers: x, y, z")
        model = super().from_dict({**data, "resolution": 2})
        model = replace(model, resolution=cast("Resolution", tuple(axes)))
        model.check()
        return model

    def check(self) -> None:
        if not all(2 <= n <= _MOST_PER_AXIS for n in self.resolution):
            raise ValueError(f"resolution: {self.resolution} is not in 2..{_MOST_PER_AXIS}")
        if self.n_vertices > _MOST_VERTICES:
            raise ValueError(
                f"resolution: {self.resolution} makes more than {_MOST_VERTICES} vertices"
            )
        if self.n_features not in (1, 2, 4, 8):
            raise ValueError(f"n_features: {self.n_features} is not one of 1, 2, 4, 8")
        if not 0 <= self.n_frequencies <= _MOST_FREQUENCIES:
            raise ValueError(
                f"n_frequencies: {self.n_frequencies} is not in 0..{_MOST_FREQUENCIES}"
            )
        mlp.check(self.n_neurons, self.n_hidden_layers, self.n_outputs)

    def table(self, params: NDArray[Any]) -> NDArray[Any]:
        """View (n_vertices, n_features) of the grid in params (n_params,), x fastest."""
        return params[self.n_mlp_params :].reshape(self.n_vertices, self.n_features)

    def arrays(self, params: Floats) -> list[ParameterArray]:
        """The matrices without their padding, then one array per feature of the grid."""
        table = self.table(params)
        return [
            *mlp.arrays(self.weights(params), self.n_encoded, self.n_outputs),
            *(
                ParameterArray(f"grid.feature.{f}", "level", "grid", table[:, f])
                for f in range(self.n_features)
            ),
        ]

    def segments(self, params: Floats) -> list[Segment]:
        grid = params[self.n_mlp_params :].reshape(*self.resolution[::-1], self.n_features)
        return [
            Segment("mlp", "table", params[: self.n_mlp_params]),
            Segment("grid", "grid", grid),
        ]

    def for_domain(self, n_voxels: int) -> DenseGrid:
        return replace(self, resolution=resolution_for(self, n_voxels))

    def for_block(self, n_outputs: int, share: float) -> DenseGrid:
        """The resolution scales with the cube root of the share of the voxels, so that all blocks
        together have about the size of one model of the whole domain."""
        if not 0 < share <= 1:
            raise ValueError(f"share: {share} is not in (0, 1]")
        return replace(
            self, n_outputs=n_outputs, resolution=scaled_resolution(self.resolution, share)
        )

    def sizes(self, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        return size_options(self, n_voxels, corrected)

    @property
    def read_cost(self) -> ReadCost:
        return ReadCost(
            taps=8 * self.n_features,
            flops=7 * 2 * self.n_features + 30 * 3 * self.n_frequencies + 2 * self.n_mlp_params,
        )

    def evaluate(self, params: Floats, points: Floats) -> Floats:
        return reference.evaluate(self, params, points)

    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        return reference.backward(self, params, points, output_gradient)

    def sensitivity(self, params: Floats, points: Floats, scale: Floats) -> Floats:
        return reference.sensitivity(self, params, points, scale)
