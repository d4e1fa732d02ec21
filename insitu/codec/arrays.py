"""The arrays into which a model's parameters fall when they are coded.

In: a model and its parameter vector. Out: views of the weights that take part in the function.
"""

from __future__ import annotations

from insitu.models.base import Floats, Model


def views(model: Model, params: Floats) -> list[Floats]:
    """Views into params (n_params,), as `Model.arrays`."""
    return [array.values for array in model.arrays(params)]
