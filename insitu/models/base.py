"""What stands for a block: a function of the points of the unit cube, given by a parameter vector.

In: the shape of a model, plain data. Out: the layout of its parameters, first weights, sizes, the
equations in NumPy. Who computes is another matter: `insitu.engines`.

Models take points (n, 3) in [0, 1], order x y z, and give outputs (n, n_outputs) in units of a
block's own range; what these mean in the world is the field's (`insitu.fields`).
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

_MOST_WHOLE = 2**31  # of a whole number in a header


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

    A kind of model is registered by name (`insitu.models.register`), or by a package of its own
    under the entry-point group `insitu.models`. What is not abstract has a default that is right
    for any model of few parameters whose fields are numbers.
    """

    kind: ClassVar[str]
    """Its name, in run files and in the headers of frames."""

    size_option: ClassVar[str] = ""
    """The field that says how many parameters there are; where a run file leaves it out, the target
    of accuracy does, by `sizes`, or the number of voxels, by `for_domain`."""

    n_outputs: int
    """Components of the values, 1..16."""

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Length of the parameter vector."""

    def to_dict(self) -> dict[str, Any]:
        """Its shape as JSON-able data, without `kind`."""
        return {name: getattr(self, name) for name in self._fields()}

    @classmethod
    def from_dict(cls: type[M], data: dict[str, Any]) -> M:
        """The model again. ValueError where the data, from whoever, are not those of one: nothing
        is allocated before they are checked.

        The default takes a number for each field, whole where the field is annotated so.
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
        """ValueError where no function has this shape, or one of more parameters, or more work for
        a point, than anyone would want: what a header of a few bytes may ask for ends here."""

    @abstractmethod
    def arrays(self, params: Floats) -> list[ParameterArray]:
        """Views into params (n_params,), always the same ones in the same order; what lies in none
        of them has no part in the function."""

    def segments(self, params: Floats) -> list[Segment]:
        """Views into the same parameters, for compressors of arrays."""
        return [Segment(a.group, "table", a.values) for a in self.arrays(params)]

    @abstractmethod
    def initial(self, seed: int) -> Params:
        """First weights (n_params,), a function of the seed alone."""

    def for_domain(self: M, n_voxels: int) -> M:
        """The model for a domain of `n_voxels` where nobody says how large it is."""
        return self

    def for_block(self: M, n_outputs: int, share: float) -> M:
        """The model for a partition that holds `share` (0..1] of all voxels of the domain, so that
        all blocks together spend what one model of the whole would; by default, each as much."""
        return dataclasses.replace(self, n_outputs=n_outputs)  # type: ignore[type-var]

    def sizes(self: M, n_voxels: int, *, corrected: bool = False) -> list[SizeOption]:
        """Sizes for a block of `n_voxels`, each of more parameters than the one before; at least
        one. corrected: only those that pay where a residual makes up for what is missing."""
        return [SizeOption(self, 1.0)]

    def scaled(self, params: Floats, factors: Floats) -> Params | None:
        """Parameters (n_params,) of this function with each output times its factor (n_outputs,);
        None where the model cannot say. A warm start begins with them, since a block's range, in
        which outputs count, changes from step to step."""
        return None

    @property
    def read_cost(self) -> ReadCost:
        """Of one point; by default, every parameter is looked at once."""
        return ReadCost(taps=self.n_params, flops=2 * self.n_params)

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
