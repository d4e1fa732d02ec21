"""What stands for a block: a function of the points of the unit cube, given by a parameter vector.

In: the shape of a model, plain data. Out: the layout of its parameters, first weights, sizes, the
equations in NumPy. Who computes is another matter: `insitu.engines`.

Models take points (n, 3) in [0, 1], order x y z, and give outputs (n, n_outputs) in units of a
block's own range; what these mean in the world is the field's (`insitu.fields`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Params = NDArray[np.float32]

Role = Literal["matrix", "level", "coefficients"]

M = TypeVar("M", bound="Model")


class ParameterArray(NamedTuple):
    """One array of a model's parameters, as codecs see them."""

    name: str
    """Unique in its model, as "mlp.0" or "level.2.feature.1"."""
    role: Role
    """What it is: a matrix of an MLP, one feature of a grid's level, coefficients of anything."""
    group: str
    """Arrays of one group follow each other and are much alike, as "mlp" or "level.2"."""
    values: Floats
    """A view of the parameters that take part in the function; padding is left out."""


class ReadCost(NamedTuple):
    """What reading one point takes."""

    taps: int
    """Parameters gathered from grids."""
    flops: int
    """Multiplications and additions."""


@dataclass(frozen=True)
class SizeOption:
    """One size of a model, and the share of the usual training steps that it is worth."""

    model: Model
    share: float


class Model(ABC):
    """The shape of a function with parameters. A frozen dataclass: hashable, plain data, equal to
    another of the same shape. No method is collective.

    A kind of model is registered by name (`insitu.models.registry`), or by a package of its own
    under the entry-point group `insitu.models`.
    """

    kind: ClassVar[str]
    """Its name, in run files and in the headers of frames."""

    n_outputs: int
    """Components of the values, 1..16."""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Length of the parameter vector."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Its shape as JSON-able data, without `kind`."""

    @classmethod
    @abstractmethod
    def from_dict(cls: type[M], data: dict[str, Any]) -> M:
        """The model again. ValueError where the data, from whoever, are not those of one: nothing
        is allocated before they are checked."""

    @abstractmethod
    def arrays(self, params: Floats) -> list[ParameterArray]:
        """Views into params (n_params,), always the same ones in the same order."""

    @abstractmethod
    def initial(self, seed: int) -> Params:
        """First weights (n_params,), a function of the seed alone."""

    @abstractmethod
    def for_block(self: M, n_outputs: int, share: float) -> M:
        """The model for a partition that holds `share` (0..1] of all voxels of the domain."""

    @abstractmethod
    def sizes(self, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        """Sizes for a block of `n_voxels`, each of more parameters than the one before; at least
        one. corrected: only those that pay where a residual makes up for what is missing."""

    def scaled(self, params: Floats, factors: Floats) -> Params | None:
        """Parameters (n_params,) of this function with each output times its factor (n_outputs,);
        None where the model cannot say. A warm start begins with them, since a block's range, in
        which outputs count, changes from step to step."""
        return None

    @property
    @abstractmethod
    def read_cost(self) -> ReadCost:
        """Of one point."""

    @abstractmethod
    def evaluate(self, params: Floats, points: Floats) -> Floats:
        """The equations: points (n, 3) -> outputs (n, n_outputs), in the precision of `params`."""

    @abstractmethod
    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        """Gradients of a loss with output_gradient (n, n_outputs): of the parameters (n_params,),
        and of the points (n, 3)."""

    def sensitivity(self, params: Floats, points: Floats, scale: Floats) -> Floats:
        """(n_arrays,): mean squared change of the outputs, times scale (n_outputs,), per unit of
        variance of independent noise in every weight of each of `arrays`, to first order: the mean
        over points and components of sum_w (scale dy/dw)^2.

        This one is exact for any model, and slow: one `backward` for each point and output.
        """
        total = np.zeros(len(self.arrays(params)))
        for point in points:
            for component, unit in enumerate(scale):
                above = np.zeros((1, self.n_outputs), params.dtype)
                above[0, component] = unit
                gradient, _ = self.backward(params, point[None], above)
                noise = self.arrays(np.square(gradient, dtype=np.float64))
                total += [array.values.sum() for array in noise]
        return np.asarray(total / (len(points) * len(scale)), np.float32)
