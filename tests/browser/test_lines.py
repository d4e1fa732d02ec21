"""Pathlines of a run's VTK files in the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines
from insitu.io.write_geometry import write_lines
from tests.support.browser import Open, exported

pytestmark = pytest.mark.browser


def line(until: float) -> Lines:
    """From the left to the right at the height of the middle, and one along y behind the first."""
    x = np.linspace(0, 1, 21)
    points = np.concatenate(
        [
            np.stack([x, 0 * x + 0.5, 0 * x + 0.6], axis=1),
            np.stack([0 * x + 0.5, x, 0 * x + 0.3], axis=1),
        ]
    )
    time = np.concatenate([x, x]) * until
    return Lines(points, np.array([0, 21, 42]), {"time": time, "which": np.repeat([0.0, 1.0], 21)})


def test_pathlines_are_lit_tubes_in_front_of_what_is_behind(
    tab: Open, smooth: Path, tmp_path: Path
) -> None:
    record = tmp_path / "record"
    record.symlink_to(smooth)
    for cycle in (0, 10):
        write_lines(MPI.COMM_SELF, tmp_path / f"paths_{cycle:04}.vtp", line(1.0), cycle / 10)
    shown = tab(exported(record))
    shown.settle()
    view = {"position": [0.5, 0.5, 4], "look_at": [0.5, 0.5, 0.5], "up": [0, 1, 0], "fov": 20}
    shown.update({"view": view, "volume": False, "theme": "light", "box": False})
    shown.page.click("#lines summary")
    shown.page.select_option("#line-group", "paths")
    shown.page.select_option("#line-color-by", "which")
    shown.update(
        {"lines": {"group": "paths", "by": "which", "table": "Jet", "width": 6, "past": False}}
    )
    picture = shown.pixels().astype(int)
    height, width, _ = picture.shape
    middle = picture[height // 2, width // 2]  # the one in front hides the other
    assert middle[2] > middle[0] + 60, middle  # blue: the lowest value
    drawn = picture.min(axis=2) < 200
    above = picture[height // 4 : height // 4 + 4][drawn[height // 4 : height // 4 + 4]]
    assert len(above) and (above[:, 0] > above[:, 2] + 60).any()  # red: the highest
    columns = np.flatnonzero(drawn[height // 2 - 8 : height // 2 + 8].any(axis=0))
    long = np.ptp(columns)
    # Up to the present time: half of the line at the cycle 5.
    shown.update({"step": 1})
    lines = {"group": "paths", "by": "which", "table": "Jet", "width": 6, "past": True}
    shown.update({"lines": lines})
    drawn = shown.pixels().min(axis=2) < 200
    columns = np.flatnonzero(drawn[height // 2 - 8 : height // 2 + 8].any(axis=0))
    assert np.ptp(columns) == pytest.approx(long / 2, abs=0.06 * long)
    # An isosurface in front of a line hides it.
    shown.update({"lines": {**lines, "past": False}, "slices": [None, None, 0.8]})
    hidden = shown.pixels().astype(int)
    shown.update({"lines": {**lines, "group": None}})
    assert np.abs(shown.pixels() - hidden)[height // 2 - 8 : height // 2 + 8].max() <= 2
