"""Lines come back from the VTK files that they were written to; of other files, a message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines, Surface
from insitu.io.vtp import vtp
from insitu.io.vtp_lines import read_lines
from insitu.io.write_geometry import write_lines


def some() -> Lines:
    random = np.random.default_rng(0)
    values = {"time": random.random(9), "velocity": random.random((9, 3)), "line": np.arange(9.0)}
    return Lines(random.random((9, 3)).astype(np.float32), np.array([0, 4, 4, 9]), values)


@pytest.mark.parametrize("suffix", [".vtp", ".pvtp"])
def test_lines_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"paths{suffix}"
    write_lines(MPI.COMM_SELF, path, some(), 2.5)
    found, time = read_lines(path)
    assert time == 2.5
    np.testing.assert_array_equal(found.points, some().points)
    np.testing.assert_array_equal(found.offsets, some().offsets)
    assert list(found.values) == ["time", "line"]  # no vectors
    np.testing.assert_array_equal(found.values["time"], some().values["time"])


def test_a_surface_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "surface.vtp"
    path.write_bytes(vtp(Surface(np.zeros((3, 3)), np.array([[0, 1, 2]]))))
    assert read_lines(path)[0].n_lines == 0


def test_damaged_files_give_a_message(tmp_path: Path) -> None:
    whole = vtp(some(), 1.0)
    path = tmp_path / "paths.vtp"
    for length in (10, len(whole) // 4, len(whole) // 2, len(whole) - 120):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"paths\.vtp: "):
            read_lines(path)
    path.write_bytes(whole.replace(b'offset="0"', b'offset="-5"'))
    with pytest.raises(ValueError, match="not as insitu writes it"):
        read_lines(path)
    path.with_suffix(".pvtp").write_text("<VTKFile>")
    with pytest.raises(ValueError, match=r"paths\.pvtp: "):
        read_lines(path.with_suffix(".pvtp"))
