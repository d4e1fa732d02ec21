"""The record of a run as one HTML page, when the run ends (`record.html`).

In: a complete record, the file of the queries' results. Out: the page, which `insitu.viewer` draws.
"""

from __future__ import annotations

from pathlib import Path

from insitu.core.atomic_file import atomic_file
from insitu.store.record import Record


def write(path: Path, record: Path, results: Path) -> None:
    """Write the page `path`. Not collective.

    Args:
        record: the folder of the record.
        results: the session file; it may be missing.

    Raises: OSError where the page cannot be written, FrameError where the record cannot be read.
    """
    from insitu.viewer import lines_pack, page, session_plots, source

    series, title, units = source.open_series(Record(record), record)
    plots = session_plots.read(results)
    lines = lines_pack.beside(record)
    text = page.embedded(source.SeriesSource(series, title, units, plots=plots, lines=lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
