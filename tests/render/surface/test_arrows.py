"""Arrowheads: at the last point in time, on whichever rank it is; none on lines of no length."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.geometry import Lines
from insitu.render.camera import Camera
from insitu.render.surface import arrows
from insitu.render.surface.raster import StyledGeometry, rasterize
from insitu.render.surface.tubes import tubes

CAMERA = Camera((0.5, 0.5, 4.0), (0.5, 0.5, 0.0), width=200, height=200)


def straight(x: float, y0: float, y1: float, line: int, n: int = 5) -> Lines:
    """Along y, at times y."""
    y = np.linspace(y0, y1, n)
    points = np.column_stack([np.full(n, x), y, np.zeros(n)])
    return Lines(points, np.array([0, n]), {"line": np.full(n, float(line)), "time": y})


def joined(pieces: list[Lines]) -> Lines:
    offsets = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    names = ("line", "time")
    return Lines(
        np.concatenate([piece.points for piece in pieces] or [np.zeros((0, 3))]),
        offsets,
        {n: np.concatenate([p.values[n] for p in pieces] or [np.zeros(0)]) for n in names},
    )


@pytest.mark.parallel([1, 3])
def test_tips_and_lengths_are_those_of_whole_lines() -> None:
    comm = MPI.COMM_WORLD
    pieces = [
        straight(0.2, 0.0, 0.5, 0),
        straight(0.2, 0.5, 0.9, 0),  # the rest of the same
        straight(0.4, 0.1, 0.7, 2),
        straight(0.6, 0.3, 0.3, 3),  # a particle at rest
    ]
    found = arrows.directed(comm, joined(pieces[comm.rank :: comm.size]), 1e-3)
    tips = found.values[arrows.LENGTH]
    mine = [(p.tolist(), float(t)) for p, t in zip(found.points, tips, strict=True) if t > 0]
    every = sorted(one for some in comm.allgather(mine) for one in some)
    assert [point for point, _ in every] == [[0.2, 0.9, 0.0], [0.4, 0.7, 0.0]]
    assert [length for _, length in every] == pytest.approx([0.9, 0.6])
    assert comm.allreduce(found.n_lines) == 4  # the pieces keep their numbers
    assert comm.allreduce(len(found.points)) == 15


def test_nothing_is_nothing() -> None:
    assert len(arrows.directed(MPI.COMM_SELF, joined([]), 0.1).points) == 0
    still = arrows.directed(MPI.COMM_SELF, joined([straight(0, 0, 0, 0)]), 0.1)
    assert len(still.points) == 0 and len(tubes(still, CAMERA, 4.0).points) == 0


def test_a_head_is_wider_than_its_line_and_ends_in_a_point() -> None:
    line = arrows.directed(MPI.COMM_SELF, straight(0.5, 0.1, 0.9, 0), 0.0)
    rgba, _ = rasterize([StyledGeometry(line, width=8.0)], CAMERA)
    wide = (rgba[..., 3] > 0).sum(axis=1)  # pixels of each row, from the tip down
    rows = np.flatnonzero(wide)
    tip, (_, shaft) = rows[0], CAMERA.project(np.array([[0.5, 0.3, 0.0]]))[0][0]
    assert wide[int(shaft)] == pytest.approx(8, abs=1)
    head = wide[tip : tip + round(arrows.HEAD * 8)]
    assert head[0] <= 3 and head.max() == pytest.approx(arrows.WIDTH * 8, abs=2)
    assert (np.diff(head[:-2]) >= 0).all()  # it grows evenly
    assert wide[tip + round(arrows.HEAD * 8) + 2] == pytest.approx(8, abs=1)


def test_short_lines_have_short_heads() -> None:
    line = arrows.directed(MPI.COMM_SELF, straight(0.5, 0.5, 0.52, 0, 2), 0.0)
    headed, widths = arrows.with_heads(line, np.full(2, 0.03))
    assert headed.points[:, 1] == pytest.approx([0.5, 0.51, 0.51, 0.52])
    assert widths[0] == widths[1] == pytest.approx(0.03)
    assert 0.03 < widths[2] < arrows.WIDTH * 0.03 and widths[3] == 0
