"""Plots: one field of a pipeline's result, shown as a volume or as colours on geometry.

In: the options of a plot; the data at all steps of a scene. Out: the data to draw, and one
transfer function for all steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.filters.geometry.pointwise_block import PointwiseBlock
from insitu.filters.geometry.spheres import spheres
from insitu.filters.geometry.surface_edges import edges
from insitu.filters.particle_filters import ParticleAdvection, ParticleFilter, Pathlines
from insitu.filters.pipeline import UNFILTERED, Data, Pipeline, VolumeData
from insitu.filters.ranges import data_range, magnitudes
from insitu.filters.sampling import HistSampling
from insitu.filters.schema import POINTS, VOLUME, DataSchema
from insitu.filters.surface_filters import Slice, ThreeSlice, Vector
from insitu.render.color_map import DEFAULT_TABLE, ColorTable
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.histogram import histogram
from insitu.render.volume.march import RenderBlock

if TYPE_CHECKING:
    from mpi4py import MPI


SAMPLES_PER_VOXEL = 4
"""Of volumes: with fewer, the distance of the samples shows as rings and hatching."""
DYNAMIC_RANGE = 1e6
"""Of a logarithmic scale: the largest value over the smallest one that has a colour of its own."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot of a scene; options follow Ascent's plots."""

    field: str
    """Name of the field; vectors are shown by their magnitude."""
    type: str = "volume"
    """A key of PLOTS."""
    pipeline: Pipeline = UNFILTERED
    color_table: ColorTable = DEFAULT_TABLE
    min_value: float | None = None
    max_value: float | None = None
    """Values at the two ends of the colour table; default: the field's range."""
    log_scale: bool = False
    """Whether colours follow the logarithm of the values; see `on_scale`."""
    samples: int | None = None
    """For volume plots: samples along the diagonal of the domain; default: `SAMPLES_PER_VOXEL`."""
    jitter: bool = False
    """For volume plots: whether samples are shifted by a random part of their distance."""
    shading: bool = False
    """For volume plots: gradient shading; see `march`."""
    color_bar: bool = True
    """Whether to draw a colour bar; color_table/annotation in Ascent."""
    label: str = ""
    """Title of the colour bar; default: the name of the field."""
    line_thickness: float | None = None
    """World diameter of lines; default: that of the pipeline's tubes, or one pixel of a mesh and
    three of other lines."""
    radius: float | None = None
    """World radius of the spheres at points; default: by the distances between points."""
    radius_delta: float = 0.0
    """By how much of it the radius grows or shrinks from the middle of the values to their ends."""

    @property
    def tube_size(self) -> float | None:
        """World radius of the tubes around lines, if the pipeline sets one."""
        sizes = [f.tube_size for f in self.pipeline.filters if isinstance(f, ParticleFilter)]
        return sizes[-1] if sizes else None

    @property
    def arrows(self) -> bool:
        """Whether lines have arrowheads: those of particles through time."""
        return any(isinstance(f, Pathlines) and f.arrowheads for f in self.pipeline.filters)

    @property
    def width(self) -> float:
        """Of lines: the diameter of tubes, world, else pixels."""
        if self.line_thickness is not None:
            return self.line_thickness
        if self.tube_size is not None:
            return 2 * self.tube_size
        return 1.0 if self.type == "mesh" else 3.0

    @property
    def width_in_pixels(self) -> bool:
        return self.line_thickness is None and self.tube_size is None

    @property
    def flat(self) -> bool:
        """Whether it shows plane slices, which are drawn unlit to keep their colours."""
        return any(isinstance(f, Slice | ThreeSlice) for f in self.pipeline.filters)

    @property
    def plane(self) -> Vector | None:
        """The normal of the plane that it shows and nothing else."""
        last = self.pipeline.filters[-1] if self.pipeline.filters else None
        return last.normal if isinstance(last, Slice) else None

    def check(self, fields: DataSchema) -> None:
        """Raises ValueError, "key: text", if it cannot show the result of its pipeline."""
        data = self.pipeline.outline(fields)
        data.field(self.field)
        if data.kind == POINTS and self.type == "mesh":
            raise ValueError(f"type: {data.made_by} produces points; use pseudocolor")
        PLOTS[self.type].check(data)

    def drawn(self, comm: MPI.Comm, data: Data) -> Data:
        """The data to draw, from the result of its pipeline. Collective."""
        found = PLOTS[self.type].drawn(comm, data)
        if isinstance(found, Lines) and self.type == "pseudocolor" and self._shows_points:
            return spheres(comm, found, self.field, self.radius, self.radius_delta)
        return found

    @property
    def _shows_points(self) -> bool:
        return any(isinstance(f, ParticleAdvection | HistSampling) for f in self.pipeline.filters)


@dataclass(frozen=True)
class PlotType:
    """A plot type."""

    check: Callable[[DataSchema], None]
    """Raises ValueError, "type: text", if it cannot show such data."""
    drawn: Callable[[MPI.Comm, Data], Data]
    """The data to draw, from the result of a pipeline. Collective."""
    fits_opacity: bool
    """Whether the opacity is fitted to the histogram if none is given."""


