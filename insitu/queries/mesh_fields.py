"""Field expressions of the mesh: coordinates, sizes of cells, indices, random numbers, bins.

In: a box of samples of a block. Out: arrays (nz, ny, nx) that broadcast to the box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.place_hash import random_at
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.queries import binnings
from insitu.queries.block_view import SampleBox
from insitu.queries.fields import Arrays, Field, FieldRef, Parameter
from insitu.queries.values import Binning

if TYPE_CHECKING:
    from insitu.queries.region import Region

MESH_CELLS, MESH_VERTICES = FieldRef("(cells)"), FieldRef("(vertices)")
"""The mesh as a field without components, for expressions that read no field."""
OF_MESH = {MESH_CELLS.name: "element", MESH_VERTICES.name: "vertex"}
"""By name: where the samples are."""


def blocks_of_mesh(blocks: Sequence[Partition], name: str) -> list[Partition]:
    """The blocks of a mesh, as `Source.mesh` gives them, under a name of OF_MESH: with a component
    only where it says which samples are outside."""
    where: Any = OF_MESH[name]
    return [
        Partition(
            field=name,
            association=where,
            components=block.owned if block.association == where else (),
            ghost_layers=NO_LAYERS,
            nodes=block.nodes,
            domain_id=block.domain_id,
            dimension=block.dimension,
        )
        for block in blocks
    ]


class OfMesh(Field):
    """What follows from the place of a sample."""

    def values(self, region: Region) -> Arrays:
        """NaN outside of the mesh, where a mesh of cells was resampled to a box."""
        whole = np.broadcast_to(self._values(region), region.shape)
        for samples in self.samples:
            for mask in region.read(samples):
                whole = np.where(np.isnan(mask), np.nan, whole)
        return (whole,)

    def _values(self, region: Region) -> NDArray[np.float64]:
        raise NotImplementedError


@dataclass(frozen=True)
class Coordinate(OfMesh):
    """x, y or z of the sample: of the vertex, or of the cell's centre."""

    axis: int
    mesh: tuple[FieldRef, ...] = ()
    """MESH_CELLS or MESH_VERTICES; none: where the fields are that stand beside it."""

    def _values(self, region: Region) -> NDArray[np.float64]:
        return region.coordinate(self.axis)


@dataclass(frozen=True)
class CellSize(OfMesh):
    """dx, dy, dz, the volume, or the area of cells. An area is of a mesh that is one cell thick
    along z, and else NaN."""

    what: str
    mesh: FieldRef = MESH_CELLS

    def _values(self, region: Region) -> NDArray[np.float64]:
        dx, dy, dz = (region.cell_width(axis) for axis in range(3))
        if self.what == "area":
            return dx * dy + (0 if region.is_flat else np.nan)
        return {"dx": dx, "dy": dy, "dz": dz, "volume": dx * dy * dz}[self.what]


@dataclass(frozen=True)
class Everywhere(OfMesh):
    """A number at every sample."""

    number: Parameter
    mesh: FieldRef

    def _values(self, region: Region) -> NDArray[np.float64]:
        return np.asarray(self.number.values(region)[0], np.float64)


@dataclass(frozen=True)
class SampleId(OfMesh):
    """The index of the sample within its domain, x fastest."""

    mesh: FieldRef

    def _values(self, region: Region) -> NDArray[np.float64]:
        assert isinstance(region, SampleBox)
        _, ny, nx = region.block.samples(region.association)
        z, y, x = (
            np.arange(low, high, dtype=np.float64)
            for low, high in zip(region.low, region.high, strict=True)
        )
        return (z[:, None, None] * ny + y[:, None]) * nx + x


@dataclass(frozen=True)
class Random(OfMesh):
    """Numbers evenly distributed in 0..1 that depend on the place of the sample and the cycle."""

    cycle: Parameter
    mesh: FieldRef = MESH_CELLS

    def _values(self, region: Region) -> NDArray[np.float64]:
        (cycle,) = self.cycle.values(region)
        z, y, x = (region.coordinate(axis) for axis in (2, 1, 0))
        return random_at((z, y, x), float(cycle))


@dataclass(frozen=True)
class Painted(Field):
    """The value of the bin that each sample is in."""

    binning: Parameter
    axes: Field
    """The variables of the axes, one component each."""
    default: Parameter
    """Of samples in no bin."""

    def values(self, region: Region) -> Arrays:
        held = region.parameters[self.binning.scalar]
        (default,) = self.default.values(region)
        assert isinstance(held, Binning)
        if not held.value:
            return (np.full(region.shape, np.nan),)
        homes = binnings.homes(self.axes.values(region), held.axes)
        bins = np.append(held.value, float(default))
        return (bins[homes],)

    def association(self, of: Mapping[FieldRef, str]) -> str:
        return self.axes.association(of)
