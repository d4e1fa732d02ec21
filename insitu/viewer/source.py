"""What is shown: fields over time, from a record, an insitu file, or an array.

In: where the data are. Out: the catalogue that the page starts with; one packed step at a time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import Summary
from insitu.io.array_series import ArraySeries
from insitu.io.array_source import ArraySource
from insitu.render.color_map import ColorTable
from insitu.render.colors.color_tables import COLOR_TABLES
from insitu.store.manifest import Units
from insitu.store.record import Record
from insitu.viewer import step_pack
from insitu.viewer.lines_pack import PackedLines
from insitu.viewer.step_pack import StepPack

Catalogue = dict[str, Any]
Plots = Sequence[dict[str, Any]]
_HALF_BYTE = 0.5 / 255
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

    def pack(self, field: int, step: int, before: StepPack | None = None) -> StepPack:
        """A field's step, both by their index in the catalogue. IndexError if there is none.
        before: the step before, if the page has it for sure."""

    def lines(self, number: int) -> bytes:
        """The pathlines of an entry of the catalogue. IndexError if there are none."""


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
        lines: Sequence[PackedLines] = (),
        run: str = "",
    ) -> None:
        """fields: names, None: all. steps: indices of the steps of each field, None: all.
        plots: curves over time, as of `session_plots`. lines: pathlines, as of `lines_pack`.
        run: identifier of a running simulation."""
        self.title, self.units, self.plots, self.run = title, units, plots, run
        self._lines = lines
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
        found = catalogue(self.title, described, units.length, units.time, self.plots, run=self.run)
        return {**found, "lines": [one.entry for one in self._lines]}

    def lines(self, number: int) -> bytes:
        return self._lines[number].data

    def pack(self, field: int, step: int, before: StepPack | None = None) -> StepPack:
        entries = list(self._steps.values())[field]
        return step_pack.pack([block.open() for block in entries[step].blocks], before)


class ArrayViewSource:
    """An array in a file, as samples: every n-th of an axis with more than 256."""

    def __init__(self, array: ArraySource, title: str) -> None:
        self.array, self.title = array, title
        self._vertex = array.association == "vertex"
        z, y, x = (_kept(n, self._vertex) for n in array.grid_shape)
        _, ny, nx = (slice(0, n) for n in array.grid_shape)
        # Plane by plane: the array may be larger than memory.
        planes = [array.read((slice(int(k), int(k) + 1), ny, nx))[0][np.ix_(y, x)] for k in z]
        self._values = np.stack(planes)
        self._nodes = (
            _lines(array.nodes[0], x, self._vertex),
            _lines(array.nodes[1], y, self._vertex),
            _lines(array.nodes[2], z, self._vertex),
        )

    def catalogue(self) -> Catalogue:
        finite = self._values[np.isfinite(self._values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        corners = [[float(n[i]) for n in self.array.nodes] for i in (0, -1)]
        moment = {"cycle": 0, "time": 0.0, "range": [[low, high]], "bounds": corners}
        moment |= {"psnr": None, "bytes": self.array.raw_nbytes}
        field = {"name": self.array.name, "unit": "", "components": 1, "steps": [moment]}
        return catalogue(self.title, [field], "", "")

    def lines(self, number: int) -> bytes:
        raise IndexError(f"no lines {number}")

    def pack(self, field: int, step: int, before: StepPack | None = None) -> StepPack:
        if (field, step) != (0, 0):
            raise IndexError(f"no step {step} of field {field}")
        reason = "raw array"
        if self._values.shape != self.array.grid_shape:
            kept, all_of = (
                " x ".join(map(str, reversed(shape)))
                for shape in (self._values.shape, self.array.grid_shape)
            )
            reason += f", {kept} of {all_of} samples"
        return step_pack.pack_array(self._values, self._vertex, self._nodes, reason)


def _kept(n: int, vertex: bool) -> NDArray[np.intp]:
    """Indices of the samples along an axis that are shown; at nodes, the last one is among them."""
    every = -(-n // MOST_ARRAY)
    if vertex:
        return np.unique([*range(0, n, every), n - 1])
    return np.arange((every - 1) // 2, n, every)  # the middle of each group


def _lines(nodes: Floats, kept: NDArray[np.intp], vertex: bool) -> Floats:
    """Grid lines between the samples that are kept, or through them at nodes."""
    if vertex:
        return nodes[kept]
    every = int(kept[1] - kept[0]) if len(kept) > 1 else len(nodes)
    return np.append(nodes[:-1:every][: len(kept)], nodes[-1])


def catalogue(
    title: str,
    fields: list[dict[str, Any]],
    length: str,
    time: str,
    plots: Plots = (),
    *,
    run: str = "",
) -> Catalogue:
    """What the page starts with."""
    return {
        "title": title,
        "run": run,
        "length": length,
        "time": time,
        "fields": fields,
        "colors": _color_tables(),
        "plots": list(plots),
        "lines": [],
    }


@cache
def _color_tables() -> dict[str, list[list[float]]]:
    """Positions and colours of all colour tables: of the points, those that differ from a straight
    line between others by more than half a step of a byte (the rule of Ramer, 1972)."""
    tables = {}
    for name in COLOR_TABLES:
        positions, colors = ColorTable(name).colors()
        rows = np.column_stack((positions, colors))
        kept, parts = {0, len(rows) - 1}, [(0, len(rows) - 1)]
        while parts:
            first, last = parts.pop()
            inner = rows[first + 1 : last]
            if not len(inner) or rows[first, 0] == rows[last, 0]:
                kept.update(range(first, last))  # a step of the colours
                continue
            t = (inner[:, :1] - rows[first, 0]) / (rows[last, 0] - rows[first, 0])
            line = rows[first, 1:] + t * (rows[last, 1:] - rows[first, 1:])
            off = np.abs(inner[:, 1:] - line).max(axis=1)
            if off.max() > _HALF_BYTE:
                worst = first + 1 + int(off.argmax())
                kept.add(worst)
                parts += [(first, worst), (worst, last)]
        chosen = rows[sorted(kept)]
        chosen = np.column_stack((chosen[:, 0].round(4), chosen[:, 1:].round(3)))
        tables[name] = chosen.tolist()
    return tables


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
        "psnr": round(psnr, 2) if math.isfinite(psnr) else None,
        "bytes": summary.nbytes,
    }


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0