def _check_volume(data: DataSchema) -> None:
    if data.kind != VOLUME:
        raise ValueError(
            f"type: a volume plot needs a volume, but {data.made_by} produces {data.kind}; "
            f"use pseudocolor"
        )


def _check_pseudocolor(data: DataSchema) -> None:
    if data.kind == VOLUME and len(data.cut_by) > 1:
        raise ValueError(
            f"type: pseudocolor after {' and '.join(data.cut_by)} is not supported; use "
            f"a volume plot"
        )


def _faces(comm: MPI.Comm, data: Data) -> Data:
    return data.surface(comm) if isinstance(data, VolumeData) else data


def _mesh_lines(comm: MPI.Comm, data: Data) -> Data:
    found = _faces(comm, data)
    if not isinstance(found, Surface):
        return found
    uncut = isinstance(data, VolumeData) and data.around is None
    with together(comm, "lines of the mesh"):
        found = edges(found, along_axes=uncut)
    return found


PLOTS = {
    "volume": PlotType(_check_volume, lambda comm, data: data, fits_opacity=True),
    "pseudocolor": PlotType(_check_pseudocolor, _faces, fits_opacity=False),
    "mesh": PlotType(_check_pseudocolor, _mesh_lines, fits_opacity=False),
}


def on_scale(
    comm: MPI.Comm, plot: Plot, steps: Sequence[Data]
) -> tuple[list[Data], tuple[float, float]]:
    """The data of a plot as it is coloured, at all of its steps (at least one), and the values of
    the first and the last colour. Collective.

    They span the values of all steps, unless the plot sets its range. On a logarithmic scale, both
    are decimal logarithms (for vectors, of the magnitude); values below the first colour count as
    that, which is at least the largest value over `DYNAMIC_RANGE` unless the plot sets it.

    Raises RemoteError on every rank if one fails, ValueError for invalid options.
    """
    low, high = _domain(comm, plot, steps)
    if not plot.log_scale:
        return list(steps), (low, high)
    if plot.min_value is None:
        low = max(low, high / DYNAMIC_RANGE)
    if not 0 < low <= high:
        raise ValueError(
            f"log_scale: {plot.field} goes from {low:g} to {high:g}; only positive values have a "
            f"logarithm"
        )

    def logarithm(values: Floats) -> Floats:
        return np.log10(np.maximum(magnitudes(values), low))  # NaN stays

    found: list[Data] = []
    with together(comm, f"logarithm of {plot.field}"):
        found = [_mapped(data, plot.field, logarithm) for data in steps]
    return found, (float(np.log10(low)), float(np.log10(high)))


def _mapped(data: Data, name: str, function: Callable[[Floats], Floats]) -> Data:
    """The data with another field of this name: a function, (n, components) -> (n,), of it."""
    if not isinstance(data, VolumeData):
        return replace(data, values={**data.values, name: function(data.values[name])})

    def formula(values: Floats) -> Floats:
        return function(values[:, 0] if values.shape[1] == 1 else values)[:, None]

    blocks = [PointwiseBlock(name, block, (), formula, 1) for block in data.fields[name]]
    return replace(data, fields={**data.fields, name: blocks})


def colors(
    comm: MPI.Comm, plot: Plot, steps: Sequence[Data], domain: tuple[float, float]
) -> TransferFunction:
    """One transfer function for a plot at all of its steps (at least one), as given by `on_scale`.
    Collective.

    For volume plots without opacities in the colour table, the opacity is fitted to the histogram
    of the last step.

    Raises RemoteError on every rank if one fails, ValueError for invalid options.
    """
    found = replace(TransferFunction.of(plot.color_table, domain), log=plot.log_scale)
    last = steps[-1]
    if found.opacity_given or not isinstance(last, VolumeData) or not PLOTS[plot.type].fits_opacity:
        return found
    counts, ends = histogram(comm, blocks(comm, last, plot.field), domain)
    return found.with_opacity_from_histogram(counts, ends)


def blocks(comm: MPI.Comm, volume: VolumeData, field: str) -> list[RenderBlock]:
    """This rank's blocks for rendering. Collective: RemoteError on every rank if one fails."""
    found: list[RenderBlock] = []
    with together(comm, f"blocks of {field}"):
        found = [RenderBlock.of(part) for part in volume.fields[field]]
    return found


def _domain(comm: MPI.Comm, plot: Plot, steps: Sequence[Data]) -> tuple[float, float]:
    """The range of the colour table: over all steps, or as given by the plot. Collective."""
    ranges = [data_range(comm, data, plot.field) for data in steps]
    low, high = (float(v) for v in (np.nanmin(ranges), np.nanmax(ranges)))
    low = low if plot.min_value is None else plot.min_value
    high = high if plot.max_value is None else plot.max_value
    if not low <= high:
        raise ValueError(f"plot: min_value {low} is above max_value {high}")
    return low, high
