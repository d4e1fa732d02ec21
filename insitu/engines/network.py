"""Shape of a network and where each of its parameters lies.

In: the names of tiny-cuda-nn's configuration. Out: levels, matrices, the number of parameters;
views of one parameter vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.engines.native import lib

ALIGNMENT = 16  # tiny-cuda-nn pads the MLP's inputs and outputs to a multiple of this


@dataclass(frozen=True)
class Level:
    """One level of the grid."""

    scale: float
    """Position in the level's grid is u * scale + 0.5, u in [0,1]."""
    resolution: int
    """Vertices per axis."""
    size: int
    """Entries in its table."""
    hashed: bool
    """Whether entries are found by hashing; otherwise x + y R + z R^2."""
    offset: int
    """Of its first value, in the parameter vector."""


@dataclass(frozen=True)
class Network:
    """A multi-resolution hash encoding followed by a ReLU MLP without biases.

    The names and the parameter layout are tiny-cuda-nn's: first the MLP's matrices, row-major
    (outputs, inputs), with the first one's inputs and the last one's outputs padded to a multiple
    of 16; then the levels, coarse to fine, each (size, n_features_per_level).
    """

    n_levels: int = 4
    n_features_per_level: int = 4
    log2_hashmap_size: int = 14
    base_resolution: int = 8
    per_level_scale: float = 2.0
    n_neurons: int = 16
    n_hidden_layers: int = 2
    n_outputs: int = 1

    @property
    def n_inputs(self) -> int:
        """Inputs of the MLP, padded."""
        return -(-self.n_levels * self.n_features_per_level // ALIGNMENT) * ALIGNMENT

    @cached_property
    def matrix_shapes(self) -> list[tuple[int, int]]:
        """(rows, columns) of each matrix of the MLP."""
        hidden = [(self.n_neurons, self.n_neurons)] * (self.n_hidden_layers - 1)
        padded_outputs = -(-self.n_outputs // ALIGNMENT) * ALIGNMENT
        return [
            (self.n_neurons, self.n_inputs),
            *hidden,
            (padded_outputs, self.n_neurons),
        ]

    @cached_property
    def n_mlp_params(self) -> int:
        return sum(rows * columns for rows, columns in self.matrix_shapes)

    @cached_property
    def levels(self) -> list[Level]:
        """Coarse to fine. A level is dense where a grid of its resolution fits the table."""
        levels = []
        offset = self.n_mlp_params
        growth = np.log2(np.float32(self.per_level_scale))
        for i in range(self.n_levels):
            scale = np.exp2(np.float32(i) * growth) * np.float32(self.base_resolution) - 1
            resolution = math.ceil(scale) + 1
            dense = resolution**3
            size = min(-(-dense // 8) * 8, 2**self.log2_hashmap_size)
            # Beyond 1625 the dense index would not fit 32 bits: tiny-cuda-nn hashes there.
            hashed = size < dense or resolution > 1625
            levels.append(Level(float(scale), resolution, size, hashed, offset))
            offset += size * self.n_features_per_level
        return levels

    @cached_property
    def n_params(self) -> int:
        last = self.levels[-1]
        return last.offset + last.size * self.n_features_per_level

    @cached_property
    def native(self) -> Any:
        """The C++ engine's object of the same shape. ValueError where the shape is impossible."""
        return lib.Network(**self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def weights(self, params: NDArray[Any]) -> list[NDArray[Any]]:
        """Views (rows, columns) of the MLP's matrices in params (n_params,)."""
        views, offset = [], 0
        for rows, columns in self.matrix_shapes:
            views.append(params[offset : offset + rows * columns].reshape(rows, columns))
            offset += rows * columns
        return views

    def table(self, params: NDArray[Any], level: int) -> NDArray[Any]:
        """View (size, n_features_per_level) of one level's table in params (n_params,)."""
        at, f = self.levels[level], self.n_features_per_level
        return params[at.offset : at.offset + at.size * f].reshape(at.size, f)

    def initial_params(self, seed: int) -> NDArray[np.float32]:
        """Starting weights (n_params,): Xavier uniform for the MLP, uniform ±1e-4 for the grid.

        As tiny-cuda-nn; the padding of inputs and outputs is zero.
        """
        rng = np.random.default_rng(seed)
        params = rng.uniform(-1e-4, 1e-4, self.n_params).astype(np.float32)
        matrices = self.weights(params)
        for matrix in matrices:
            limit = math.sqrt(6.0 / sum(matrix.shape))
            matrix[:] = rng.uniform(-limit, limit, matrix.shape)
        matrices[0][:, self.n_levels * self.n_features_per_level :] = 0
        matrices[-1][self.n_outputs :] = 0
        return params

    def with_table_for(self, n_voxels: int) -> Network:
        """This network with a hash table that fits a domain of `n_voxels`.

        4 sqrt(n_voxels) entries per level: detail is mostly on surfaces, which grow more slowly
        than the volume. That is 2^12 for the CloverLeaf example's 96^3 cells, where it keeps 40 dB
        at a ratio of 70 to 300, and 2^10 for 32^3.
        """
        table = round(2 + math.log2(max(n_voxels, 1)) / 2)
        return replace(self, log2_hashmap_size=min(max(table, 5), 22))

    def for_block(self, n_outputs: int, share: float) -> Network:
        """The network for a partition that holds `share` (0..1] of all voxels.

        DVNR III-B: the table shrinks with the number of voxels, the grid's resolution with its
        cube root, so that all ranks together spend what one network on the whole domain would.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share: {share} is not in (0, 1]")
        # A table of fewer than 2^5 entries, or a base of fewer than 2 vertices, saves nothing.
        scaled = self.log2_hashmap_size + round(math.log2(share))
        table = max(scaled, min(self.log2_hashmap_size, 5))
        base = max(round(self.base_resolution * share ** (1 / 3)), min(self.base_resolution, 2))
        return replace(self, n_outputs=n_outputs, log2_hashmap_size=table, base_resolution=base)
