"""The base class of models that end in a multilayer perceptron.

In: the MLP's shape, as fields of a subclass. Out: the layout of its matrices, which come first in
the parameter vector. The functions are in `insitu.models.mlp`.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models import mlp
from insitu.models.base import Model, Params


class MlpModel(Model):
    """An encoding of points followed by a ReLU MLP without biases.

    Parameters: the MLP's matrices, row-major (outputs, inputs), with the inputs of the first and
    the outputs of the last one padded to a multiple of 16; then the encoding's own parameters.
    Subclasses are frozen dataclasses that have `n_neurons`, `n_hidden_layers` and `n_outputs`.
    """

    n_neurons: int
    """Width of the hidden layers, a multiple of 16."""
    n_hidden_layers: int

    @property
    @abstractmethod
    def n_encoded(self) -> int:
        """Number of values of the encoding: inputs of the MLP, without padding."""

    @cached_property
    def matrix_shapes(self) -> list[tuple[int, int]]:
        """(rows, columns) of each matrix of the MLP, with padding."""
        return mlp.matrix_shapes(
            self.n_encoded, self.n_neurons, self.n_hidden_layers, self.n_outputs
        )

    @cached_property
    def n_mlp_params(self) -> int:
        """Number of parameters of the MLP, with padding."""
        return sum(rows * columns for rows, columns in self.matrix_shapes)

    def weights(self, params: NDArray[Any]) -> list[NDArray[Any]]:
        """Views (rows, columns) of the MLP's matrices in params (n_params,)."""
        return mlp.matrices(self.matrix_shapes, params)

    def initial(self, seed: int) -> Params:
        """Initial weights (n_params,): Xavier uniform for the MLP, uniform ±1e-4 for the encoding.

        As in tiny-cuda-nn; the padding of inputs and outputs is zero.
        """
        rng = np.random.default_rng(seed)
        params = rng.uniform(-1e-4, 1e-4, self.n_params).astype(np.float32)
        mlp.initialise(self.weights(params), rng, self.n_encoded, self.n_outputs)
        return params

    def scaled(self, params: Floats, factors: Floats) -> Params:
        scaled: Params = params.astype(np.float32)
        self.weights(scaled)[-1][: self.n_outputs] *= factors[:, None].astype(np.float32)
        return scaled
