"""Parameters of a model as named arrays, which is all that codecs know of it.

In: a parameter vector, and an object that knows its layout. Out: views of the weights that affect
the function.
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
    """Unique in its model, such as "mlp.0" or "level.2.feature.1"."""
    role: Role
    """Kind of array: a matrix of an MLP, one feature of a grid level, or other coefficients."""
    group: str
    """Arrays of a group are consecutive and have similar statistics, such as "mlp" or "level.2"."""
    values: Floats
    """A view of the parameters that affect the function, without padding."""


class Segment(NamedTuple):
    """A part of the parameter vector, for array compressors."""

    group: str
    """Group of the `ParameterArray`s in it, which have the same accuracy."""
    kind: Literal["grid", "table", "exact"]
    """"grid": (nz, ny, nx, n), smooth along the first three axes; "table": in any order; "exact":
    always in half precision."""
    values: Floats
    """A view of the parameters, which may include padding."""


class Layout(Protocol):
    """What codecs need from a model; `insitu.models.base.Model` implements it."""

    @property
    def n_params(self) -> int: ...

    def arrays(self, params: Floats) -> list[ParameterArray]:
        """Views into params (n_params,), always the same ones in the same order."""

    def segments(self, params: Floats) -> list[Segment]:
        """The same parameters for array compressors; each parameter is in one segment."""


def views(layout: Layout, params: Floats) -> list[Floats]:
    """Views into params (n_params,), as `Layout.arrays`."""
    return [array.values for array in layout.arrays(params)]


def assemble(layout: Layout, values: Sequence[Floats]) -> NDArray[np.float32]:
    """Parameters (n_params,) from the values of each of `views`; zero elsewhere."""
    params = np.zeros(layout.n_params, np.float32)
    for view, array in zip(views(layout, params), values, strict=True):
        view[...] = array.reshape(view.shape)
    return params
