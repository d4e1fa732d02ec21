"""The parameters of a model as codecs see them: named arrays, of which they know no more.

In: a parameter vector, and an object that knows its layout. Out: views of the weights that take
part in the function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats

Role = Literal["matrix", "level", "coefficients"]


class ParameterArray(NamedTuple):
    """One array of a model's parameters."""

    name: str
    """Unique in its model, as "mlp.0" or "level.2.feature.1"."""
    role: Role
    """What it is: a matrix of an MLP, one feature of a grid's level, coefficients of anything."""
    group: str
    """Arrays of one group follow each other and are much alike, as "mlp" or "level.2"."""
    values: Floats
    """A view of the parameters that take part in the function; padding is left out."""


class Segment(NamedTuple):
    """A stretch of the parameter vector, as compressors of arrays take it."""

    group: str
    """That of the `ParameterArray`s that lie in it; its accuracy is theirs."""
    kind: Literal["grid", "table", "exact"]
    """"grid": (nz, ny, nx, n), neighbours along the first axes are alike; "table": any order;
    "exact": in half precision, always."""
    values: Floats
    """A view of the parameters, which may hold padding."""


class Layout(Protocol):
    """What codecs ask of a model; `insitu.models.base.Model` is one."""

    @property
    def n_params(self) -> int: ...

    def arrays(self, params: Floats) -> list[ParameterArray]:
        """Views into params (n_params,), always the same ones in the same order."""

    def segments(self, params: Floats) -> list[Segment]:
        """The same parameters for compressors of arrays, each in one segment."""


def views(layout: Layout, params: Floats) -> list[Floats]:
    """Views into params (n_params,), as `Layout.arrays`."""
    return [array.values for array in layout.arrays(params)]


def assemble(layout: Layout, values: Sequence[Floats]) -> NDArray[np.float32]:
    """(n_params,) from the values of each of `views`; zero elsewhere."""
    params = np.zeros(layout.n_params, np.float32)
    for view, array in zip(views(layout, params), values, strict=True):
        view[...] = array.reshape(view.shape)
    return params
