"""Lines that have a direction: which of their ends get arrowheads, and the shape of these.

In: each rank's pieces of lines. Out: the same without lines of no length, and widths along them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Lines
from insitu.core.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI

LENGTH = "length to the tip"
"""Value at the points of lines: the length of the whole line at its tip, elsewhere 0."""
HEAD, WIDTH = 3.4, 2.4
"""Length and width of an arrowhead, in widths of the line."""
_MOST = 0.5  # of a line's length that the head may take


def directed(comm: MPI.Comm, lines: Lines, shortest: float) -> Lines:
    """The pieces of all lines longer than `shortest`, a world length, with the value `LENGTH`.
    Collective.

    lines: pieces in ascending time, with the values `line` and `time`, as of pathlines. A line's
    tip is its last point in time, on whichever rank that is.
    """
    from mpi4py import MPI

    lengths, latest = np.zeros(0), np.zeros(0)
    owners = np.zeros(0, np.intp)  # of each point, its line
    count = 0
    with together(comm, "lengths of lines"):
        owners = np.asarray(lines.values["line"]).astype(np.intp)
        count = int(owners.max(initial=-1)) + 1
    count = comm.allreduce(count, op=MPI.MAX)
    with together(comm, "lengths of lines"):
        segments = np.linalg.norm(np.diff(lines.points, axis=0, append=lines.points[-1:]), axis=1)
        inner = lines.offsets[1:][np.diff(lines.offsets) > 0] - 1
        segments[inner] = 0  # from one piece to the next
        lengths = np.bincount(owners, segments, minlength=count).astype(np.float64)
        latest = np.full(count, -np.inf)
        np.maximum.at(latest, owners, np.asarray(lines.values["time"], np.float64))
    comm.Allreduce(MPI.IN_PLACE, lengths, op=MPI.SUM)
    comm.Allreduce(MPI.IN_PLACE, latest, op=MPI.MAX)
    found = lines
    with together(comm, "lengths of lines"):
        found = _marked(lines, owners, lengths, latest, shortest)
    return found


def _marked(
    lines: Lines, owners: np.ndarray, lengths: Floats, latest: Floats, shortest: float
) -> Lines:
    tips = np.zeros(len(lines.points))
    counts = np.diff(lines.offsets)
    ends = lines.offsets[1:][counts > 0] - 1
    last = ends[np.asarray(lines.values["time"])[ends] == latest[owners[ends]]]
    tips[last] = lengths[owners[last]]
    kept = (lengths > shortest)[owners]  # (n points,)
    pieces = counts.copy()
    pieces[counts > 0] *= kept[ends]
    values = {**lines.values, LENGTH: tips}
    return replace(
        lines,
        points=lines.points[kept],
        offsets=np.concatenate([[0], np.cumsum(pieces)]),
        values={name: array[kept] for name, array in values.items()},
    )


def with_heads(lines: Lines, widths: Floats) -> tuple[Lines, Floats]:
    """Lines with more points where heads begin, and the widths (n,) along them, world.

    widths: (n,) of the lines at their points.
    """
    if LENGTH not in lines.values or not np.any(lines.values[LENGTH]):
        return lines, widths
    tips = lines.values[LENGTH]
    numbers: list[Floats] = []  # fractional numbers of points
    factors: list[Floats] = []  # of the width there
    sizes = []
    for first, end in zip(lines.offsets[:-1].tolist(), lines.offsets[1:].tolist(), strict=True):
        at, factor = np.arange(first, end, dtype=np.float64), np.ones(end - first)
        if end - first > 1 and tips[end - 1] > 0:
            at, factor = _headed(lines.points[first:end], widths[end - 1], float(tips[end - 1]))
            at += first
        numbers.append(at)
        factors.append(factor)
        sizes.append(len(at))
    at = np.concatenate(numbers)
    points = np.column_stack([_between(axis, at) for axis in lines.points.T])
    values = {name: _between(array, at) for name, array in lines.values.items()}
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Lines(points, offsets, values), _between(widths, at) * np.concatenate(factors)


def _headed(points: Floats, width: float, length: float) -> tuple[Floats, Floats]:
    """Numbers of points of one piece with a head at its end, and factors of the width."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    left = np.append(np.cumsum(steps[::-1])[::-1], 0.0)  # to the tip
    head = min(HEAD * width, _MOST * length, float(left[0]))
    if head <= 0:
        return np.arange(len(points), dtype=np.float64), np.ones(len(points))
    wide = min(WIDTH, WIDTH * head / (HEAD * width) + 1)  # short heads are narrow
    before = np.flatnonzero(left > head)
    start = 0.0
    if len(before):
        i = int(before[-1])
        start = i + (left[i] - head) / steps[i]
    inside = np.flatnonzero(left < head)
    at = np.concatenate([before, [start, start], inside]).astype(np.float64)
    factor = np.concatenate([np.ones(len(before) + 1), [wide], wide * left[inside] / head])
    return at, factor


def _between(values: np.ndarray, at: Floats) -> Floats:
    """Values (n, ...) at fractional numbers of points."""
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low).reshape(-1, *(1,) * (values.ndim - 1))
    return (1 - share) * values[low] + share * values[high]
