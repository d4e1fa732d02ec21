"""What a scene shows: one field of a pipeline's result, as a volume or as colours on geometry.

In: a plot in Ascent's words; the data at all steps of a scene. Out: which fields that takes, and
one transfer function for all steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.parallel import together
from insitu.filters.particle_filters import ParticleFilter
from insitu.filters.pipeline import UNFILTERED, Data, Pipeline, VolumeData
from insitu.filters.ranges import data_range
from insitu.filters.schema import POINTS, VOLUME, DataSchema
from insitu.filters.surface_filters import Slice, ThreeSlice
from insitu.render.color_map import DEFAULT_TABLE, ColorTable
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.histogram import histogram
from insitu.render.volume.march import RenderBlock

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot of a scene, in Ascent's words."""

    field: str
    """Of a vector, its magnitude is shown."""
    type: str = "volume"
    """One of PLOTS."""
    pipeline: Pipeline = UNFILTERED
    color_table: ColorTable = DEFAULT_TABLE
    min_value: float | None = None
    max_value: float | None = None
    """Values at the two ends of the colour table; default: the field's range."""
    samples: int | None = None
    """Of a volume, samples along the diagonal of the domain; default: one per voxel."""
    shading: bool = False
    """Of a volume, light on its gradient; see `march`."""
    color_bar: bool = True
    """Ascent's color_table/annotation."""
    label: str = ""
    """Above the colour bar; default: the name of the field."""

    @property
    def tube_size(self) -> float | None:
        """World radius of the tubes around lines, where its pipeline says so."""
        sizes = [f.tube_size for f in self.pipeline.filters if isinstance(f, ParticleFilter)]
        return sizes[-1] if sizes else None

    @property
    def flat(self) -> bool:
        """Whether it shows planes, whose colours light would only change."""
        return any(isinstance(f, Slice | ThreeSlice) for f in self.pipeline.filters)

    def check(self, fields: DataSchema) -> None:
        """ValueError, "key: text", where its pipeline gives nothing that it can show."""
        data = self.pipeline.outline(fields)
        data.field(self.field)
        if data.kind == POINTS:
            raise ValueError(f"type: {data.made_by} gives points, which no plot shows; save them")
        PLOTS[self.type].check(data)

    def drawn(self, comm: MPI.Comm, data: Data) -> Data:
        """What it draws of what its pipeline gives. Collective."""
        return PLOTS[self.type].drawn(comm, data)


@dataclass(frozen=True)
class PlotType:
    """What there is to know of a type of plots."""

    check: Callable[[DataSchema], None]
    """ValueError, "type: text", where it cannot show such data."""
    drawn: Callable[[MPI.Comm, Data], Data]
    """What it draws of what a pipeline gives. Collective."""
    fits_opacity: bool
    """Whether an opacity that is not given is fitted to the histogram."""


def _check_volume(data: DataSchema) -> None:
    if data.kind != VOLUME:
        raise ValueError(
            f"type: a volume plot needs a volume, and {data.made_by} gives {data.kind}; "
            f"pseudocolor shows that"
        )


def _check_pseudocolor(data: DataSchema) -> None:
    if data.kind == VOLUME and len(data.cut_by) > 1:
        raise ValueError(
            f"type: the surface of what {' and '.join(data.cut_by)} leave is not done; a "
            f"volume plot shows it"
        )


def _faces(comm: MPI.Comm, data: Data) -> Data:
    return data.surface(comm) if isinstance(data, VolumeData) else data


PLOTS = {
    "volume": PlotType(_check_volume, lambda comm, data: data, fits_opacity=True),
    "pseudocolor": PlotType(_check_pseudocolor, _faces, fits_opacity=False),
}


def colors(comm: MPI.Comm, plot: Plot, steps: Sequence[Data]) -> TransferFunction:
    """One transfer function for a plot at all of its steps, at least one. Collective.

    It spans the values of all steps, unless the plot says otherwise; the opacity of a volume that
    the colour table does not give is fitted to the histogram of the last step.

    Raises RemoteError on every rank if one fails, ValueError for words not understood.
    """
    domain = _domain(comm, plot, steps)
    found = TransferFunction.of(plot.color_table, domain)
    last = steps[-1]
    if found.opacity_given or not isinstance(last, VolumeData) or not PLOTS[plot.type].fits_opacity:
        return found
    counts, edges = histogram(comm, blocks(comm, last, plot.field), domain)
    return found.with_opacity_from_histogram(counts, edges)


def blocks(comm: MPI.Comm, volume: VolumeData, field: str) -> list[RenderBlock]:
    """This rank's blocks, ready to be read. Collective: RemoteError on every rank if one fails."""
    found: list[RenderBlock] = []
    with together(comm, f"blocks of {field}"):
        found = [RenderBlock.of(part) for part in volume.fields[field]]
    return found


def _domain(comm: MPI.Comm, plot: Plot, steps: Sequence[Data]) -> tuple[float, float]:
    """Values that the colour table spans: of all steps, or as given. Collective."""
    ranges = [data_range(comm, data, plot.field) for data in steps]
    low, high = (float(v) for v in (np.nanmin(ranges), np.nanmax(ranges)))
    low = low if plot.min_value is None else plot.min_value
    high = high if plot.max_value is None else plot.max_value
    if not low <= high:
        raise ValueError(f"plot: min_value {low} is above max_value {high}")
    return low, high
