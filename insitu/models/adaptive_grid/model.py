"""AMGSRN: feature grids that move to where the detail is, followed by an MLP.

In: the architecture. Out: the layout of the parameters, initial weights, sizes. Wurster, Xiong,
Shen, Guo and Peterka, "Adaptively Placed Multi-Grid Scene Representation Networks for Large-Scale
Data Visualization", 2023; here with ReLU and without biases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models import mlp
from insitu.models.adaptive_grid import reference
from insitu.models.adaptive_grid.placement import GridPlacement
from insitu.models.adaptive_grid.sizes import resolution_for, scaled_resolution, size_options
from insitu.models.base import ParameterArray, Params, ReadCost, Segment, SizeOption
from insitu.models.mlp_model import MlpModel

_MOST_PER_AXIS = 1 << 10
_MOST_VERTICES = 1 << 28
_MOST_GRIDS = 32


@dataclass(frozen=True)
class AdaptiveGrid(MlpModel):
    """`n_grids` grids of features, each with an affine transform from the block to its own cube
    [-1, 1]^3, outside of which its features are 0; and a ReLU MLP on the features of all of them.

    Parameters: the MLP's matrices as in `insitu.models.mlp`; the transforms (n_grids, 3, 4), whose
    rows are those of (A | t) in local = A x + t with x in [-1, 1]^3; the grids (n_grids, r, r, r,
    n_features), with x fastest. Vertex i of an axis is at -1 + 2 i / (r - 1) of local coordinates.
    """

    kind: ClassVar[str] = "adaptive_grid"
    size_option: ClassVar[str] = "resolution"

    n_grids: int = 16
    resolution: int = 12
    """Vertices of each grid along each of its axes."""
    n_features: int = 2
    """Number of features at each vertex."""
    n_neurons: int = 32
    n_hidden_layers: int = 2
    n_outputs: int = 1

    @property
    def n_encoded(self) -> int:
        return self.n_grids * self.n_features

    @property
    def n_vertices(self) -> int:
        """Of one grid."""
        return self.resolution**3

    @property
    def n_params(self) -> int:
        grids = self.n_grids * self.n_vertices * self.n_features
        return self.n_mlp_params + 12 * self.n_grids + grids

    def check(self) -> None:
        if not 1 <= self.n_grids <= _MOST_GRIDS:
            raise ValueError(f"n_grids: {self.n_grids} is not in 1..{_MOST_GRIDS}")
        if not 2 <= self.resolution <= _MOST_PER_AXIS:
            raise ValueError(f"resolution: {self.resolution} is not in 2..{_MOST_PER_AXIS}")
        if self.n_grids * self.n_vertices > _MOST_VERTICES:
            raise ValueError(
                f"resolution: {self.resolution} makes more than {_MOST_VERTICES} vertices in "
                f"{self.n_grids} grids"
            )
        if self.n_features not in (1, 2, 4, 8):
            raise ValueError(f"n_features: {self.n_features} is not one of 1, 2, 4, 8")
        mlp.check(self.n_neurons, self.n_hidden_layers, self.n_outputs)

    @property
    def transform_slice(self) -> slice:
        """Where the transforms lie in the parameter vector."""
        return slice(self.n_mlp_params, self.n_mlp_params + 12 * self.n_grids)

    def transforms(self, params: Floats) -> Floats:
        """View (n_grids, 3, 4) of the transforms in params (n_params,)."""
        return params[self.transform_slice].reshape(self.n_grids, 3, 4)

    def tables(self, params: Floats) -> Floats:
        """View (n_grids, n_vertices, n_features) of the grids in params (n_params,)."""
        shape = (self.n_grids, self.n_vertices, self.n_features)
        return params[self.transform_slice.stop :].reshape(shape)

    def initial(self, seed: int) -> Params:
        """Initial weights (n_params,): the MLP as in other models, grids uniform ±1e-4, transforms
        the identity plus N(0, 0.05) noise: the grids lie on top of each other, about over all of
        the block (the authors' default)."""
        params = super().initial(seed)
        rng = np.random.default_rng([seed, 1])
        transforms = self.transforms(params)
        transforms[...] = rng.normal(0, 0.05, transforms.shape)
        for axis in range(3):
            transforms[:, axis, axis] += 1
        return params

    def boxes(self, params: Floats) -> NDArray[np.float64]:
        """Corners (n_grids, 8, 3) of the grids in the block's unit cube, x y z; corner c is at the
        lower or upper end of the grid's axes by the bits 1, 2, 4 of c. A grid with a singular
        transform has NaN."""
        transforms = self.transforms(params).astype(np.float64)
        local = 2.0 * reference.CORNERS - 1
        corners = np.full((self.n_grids, 8, 3), np.nan)
        for grid, (matrix, offset) in enumerate(
            zip(transforms[..., :3], transforms[..., 3], strict=True)
        ):
            if abs(np.linalg.det(matrix)) > 1e-12:
                corners[grid] = (np.linalg.solve(matrix, (local - offset).T).T + 1) / 2
        return corners

    def arrays(self, params: Floats) -> list[ParameterArray]:
        """The matrices without their padding, the transforms, then one array per feature."""
        tables = self.tables(params)
        return [
            *mlp.arrays(self.weights(params), self.n_encoded, self.n_outputs),
            ParameterArray(
                "transforms", "coefficients", "transforms", params[self.transform_slice]
            ),
            *(
                ParameterArray(f"grids.feature.{f}", "level", "grids", tables[..., f])
                for f in range(self.n_features)
            ),
        ]

    def segments(self, params: Floats) -> list[Segment]:
        grids = params[self.transform_slice.stop :]
        r = self.resolution
        return [
            Segment("mlp", "table", params[: self.n_mlp_params]),
            Segment("transforms", "exact", params[self.transform_slice]),
            Segment("grids", "grid", grids.reshape(self.n_grids * r, r, r, self.n_features)),
        ]

    def auxiliary(self) -> GridPlacement:
        return GridPlacement(self)

    def for_domain(self, n_voxels: int) -> AdaptiveGrid:
        return replace(self, resolution=resolution_for(self, n_voxels))

    def for_block(self, n_outputs: int, share: float) -> AdaptiveGrid:
        """The resolution scales with the cube root of the share of the voxels."""
        if not 0 < share <= 1:
            raise ValueError(f"share: {share} is not in (0, 1]")
        sized = scaled_resolution(self.resolution, share)
        return replace(self, n_outputs=n_outputs, resolution=sized)

    def sizes(self, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        return size_options(self, n_voxels, corrected)

    @property
    def read_cost(self) -> ReadCost:
        taps = 8 * self.n_grids * self.n_features
        return ReadCost(taps=taps, flops=18 * self.n_grids + 2 * taps + 2 * self.n_mlp_params)

    def evaluate(self, params: Floats, points: Floats) -> Floats:
        return reference.evaluate(self, params, points)

    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        return reference.backward(self, params, points, output_gradient)

    def sensitivity(self, params: Floats, points: Floats, scale: Floats) -> Floats:
        return reference.sensitivity(self, params, points, scale)
