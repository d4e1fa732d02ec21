"""Pathlines in the page are those of the files, rounded."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines
from insitu.io.write_geometry import write_lines
from insitu.viewer import lines_pack


def some(n: int = 40) -> Lines:
    t = np.linspace(0, 3, n)
    points = np.stack([np.cos(t), np.sin(t), 0.1 * t], axis=1)
    return Lines(
        points, np.array([0, 12, 13, n]), {"time": t, "speed": np.where(t > 2.9, np.nan, t)}
    )


def test_points_and_values_to_half_a_step() -> None:
    lines = some()
    packed = lines_pack.pack("paths_0092", lines, 3.0)
    entry, data = packed.entry, zlib.decompress(packed.data)
    assert (entry["lines"], entry["points"], entry["group"]) == (2, 39, "paths")
    counts = np.frombuffer(data, "<u4", 2)
    assert counts.tolist() == [12, 27]
    kept = np.delete(np.arange(40), 12)  # a line of one point is none
    at = 8
    for name, (low, high) in zip(entry["columns"], entry["ends"], strict=True):
        bytes_ = np.frombuffer(data, np.uint8, 78, at).astype(np.int64).reshape(2, 39)
        at += 78
        differences = bytes_[0] + 256 * bytes_[1]
        numbers = np.concatenate([np.cumsum(part) for part in np.split(differences, [12])]) & 65535
        want = lines.points[kept, "xyz".index(name)] if name in "xyz" else lines.values[name][kept]
        most = entry["most"][name not in "xyz"]
        got = low + numbers / most * (high - low)
        finite = np.isfinite(want)
        np.testing.assert_allclose(got[finite], want[finite], atol=0.51 * (high - low) / most)
    assert at == len(data)


def test_files_beside_a_record(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    write_lines(MPI.COMM_SELF, tmp_path / "paths_0060.vtp", some(), 2.0)
    write_lines(MPI.COMM_SELF, tmp_path / "paths_0092.pvtp", some(), 3.0)
    (tmp_path / "other.vtp").write_text("of another program")
    found = lines_pack.beside(tmp_path / "record")
    assert [(one.entry["group"], one.entry["time"]) for one in found] == [
        ("paths", 2),
        ("paths", 3),
    ]
    with pytest.raises(ValueError, match=r"other\.vtp"):
        lines_pack.read([tmp_path / "other.vtp"])
    with pytest.raises(OSError, match=r"none\.vtp"):
        lines_pack.read([tmp_path / "none.vtp"])
