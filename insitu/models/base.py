"""The model interface: a function on the unit cube, defined by a parameter vector.

In: the architecture of a model, as plain data. Out: the layout of its parameters, initial weights,
sizes, and the equations in NumPy. The computation itself is done by `insitu.engines`.

Models map points (n, 3) in [0, 1], in the order x y z, to outputs (n, n_outputs), in units of the
block's own value range. Fields (`insitu.fields`) convert both to world coordinates and units.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from insitu.codecs.arrays import ParameterArray as ParameterArray
from insitu.codecs.arrays import Segment as Segment
from insitu.core.arrays import Floats

Params = NDArray[np.float32]

M = TypeVar("M", bound="Model")

_MOST_WHOLE = 2**31  # bound on the magnitude of an integer in a header


class ReadCost(NamedTuple):
    """The cost of evaluating the model at one point."""

    taps: int
    """Number of parameters gathered from grids."""
    flops: int
    """Number of multiplications and additions."""


@dataclass(frozen=True)
class SizeOption:
    """One size of a model, and the fraction of the default training steps to spend on it."""

    model: Model
    share: float


class AuxiliaryObjective(ABC):
    """An objective of some parameters other than the loss of the data, for one training: these
    parameters follow it alone, while it is active, and rest otherwise."""

    parameters: slice
    """The parameters that it trains."""
    rate: float
    """Their learning rate over that of the others."""

    @abstractmethod
    def active(self, iteration: int, iterations: int) -> bool:
        """Whether it trains in this step of a schedule of so many."""

    @abstractmethod
    def gradient(
        self, params: Floats, points: Floats, squared_errors: Floats
    ) -> tuple[float, Floats]:
        """The objective of a batch of points (n, 3) and their squared errors (n,), summed over the
        outputs; its gradient by `parameters`, up to a factor."""

    @abstractmethod
    def add(self, objective: float) -> None:
        """Take note of the objective of a step in which it was active, at the end of the step."""


class Model(ABC):
    """The architecture of a parameterized function. A frozen dataclass: hashable, plain data, and
    equal to any other of the same architecture. No method is collective.

    A kind of model is registered by name (`insitu.models.register`), or by a third-party package
    under the entry-point group `insitu.models`. The defaults of the methods that are not abstract
    are correct for any small model whose dataclass fields are numbers.
    """

    kind: ClassVar[str]
    """Name of this kind of model in run files and in frame headers."""

    size_option: ClassVar[str] = ""
    """Name of the dataclass field that sets the number of parameters. Where a run file omits it,
    the size follows from the accuracy target (`sizes`) or the number of voxels (`for_domain`)."""

    trained: ClassVar[bool] = True
    """Whether its parameters are found by training steps and coded by a codec of weights; otherwise
    options of these do not apply, and are refused."""

    scattered: ClassVar[bool] = False
    """Whether it is trained on points and the values there (`place`, `Engine.point_trainer`), which
    need not lie on a grid; otherwise on samples drawn from a grid."""

    n_outputs: int
    """Number of output components, 1..16."""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Length of the parameter vector."""

    def to_dict(self) -> dict[str, Any]:
        """The architecture as JSON-serializable data, without `kind`."""
        return {name: getattr(self, name) for name in self._fields()}

    @classmethod
    def from_dict(cls: type[M], data: dict[str, Any]) -> M:
        """Inverse of `to_dict`. Raises ValueError where the data, which may be untrusted, do not
        describe a model. The data are checked before anything is allocated.

        The default expects one number per field, an integer where the field is annotated as int.
        """
        expected = cls._fields()
        if not isinstance(data, dict) or data.keys() != expected.keys():
            raise ValueError(f"{cls.kind}: expected the keys {', '.join(sorted(expected))}")
        for name, value in data.items():
            whole = type(value) is int and abs(value) < _MOST_WHOLE
            fraction = type(value) is float and expected[name] in ("float", float)
            if not (whole or fraction):
                raise ValueError(f"{name}: expected a number, found {value!r}")
        model = cls(**data)
        model.check()
        return model

    @classmethod
    def _fields(cls) -> dict[str, Any]:
        return {field.name: field.type for field in dataclasses.fields(cls)}  # type: ignore[arg-type]

    @abstractmethod
    def check(self) -> None:
        """Raises ValueError where the architecture is invalid, or needs unreasonably many
        parameters or operations per point. This limits what an untrusted header can request."""

    @abstractmethod
    def arrays(self, params: Floats) -> list[ParameterArray]:
        """Views into params (n_params,), always the same ones in the same order. Parameters outside
        all of these views do not affect the function."""

    def segments(self, params: Floats) -> list[Segment]:
        """Views into the same parameters, shaped for array compressors."""
        return [Segment(a.group, "table", a.values) for a in self.arrays(params)]

    @abstractmethod
    def initial(self, seed: int) -> Params:
        """Initial weights (n_params,), which depend on the seed only."""

    def place(self, points: Floats, targets: Floats) -> Params:
        """Initial weights (n_params,) of a `scattered` model, for values `targets` (n, n_outputs)
        at points (n, 3)."""
        raise NotImplementedError(f"model {self.kind} is not trained on points")

    def rates(self, params: Params) -> Params:
        """Learning rates (n_params,) of a `scattered` model, in multiples of the trainer's, for a
        training that begins with `params` (n_params,)."""
        return np.ones(self.n_params, np.float32)

    def for_domain(self: M, n_voxels: int) -> M:
        """The default model for a domain of `n_voxels`, used where no size is given."""
        return self

    def for_block(self: M, n_outputs: int, share: float) -> M:
        """The model for a partition that holds the fraction `share` (0..1] of the domain's voxels,
        so that all blocks together have about the size of this one model of the whole domain. By
        default the size is the same for every block."""
        return dataclasses.replace(self, n_outputs=n_outputs)  # type: ignore[type-var]

    def sizes(self: M, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        """Candidate sizes for a block of `n_voxels`, in increasing number of parameters; at least
        one. corrected: only the sizes that are worthwhile when a residual corrects the error."""
        return [SizeOption(self, 1.0)]

    def scaled(self, params: Floats, factors: Floats) -> Params | None:
        """Parameters (n_params,) of the function with each output multiplied by its factor
        (n_outputs,); None where the model does not support this. Warm starts use it, because
        outputs are in units of the block's range, which changes from step to step."""
        return None

    def auxiliary(self) -> AuxiliaryObjective | None:
        """A new objective for parameters that the loss of the data does not train; None: it trains
        all of them."""
        return None

    @property
    def read_cost(self) -> ReadCost:
        """Cost of one point; by default, every parameter is used once."""
        return ReadCost(taps=self.n_params, flops=2 * self.n_params)

    @abstractmethod
    def evaluate(self, params: Floats, points: Floats) -> Floats:
        """Evaluate: points (n, 3) -> outputs (n, n_outputs), in the precision of `params`."""

    @abstractmethod
    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        """Gradients of a loss whose gradient by the outputs is output_gradient (n, n_outputs): by
        the parameters (n_params,), and by the points (n, 3)."""

    def sensitivity(self, params: Floats, points: Floats, scale: Floats) -> Floats:
        """Sensitivity of the outputs to noise in each of `arrays` -> (n_arrays,).

        The mean squared change of the outputs, weighted by scale (n_outputs,), per unit variance of
        independent noise in every weight of the array, to first order: the mean over points and
        components of sum_w (scale dy/dw)^2. This default is exact for any model, but slow: one
        `backward` per point and output.
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
