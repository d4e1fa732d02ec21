"""What is shown: fields over time, from a record, an insitu file, or an array.

In: where the data are. Out: the catalogue that the page starts with; one packed step at a time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import Summary
from insitu.io.array_series import ArraySeries
from insitu.io.array_source import ArraySource
from insitu.render.color_map import ColorTable
from insitu.render.colors.color_tables import COLOR_TABLES
from insitu.store.manifest import Units
from insitu.store.record import Record
from insitu.viewer import step_pack
from insitu.viewer.step_pack import StepPack

Catalogue = dict[str, Any]
Plots = Sequence[dict[str, Any]]
MOST_ARRAY = 256  # samples per axis of an array without a model


class OpensBlock(Protocol):
    """A block that is decoded when it is opened."""

    def open(self) -> BlockField: ...


class SteppedBlocks(Protocol):
    """One field at one step, with all its blocks."""

    @property
    def summary(self) -> Summary: ...

    @property
    def blocks(self) -> Sequence[OpensBlock]: ...


class BlockSeries(Protocol):
    """A record, or a compressed array."""

    @property
    def names(self) -> list[str]: ...

    def entries(self, name: str) -> Sequence[SteppedBlocks]: ...


class ViewSource(Protocol):
    """What the page can show."""

    def catalogue(self) -> Catalogue:
        """Title, units, fields with their steps, colour tables: plain data for JSON."""

    def pack(self, field: int, step: int) -> StepPack:
        """A field's step, both by their index in the catalogue. IndexError if there is none."""


class SeriesSource:
    """A record or an insitu file, all fields and steps, or some."""

    def __init__(
        self,
        series: BlockSeries,
        title: str,
        units: Units | None = None,
        *,
        fields: Collection[str] | None = None,
        steps: Collection[int] | None = None,
        plots: Plots = (),
    ) -> None:
        """fields: names, None: all. steps: indices of the steps of each field, None: all.
        plots: curves over time, as of `session_plots`."""
        self.title, self.units, self.plots = title, units, plots
        chosen = [name for name in series.names if fields is None or name in fields]
        self._steps = {
            name: [e for i, e in enumerate(series.entries(name)) if steps is None or i in steps]
            for name in chosen
        }
        self._steps = {name: entries for name, entries in self._steps.items() if entries}

    def catalogue(self) -> Catalogue:
        units = self.units or Units()
        described = [
            {
                "name": name,
                "unit": units.fields.get(name, ""),
                "components": len(entries[0].summary.range),
                "steps": [_moment(entry.summary) for entry in entries],
            }
            for name, entries in self._steps.items()
        ]
        return catalogue(self.title, described, units.length, units.time, self.plots)

    def pack(self, field: int, step: int) -> StepPack:
        entries = list(self._steps.values())[field]
        return step_pack.pack([block.open() for block in entries[step].blocks])


class ArrayViewSource:
    """An array in a file, as samples: at most 256 per axis, others are left out evenly."""

    def __init__(self, array: ArraySource, title: str) -> None:
        self.array, self.title = array, title
        whole = array.read(array.whole)
        self._steps = [max(1, -(-n // MOST_ARRAY)) for n in array.grid_shape]
        z, y, x = (slice(None, None, n) for n in self._steps)
        self._values = np.asarray(whole[z, y, x])

    def catalogue(self) -> Catalogue:
        finite = self._values[np.isfinite(self._values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        corners = [[float(n[i]) for n in self.array.nodes] for i in (0, -1)]
        moment = {"cycle": 0, "time": 0.0, "range": [[low, high]], "bounds": corners}
        moment |= {"psnr": None, "bytes": self.array.raw_nbytes}
        field = {"name": self.array.name, "unit": "", "components": 1, "steps": [moment]}
        return catalogue(self.title, [field], "", "")

    def pack(self, field: int, step: int) -> StepPack:
        if (field, step) != (0, 0):
            raise IndexError(f"no step {step} of field {field}")
        nodes = self.array.nodes
        if max(self._steps) > 1:
            even = [
                np.linspace(n[0], n[-1], count + 1)
                for n, count in zip(nodes, self._values.shape[::-1], strict=True)
            ]
            nodes = (even[0], even[1], even[2])
            return step_pack.pack_array(self._values, False, nodes)
        return step_pack.pack_array(self._values, self.array.association == "vertex", nodes)


def catalogue(
    title: str, fields: list[dict[str, Any]], length: str, time: str, plots: Plots = ()
) -> Catalogue:
    """What the page starts with."""
    tables = {}
    for name in COLOR_TABLES:
        positions, colors = ColorTable(name).colors()
        rows = np.column_stack((positions, colors)).round(5)  # finer than the picture's bytes
        tables[name] = rows.tolist()
    return {
        "title": title,
        "length": length,
        "time": time,
        "fields": fields,
        "colors": tables,
        "notes": [],
        "plots": list(plots),
    }


def open_series(
    opened: Record | ArraySeries, path: Path | str
) -> tuple[BlockSeries, str, Units | None]:
    """An opened record or insitu file as a series, with a title from its path, and its units."""
    path = Path(path)
    if isinstance(opened, Record):
        name = path.resolve().parent.name if path.name == "record" else path.name
        return opened, name, opened.units
    return opened, path.stem, None


def _moment(summary: Summary) -> dict[str, Any]:
    psnr = summary.psnr_db
    return {
        "cycle": summary.cycle,
        "time": summary.time if math.isfinite(summary.time) else None,
        "range": [[_finite(low), _finite(high)] for low, high in summary.range],
        "bounds": [np.asarray(corner).tolist() for corner in summary.bounds],
        "psnr": psnr if math.isfinite(psnr) else None,
        "bytes": summary.nbytes,
    }


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0
