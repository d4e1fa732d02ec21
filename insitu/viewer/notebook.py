"""The viewer in a notebook.

In: a record, or its path. Out: an object that Jupyter shows as the page, which needs no server.
"""

from __future__ import annotations

import html
from pathlib import Path

from insitu.io.array_series import ArraySeries
from insitu.io.compressed_array import CompressedArray
from insitu.store.record import Record
from insitu.viewer import lines_pack
from insitu.viewer.page import embedded
from insitu.viewer.source import SeriesSource, open_series


class Shown:
    """A page in a frame of its own."""

    def __init__(self, document: str, height: int) -> None:
        self.document, self.height = document, height

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.document, quote=True)}" width="100%" '
            f'height="{self.height}" style="border:0" title="insitu" '
            f'sandbox="allow-scripts allow-downloads"></iframe>'
        )


def view(
    record: Record | CompressedArray | Path | str,
    *,
    fields: list[str] | None = None,
    steps: list[int] | None = None,
    height: int = 640,
) -> Shown:
    """Show a record or a compressed array in a notebook: the last value of a cell.

    Args:
        record: opened, or its path.
        fields: names; default: all.
        steps: indices, not negative; default: all.
        height: of the frame, in pixels.

    Raises KeyError for an unknown field, IndexError for a step that no field has, FrameError for
    corrupt blocks.
    """
    if isinstance(record, Path | str):
        path = Path(record)
        record = Record(path) if path.is_dir() else CompressedArray.open(path)
    opened = record if isinstance(record, Record) else ArraySeries(record)
    name = record.path if isinstance(record, Record) else Path(record.name)
    series, title, units = open_series(opened, name)
    for field in fields or ():
        if field not in series.names:
            raise KeyError(f"no field {field!r}; there are: {', '.join(series.names)}")
    n_steps = max((len(series.entries(field)) for field in fields or series.names), default=0)
    for step in steps or ():
        if not 0 <= step < n_steps:
            raise IndexError(f"no step {step}; there are 0 to {n_steps - 1}")
    lines = lines_pack.beside(record.path) if isinstance(record, Record) else []
    source = SeriesSource(series, title, units, fields=fields, steps=steps, lines=lines)
    return Shown(embedded(source), height)
