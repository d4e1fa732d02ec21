"""Communication schedules of direct send, binary swap and 2-3 swap, as pure functions.

In: the number of ranks, the algorithm, the number of pixels. Out: for one rank and each round, the
pixels that it sends, receives, and owns afterwards. No data, no MPI.

All three follow a tree. A leaf is one rank with the whole picture. At each node, groups of ranks
merge: the picture is divided again, evenly among all ranks of the node, and each rank receives its
part from every group. Direct send has a single node for all ranks; binary swap (Ma, Painter,
Hansen, Krogh 1994) has nodes of two groups; 2-3 swap (Yu, Wang, Ma, SC 2008, section 3) has nodes
of two or three groups with all leaves at the same depth, which is possible for any number of ranks.
Ranks are numbered in visibility order, so that the blended result of a group is one layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from insitu.core.errors import nearest

ALGORITHMS = ("direct-send", "binary-swap", "2-3-swap")

# Up to this number of ranks direct send is the fastest (benchmarks/compositing.py): it sends every
# active pixel once, while swaps send layers that hardly overlap again in every round.
DIRECT_UP_TO = 16

Interval = tuple[int, int]  # begin, end: half open


@dataclass(frozen=True)
class Transfer:
    """Pixels [begin, end) to or from a rank."""

    peer: int
    begin: int
    end: int


@dataclass(frozen=True)
class Round:
    """One rank's transfers in one round.

    groups: ranks [begin, end) of each group that merges, in visibility order. before, after: the
    pixels that this rank owns before and after the round; pixels in both are not sent.
    """

    groups: tuple[Interval, ...]
    sends: tuple[Transfer, ...]
    receives: tuple[Transfer, ...]
    before: Interval
    after: Interval


def chosen(n_ranks: int, algorithm: str | None = None) -> str:
    """The algorithm, checked if it is named, otherwise chosen by the number of ranks.

    Up to 16 ranks direct send: one round, in which every pixel is sent and blended once. Above,
    where n - 1 messages per rank would be too many and too small: binary swap for powers of two,
    with log2(n) messages, and 2-3 swap otherwise, with at most 4 log2(n).

    Raises ValueError for an unknown name, or for binary swap if n_ranks is not a power of two.
    """
    if algorithm is None:
        if n_ranks <= DIRECT_UP_TO:
            return "direct-send"
        return "2-3-swap" if n_ranks & (n_ranks - 1) else "binary-swap"
    if algorithm not in ALGORITHMS:
        raise ValueError(
            f"compositing: '{algorithm}' is unknown{nearest(algorithm, ALGORITHMS)}"
            f" (known: {', '.join(ALGORITHMS)})"
        )
    if algorithm == "binary-swap" and n_ranks & (n_ranks - 1):
        raise ValueError(
            f"compositing: binary-swap needs a power of two, not {n_ranks} ranks; use 2-3-swap"
        )
    return algorithm


def rounds(rank: int, n_ranks: int, n_pixels: int, algorithm: str) -> list[Round]:
    """The rounds of `rank` for an algorithm (one of ALGORITHMS), in order."""
    path: list[tuple[Interval, ...]] = []  # groups of the nodes above `rank`, root first
    node, depth = (0, n_ranks), _depth(n_ranks, algorithm)
    while node[1] - node[0] > 1:
        groups = _groups(node, depth, algorithm)
        path.append(groups)
        node = next(group for group in groups if group[0] <= rank < group[1])
        depth -= 1
    return [
        _round(rank, groups, depth, n_pixels, algorithm)
        for depth, groups in enumerate(reversed(path), start=1)
    ]


def _depth(n_ranks: int, algorithm: str) -> int:
    """Number of rounds of an algorithm."""
    if algorithm == "direct-send":
        return 1
    return n_ranks.bit_length() - 1  # also for 2-3 swap: 2^d <= n < 2^(d + 1) <= 3^d for d > 1


def _groups(node: Interval, depth: int, algorithm: str) -> tuple[Interval, ...]:
    """The groups that form a node `depth` rounds above the leaves."""
    begin, end = node
    size = end - begin
    # Two, unless the larger half would have more leaves than a ternary tree of that depth.
    few = 2 if (size + 1) // 2 <= 3 ** (depth - 1) else 3
    count = size if algorithm == "direct-send" else few
    return tuple((begin + size * i // count, begin + size * (i + 1) // count) for i in range(count))


def _round(
    rank: int, groups: tuple[Interval, ...], depth: int, n_pixels: int, algorithm: str
) -> Round:
    children = [_members(group, depth - 1, algorithm) for group in groups]
    merged = _members((groups[0][0], groups[-1][1]), depth, algorithm)
    own = next(child for child in children if rank in child)
    before, after = _part(own, rank, n_pixels), _part(merged, rank, n_pixels)
    sends = _overlaps(merged, before, n_pixels)
    receives = [t for child in children for t in _overlaps(child, after, n_pixels)]
    return Round(
        groups,
        tuple(t for t in sends if t.peer != rank),
        tuple(t for t in receives if t.peer != rank),
        before,
        after,
    )


@lru_cache(maxsize=1024)
def _members(group: Interval, depth: int, algorithm: str) -> tuple[int, ...]:
    """The ranks of a group, in the order of their parts of the picture.

    They are sorted by the position of their previous parts: groups of equal size then only
    subdivide what they already have, and in other cases little data moves.
    """
    if group[1] - group[0] == 1:
        return (group[0],)
    children = [_members(child, depth - 1, algorithm) for child in _groups(group, depth, algorithm)]
    placed = [
        ((2 * j + 1) / len(child), i, rank)
        for i, child in enumerate(children)
        for j, rank in enumerate(child)
    ]
    return tuple(rank for _, _, rank in sorted(placed))


def _part(members: Sequence[int], rank: int, n_pixels: int) -> Interval:
    i = members.index(rank)
    return n_pixels * i // len(members), n_pixels * (i + 1) // len(members)


def _overlaps(members: Sequence[int], interval: Interval, n_pixels: int) -> list[Transfer]:
    """The intersections of an interval with the parts of the members."""
    begin, end = interval
    if begin == end:
        return []
    m = len(members)
    found = []
    for i in range(max(0, begin * m // n_pixels - 1), m):
        low, high = n_pixels * i // m, n_pixels * (i + 1) // m
        if low >= end:
            break
        if max(low, begin) < min(high, end):
            found.append(Transfer(members[i], max(low, begin), min(high, end)))
    return found
