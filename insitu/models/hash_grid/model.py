"""The hash grid of DVNR: architecture and parameter layout.

In: options named as in tiny-cuda-nn's configuration. Out: levels, matrices, the number of
parameters; views of one parameter vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models import mlp
from insitu.models.base import ParameterArray, ReadCost, Segment, SizeOption
from insitu.models.hash_grid import reference
from insitu.models.hash_grid.levels import Level, levels
from insitu.models.hash_grid.sensitivity import sensitivity
from insitu.models.hash_grid.sizes import size_options, table_for
from insitu.models.mlp_model import MlpModel

_RANGES = {
    "n_levels": (1, 32),
    "log2_hashmap_size": (3, 28),
    "base_resolution": (1, 1 << 20),
    "per_level_scale": (1, 1 << 16),
}
_FINEST = 1 << 20


@dataclass(frozen=True)
class HashGrid(MlpModel):
    """A multiresolution hash encoding followed by a ReLU MLP without biases.

    Names and parameter layout are those of tiny-cuda-nn: first the MLP's matrices, then the levels,
    coarse to fine, each (size, n_features_per_level).
    """

    kind: ClassVar[str] = "hash_grid"
    size_option: ClassVar[str] = "log2_hashmap_size"

    n_levels: int = 4
    n_features_per_level: int = 4
    log2_hashmap_size: int = 14
    base_resolution: int = 8
    per_level_scale: float = 2.0
    n_neurons: int = 16
    n_hidden_layers: int = 2
    n_outputs: int = 1

    @property
    def n_encoded(self) -> int:
        return self.n_levels * self.n_features_per_level

    @property
    def n_inputs(self) -> int:
        """Number of inputs of the MLP, padded."""
        return mlp.padded(self.n_encoded)

    @cached_property
    def levels(self) -> list[Level]:
        """Coarse to fine."""
        return levels(
            self.n_levels,
            self.n_features_per_level,
            self.log2_hashmap_size,
            self.base_resolution,
            self.per_level_scale,
            self.n_mlp_params,
        )

    @cached_property
    def n_params(self) -> int:
        last = self.levels[-1]
        return last.offset + last.size * self.n_features_per_level

    def check(self) -> None:
        """Raises ValueError if the architecture is invalid or unreasonably large."""
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}: {getattr(self, name)} is not in {low}..{high}")
        if self.n_features_per_level not in (1, 2, 4, 8):
            raise ValueError(
                f"n_features_per_level: {self.n_features_per_level} is not one of 1, 2, 4, 8"
            )
        mlp.check(self.n_neurons, self.n_hidden_layers, self.n_outputs)
        finest = self.base_resolution * self.per_level_scale ** (self.n_levels - 1)
        if finest > _FINEST:
            raise ValueError(
                f"the finest level has a resolution of {finest:g}; the limit is {_FINEST}"
            )

    def table(self, params: NDArray[Any], level: int) -> NDArray[Any]:
        """View (size, n_features_per_level) of one level's table in params (n_params,)."""
        at, f = self.levels[level], self.n_features_per_level
        return params[at.offset : at.offset + at.size * f].reshape(at.size, f)

    def arrays(self, params: Floats) -> list[ParameterArray]:
        """The matrices without their padding, then one array per feature of every level."""
        found = mlp.arrays(self.weights(params), self.n_encoded, self.n_outputs)
        for level in range(self.n_levels):
            table = self.table(params, level)
            found += [
                ParameterArray(f"level.{level}.feature.{f}", "level", f"level.{level}", table[:, f])
                for f in range(table.shape[1])
            ]
        return found

    def segments(self, params: Floats) -> list[Segment]:
        """The MLP with its padding; then the levels. A dense level is a grid of its vertices, and
        the entries that pad its table."""
        found = [Segment("mlp", "table", params[: self.n_mlp_params])]
        for i, level in enumerate(self.levels):
            group, table = f"level.{i}", self.table(params, i)
            if level.hashed:
                found.append(Segment(group, "table", table))
                continue
            cube = level.resolution**3
            shape = (*[level.resolution] * 3, table.shape[1])
            found.append(Segment(group, "grid", table[:cube].reshape(shape)))
            found.append(Segment(group, "exact", table[cube:]))
        return found

    def evaluate(self, params: Floats, points: Floats) -> Floats:
        return reference.evaluate(self, params, points)

    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        return reference.backward(self, params, points, output_gradient)

    def sensitivity(self, params: Floats, points: Floats, scale: Floats) -> Floats:
        return sensitivity(self, params, points, scale)

    def sizes(self, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        return size_options(self, n_voxels, corrected)

    @property
    def read_cost(self) -> ReadCost:
        mix = 7 * 2 * self.n_features_per_level * self.n_levels
        return ReadCost(
            taps=8 * self.n_features_per_level * self.n_levels,
            flops=mix + 2 * self.n_mlp_params,
        )

    def for_domain(self, n_voxels: int) -> HashGrid:
        """This network with a hash table that fits a domain of `n_voxels`."""
        return replace(self, log2_hashmap_size=table_for(n_voxels))

    def for_block(self, n_outputs: int, share: float) -> HashGrid:
        """The network for a partition that holds the fraction `share` (0..1] of all voxels.

        DVNR III-B: the table scales with the number of voxels, the grid's resolution with its cube
        root, so that all blocks together have about the size of one network of the whole domain.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share: {share} is not in (0, 1]")
        # A table of fewer than 2^5 entries, or a base of fewer than 2 vertices, saves nothing.
        scaled = self.log2_hashmap_size + round(math.log2(share))
        table = max(scaled, min(self.log2_hashmap_size, 5))
        base = max(round(self.base_resolution * share ** (1 / 3)), min(self.base_resolution, 2))
        return replace(self, n_outputs=n_outputs, log2_hashmap_size=table, base_resolution=base)
