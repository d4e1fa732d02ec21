"""Cuts triangles and tetrahedra at a level of a function that is linear on them.

In: simplices and values at their corners. Out: triangles with corners at their corners or on their
edges. A cut on an edge depends on that edge alone, so pieces that are cut separately match.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats, Indices

# "Outside", for a corner without a finite value: an edge to it is cut at its other end.
_FAR = 1e300


@dataclass(frozen=True)
class Cut:
    """Triangles whose corners are (1 - t) a + t b. Immutable."""

    ends: Indices
    """(m, 3, 2): points a < b, or a = b if the corner is a point."""
    t: Floats
    """(m, 3), in 0..1."""

    @staticmethod
    def join(parts: list[Cut]) -> Cut:
        empty = Cut(np.zeros((0, 3, 2), np.int64), np.zeros((0, 3)))
        parts = [empty, *parts]
        return Cut(np.concatenate([p.ends for p in parts]), np.concatenate([p.t for p in parts]))

    def welded(self) -> tuple[Indices, Floats, Indices]:
        """Ends (n, 2) and t (n,) of the unique corners, and triangles (m, 3) of them."""
        keys = np.concatenate([self.ends.reshape(-1, 2), self.t.reshape(-1, 1).view(np.int64)], 1)
        order = np.lexsort(keys.T)
        keys = keys[order]
        new = np.ones(len(keys), bool)
        new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
        number = np.empty(len(keys), np.int64)
        number[order] = np.cumsum(new) - 1
        first = keys[new]
        t = np.ascontiguousarray(first[:, 2]).view(np.float64)
        return first[:, :2], t, number.reshape(-1, 3)


def inside(values: Floats, low: float, high: float) -> Floats:
    """Values as the functions below expect them: NaN and infinity are outside low..high."""
    outside = -_FAR if low > -np.inf else _FAR
    return np.nan_to_num(values, nan=outside, posinf=_FAR, neginf=-_FAR)


def clip_triangles(triangles: Indices, values: Floats, low: float, high: float) -> Cut:
    """The parts of triangles (m, 3) where low < value < high, with the same winding.

    values: (n,) at the points, finite (see `inside`), linear on a triangle. low, high: at least one
    is finite.
    """
    kept = (values > low) & (values < high)
    count = kept[triangles].sum(axis=1)
    v = values[triangles]
    # All corners beyond the same level: nothing is left.
    some = (v > low).any(axis=1) & (v < high).any(axis=1) & (count < 3)
    whole = triangles[count == 3]
    parts = [Cut(np.stack([whole, whole], axis=-1), np.zeros(whole.shape))]
    cut = triangles[some]
    if len(cut):
        parts.append(_fans(*_outline(cut, values, low, high)))
    return _proper(Cut.join(parts))


def cut_tetrahedra(tetrahedra: Indices, values: Floats, level: float, above: bool) -> Cut:
    """The level set in tetrahedra (m, 4).

    tetrahedra: positively oriented, (b - a) x (c - a) . (d - a) > 0. values: (n,), finite. above:
    whether the part with greater values is kept, or the other; faces point away from the kept part.
    """
    kept = values[tetrahedra] > level if above else values[tetrahedra] < level
    case = kept @ np.array([1, 2, 4, 8])
    parts = []
    for number, polygon in _POLYGONS.items():
        chosen = tetrahedra[case == number]
        if not len(chosen):
            continue
        for i in range(1, len(polygon) - 1):
            edges = [polygon[0], polygon[i], polygon[i + 1]]
            a = np.stack([chosen[:, edge[0]] for edge in edges], axis=1)
            b = np.stack([chosen[:, edge[1]] for edge in edges], axis=1)
            parts.append(Cut(*_on_edges(a, b, values, np.full(a.shape, level))))
    return _proper(Cut.join(parts))


def _outline(
    triangles: Indices, values: Floats, low: float, high: float
) -> tuple[Indices, Floats, NDArray[np.bool_]]:
    """The outline of each triangle: its corners and crossings in order, three per edge, and which
    of these nine exist: (m, 9, 2), (m, 9), (m, 9)."""
    m = len(triangles)
    ends = np.empty((m, 9, 2), np.int64)
    t = np.zeros((m, 9))
    there = np.zeros((m, 9), bool)
    for edge in range(3):
        a, b = triangles[:, edge], triangles[:, (edge + 1) % 3]
        va, vb = values[a], values[b]
        slot = 3 * edge
        ends[:, slot] = a[:, None]
        there[:, slot] = (va > low) & (va < high)
        rising = va < vb
        for i, level in ((1, np.where(rising, low, high)), (2, np.where(rising, high, low))):
            at_low = level == low
            crossed = np.where(at_low, (va > low) != (vb > low), (va < high) != (vb < high))
            there[:, slot + i] = crossed
            finite = np.where(crossed, level, va)
            ends[:, slot + i], t[:, slot + i] = _on_edges(a, b, values, finite)
    return ends, t, there


def _on_edges(a: Indices, b: Indices, values: Floats, level: Floats) -> tuple[Indices, Floats]:
    """The points where the value on edges a-b is `level`: ends, lower number first, and t."""
    first, last = np.minimum(a, b), np.maximum(a, b)
    va, vb = values[first], values[last]
    rise = vb - va
    t = np.where(rise == 0, 0.0, (level - va) / np.where(rise == 0, 1.0, rise))
    start, end = t <= 0, t >= 1
    ends = np.stack([np.where(end, last, first), np.where(start, first, last)], axis=-1)
    return ends, np.where(start | end, 0.0, t)


def _fans(ends: Indices, t: Floats, there: NDArray[np.bool_]) -> Cut:
    """Triangulate convex polygons, each given by those of the nine corners that exist."""
    order = np.argsort(~there, axis=1, kind="stable")
    ends = np.take_along_axis(ends, order[..., None], axis=1)
    t = np.take_along_axis(t, order, axis=1)
    corners = there.sum(axis=1)
    parts = []
    for i in range(1, int(corners.max(initial=0)) - 1):
        has = corners > i + 1
        parts.append(Cut(ends[has][:, [0, i, i + 1]], t[has][:, [0, i, i + 1]]))
    return Cut.join(parts)


def _proper(cut: Cut) -> Cut:
    """Remove triangles with two equal corners."""
    proper = np.ones(len(cut.t), bool)
    for i, j in combinations(range(3), 2):
        same = (cut.ends[:, i] == cut.ends[:, j]).all(axis=1) & (cut.t[:, i] == cut.t[:, j])
        proper &= ~same
    return Cut(cut.ends[proper], cut.t[proper])


def _polygons() -> dict[int, list[tuple[int, int]]]:
    """For each set of kept corners of a tetrahedron (a sum of 1, 2, 4, 8): the edges that a cut
    crosses, counterclockwise as seen from the removed part."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    table = {}
    for number in range(1, 15):
        kept = [i for i in range(4) if number >> i & 1]
        lost = [i for i in range(4) if i not in kept]
        edges = [(i, j) for i in kept for j in lost]
        if len(edges) == 4:  # around the quadrilateral
            edges[2], edges[3] = edges[3], edges[2]
        middles = np.array([(corners[i] + corners[j]) / 2 for i, j in edges])
        normal = np.cross(middles[1] - middles[0], middles[2] - middles[0])
        outward = corners[lost].mean(axis=0) - corners[kept].mean(axis=0)
        table[number] = edges if normal @ outward > 0 else edges[::-1]
    return table


_POLYGONS = _polygons()
