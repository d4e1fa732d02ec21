"""Samples at points without a grid, such as those of a surface, as expressions read them.

In: points, values by field. Out: partitions of one row of samples each, which know their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from insitu.core.arrays import Floats
from insitu.mesh.partition import NO_LAYERS, Partition


@dataclass(frozen=True)
class Scattered(Partition):
    """A row of samples; its nodes only number them."""

    points: Floats = field(default_factory=lambda: np.empty((0, 3)))
    """(n, 3), world x y z, of the samples."""


def scattered(points: Floats, values: Mapping[str, Floats]) -> dict[str, list[Partition]]:
    """This rank's samples of each field: one partition, or none without points. Not collective.

    Args:
        points: (n, 3), world x y z.
        values: by field, (n,) or (n, components), any numbers.
    """
    n = len(points)
    if not n:
        return {name: [] for name in values}
    nodes = (np.arange(n + 1.0), np.arange(2.0), np.arange(2.0))
    found: dict[str, list[Partition]] = {}
    for name, array in values.items():
        columns = np.asarray(array, np.float64).reshape(n, -1).T
        rows = tuple(column.reshape(1, 1, n) for column in columns)
        found[name] = [Scattered(name, "element", rows, NO_LAYERS, nodes, 0, points=points)]
    return found
