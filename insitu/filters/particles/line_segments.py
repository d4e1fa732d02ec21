"""Assembles particle positions into lines, cut where they cross from block to block.

In: points and segments on the ranks that computed them. Out: each rank's lines in its own blocks;
whole lines on rank 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.block_map import BlockMap
from insitu.core.geometry import Lines
from insitu.core.parallel import together
from insitu.filters.particles.integrate import Reached
from insitu.filters.particles.particle_exchange import POINT, Rows, exchange
from insitu.filters.particles.segments import across

if TYPE_CHECKING:
    from mpi4py import MPI


def in_blocks(comm: MPI.Comm, domain: BlockMap, reached: Sequence[Reached]) -> Lines:
    """Lines of this rank, each within one of its blocks, in order of time. Collective."""
    with together(comm, "lines at the faces of blocks"):
        cut = _cut(domain, _joined([r.leaving for r in reached]),
                   _joined([r.arriving for r in reached]))  # fmt: skip
    taken = exchange(comm, cut, domain.ranks[cut["block"]])
    with together(comm, "lines of points"):
        lines = _lines(_joined([*(r.points for r in reached), taken]))
    return lines


def ends(comm: MPI.Comm, domain: BlockMap, points: Sequence[Rows]) -> Lines:
    """Single points as lines of one point, each on the rank that owns it. Collective."""
    given = _joined(points)
    taken = exchange(comm, given, domain.ranks[given["block"]])
    taken = taken[np.argsort(taken["line"])]
    return _as_lines(taken, np.arange(len(taken) + 1))


def gather_lines(comm: MPI.Comm, lines: Lines) -> Lines:
    """Whole lines on rank 0, by number and in order of time; none elsewhere. Collective.

    lines: the result of `pathlines`. The result, which `write_lines` accepts, has no points added
    at block faces, so it does not depend on the decomposition. Where a line crosses a periodic
    side, its next point is at the other one.
    """
    mine = np.empty(len(lines.points), POINT)
    mine["x"], mine["t"], mine["block"] = lines.points, lines.values["time"], 0
    mine["turn"] = 0
    for name in ("line", "step", "speed"):
        mine[name] = lines.values[name]
    mine = mine[mine["step"] == np.rint(mine["step"])]
    there = exchange(comm, mine, np.zeros(len(mine), np.int64))
    with together(comm, "whole lines"):
        there = there[np.lexsort([there["step"], there["line"]])]
        new = np.ones(len(there), bool)
        new[1:] = there["line"][1:] != there["line"][:-1]
        first = new.copy()
        first[1:] |= there["step"][1:] != there["step"][:-1]
        starts = np.flatnonzero(new[first])
        there = there[first]
    return _as_lines(there, np.append(starts, len(there)))


def _cut(domain: BlockMap, start: Rows, end: Rows) -> Rows:
    """The parts of segments within each block, as pairs of points."""
    pieces = []
    shift = end["x"] - start["x"] - domain.nearest_image(end["x"] - start["x"])  # (n, 3)
    around = (shift != 0) * [1, 2, 4]
    for image in range(8):  # where the segment is after it has crossed some of the sides
        crossed = around & image
        some = crossed.sum(axis=1) == image
        a, b = start[some].copy(), end[some].copy()
        a["x"] += shift[some] * (crossed[some] > 0)
        b["x"] -= shift[some] * ((around[some] & ~image) > 0)
        through = image == around[some].sum(axis=1)
        a["turn"] = np.where(through, b["turn"], a["turn"] + image)
        pieces.append(_pieces(domain, a, b))
    return np.concatenate(pieces)


def _pieces(domain: BlockMap, start: Rows, end: Rows) -> Rows:
    """The parts of segments within each block of one image of the domain."""
    segments, blocks, parts = across(domain, start["x"], end["x"])
    a, b = start[segments], end[segments]
    points = np.empty((len(segments), 2), POINT)
    points["line"], points["block"] = a["line"][:, None], blocks[:, None]
    points["turn"] = a["turn"][:, None]
    for name in ("step", "t", "speed"):
        points[name] = _between(a[name][:, None], b[name][:, None], parts)
    inside = _between(a["x"][:, None], b["x"][:, None], parts[..., None])
    points["x"] = domain.clamp(inside, blocks[:, None])
    return points.reshape(-1)


def _between(a: np.ndarray, b: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Linear interpolation, exactly a at 0 and b at 1."""
    return np.asarray(np.where(part == 1, b, a + part * (b - a)))


def _lines(points: Rows) -> Lines:
    """Join consecutive points of a line within a block."""
    points = points[np.lexsort([points["step"], points["block"], points["turn"], points["line"]])]
    alike = np.zeros(len(points), bool)
    alike[1:] = points["line"][1:] == points["line"][:-1]
    alike[1:] &= points["block"][1:] == points["block"][:-1]
    alike[1:] &= points["turn"][1:] == points["turn"][:-1]
    same = alike.copy()
    same[1:] &= points["step"][1:] == points["step"][:-1]
    points, alike = points[~same], alike[~same]
    # A block is convex: a segment that leaves it does not return before the next point.
    joined = alike.copy()
    joined[1:] &= points["step"][1:] <= np.floor(points["step"][:-1]) + 1
    return _as_lines(points, np.append(np.flatnonzero(~joined), len(points)))


def _as_lines(points: Rows, offsets: np.ndarray) -> Lines:
    values = {
        "time": points["t"].copy(),
        "speed": points["speed"].copy(),
        "line": points["line"].astype(np.float64),
        "step": points["step"].copy(),
    }
    return Lines(points["x"].copy(), offsets, values)


def _joined(parts: Sequence[Rows]) -> Rows:
    return np.concatenate([np.empty(0, POINT), *parts])
