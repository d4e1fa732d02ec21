"""One block of one field, as used by the rest of the library.

In: views of the simulation's arrays, the owned box and the ghost layers that may be read.
Out: `Partition`: shapes, bounds, owned values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box

Association: TypeAlias = Literal["element", "vertex"]
Shape: TypeAlias = tuple[int, int, int]
# Numbers of ghost layers on the (low, high) side along z, y, x.
Layers: TypeAlias = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

NO_LAYERS: Layers = ((0, 0), (0, 0), (0, 0))


def box_id(domain_id: int, box: int) -> int:
    """The ID of a box of a domain whose owned cells fill several: that of the domain for the first,
    one of its own for each of the others."""
    return domain_id + (box << 40)


@dataclass(frozen=True)
class ScatteredPoints:
    """The points that a block was resampled from: its own, then some within a few cells of it."""

    points: Array
    """(n, 3) x, y, z, world units, float64."""
    values: Array
    """(n, n_components), float32 or float64."""
    n_owned: int
    """How many of them are the block's own. Each point is one block's own, on any rank."""


@dataclass(frozen=True)
class Partition:
    """The owned box of one domain, with at most one valid ghost layer per side.

    The block is not copied, except by `exchange`. Views are valid until the simulation changes its
    arrays; `nodes` is a copy and stays valid.

    Attributes:
        field: the field's name.
        association: "element" (a value per cell) or "vertex" (a value per grid node).
        components: one array (nz, ny, nx) per component, ghost layers included; float32 or
            float64, any strides, read-only.
        ghost_layers: number of layers in `components` on the (low, high) side along z, y, x; 0 or 1
            each.
        nodes: node coordinates of the owned box along x (nx + 1,), y (ny + 1,), z (nz + 1,) for
            nx x ny x nz owned cells; float64, increasing, world units.
        domain_id: the simulation's ID of this domain, or its index in the rank's list; see
            `box_id` for a domain of several boxes.
        dimension: 2 for a mesh in a plane z = constant: one layer of cells around it, with two
            equal planes of vertices.
        scattered: where the block is resampled, and its model is trained on points
            (`Model.scattered`): the points. None: the samples are the data.
    """

    field: str
    association: Association
    components: tuple[Array, ...]
    ghost_layers: Layers
    nodes: tuple[Array, Array, Array]
    domain_id: int
    dimension: int = 3
    scattered: ScatteredPoints | None = None

    def __post_init__(self) -> None:
        expected = tuple(
            n + sum(layers) for n, layers in zip(self.shape, self.ghost_layers, strict=True)
        )
        for component in self.components:
            if component.shape != expected:
                raise ValueError(
                    f"field '{self.field}': an array of shape {component.shape}; owned box and "
                    f"ghost layers make {expected}"
                )

    @property
    def n_components(self) -> int:
        return len(self.components)

    @property
    def cells(self) -> Shape:
        """Owned cells (nz, ny, nx)."""
        x, y, z = self.nodes
        return z.size - 1, y.size - 1, x.size - 1

    @property
    def shape(self) -> Shape:
        """Owned samples (nz, ny, nx): as many as cells, one more per axis for vertex data."""
        nz, ny, nx = self.cells
        extra = 1 if self.association == "vertex" else 0
        return nz + extra, ny + extra, nx + extra

    @property
    def n_voxels(self) -> int:
        """Number of owned samples."""
        return math.prod(self.shape)

    @property
    def n_published(self) -> int:
        """Number of owned samples that the simulation has: of two equal planes, one; of scattered
        points, the block's own."""
        if self.scattered is not None:
            return self.scattered.n_owned
        nz, ny, nx = self.shape
        return (nz if self.dimension == 3 else 1) * ny * nx

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper corner of the owned box, each (3,) in x, y, z, world units."""
        low = np.array([axis[0] for axis in self.nodes])
        high = np.array([axis[-1] for axis in self.nodes])
        return low, high

    @property
    def owned_box(self) -> Box:
        """The owned samples in the components: slices z, y, x."""
        z, y, x = (
            slice(low, low + n) for n, (low, _) in zip(self.shape, self.ghost_layers, strict=True)
        )
        return z, y, x

    @property
    def owned(self) -> tuple[Array, ...]:
        """The components without ghost layers: views of shape `shape`."""
        return tuple(component[self.owned_box] for component in self.components)
