"""Domains of several levels of refinement: which cells are covered by finer ones.

In: the boxes that each rank's domains own, and the size of their cells. Out: for each domain the
boxes of finer domains over it, whose places are theirs; the coarse cells there do not count.

Positions decide, not Blueprint's nestsets: what covers a cell is what is published there, and a
nestset's windows to domains that nobody publishes cover nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from zlib import crc32

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Bounds
from insitu.mesh.published_domain import PublishedDomain

_FINER = 0.7  # of the volume of a cell: refinement by two makes it an eighth, in a plane a quarter


def name_number(name: str) -> int:
    """A number for a name, by which ranks agree on it in a reduction: the same everywhere, at least
    1, exact in float64."""
    return 1 + crc32(name.encode())


def owned_boxes(domains: Iterable[PublishedDomain], topologies: Iterable[str]) -> Array:
    """(n, 8): `name_number` of the topology, lower and upper corner x, y, z of each owned box, the
    volume of its mean cell. Raises MeshError. Not collective.

    topologies: grids, of those domains that have them. A mesh in a plane has every z.
    """
    rows = []
    names = sorted(set(topologies))
    for domain in domains:
        for name in names:
            if not domain.has_topology(name):
                continue
            grid = domain.grid(name)
            if grid.empty:
                continue
            flat = grid.dimension == 2
            sizes = [(line[-1] - line[0]) / (len(line) - 1) for line in grid.nodes]
            volume = float(np.prod(sizes[:2] if flat else sizes))
            for box in domain.ghosts(grid):
                x, y, z = box.nodes(grid.nodes)
                low, high = [line[0] for line in (x, y, z)], [line[-1] for line in (x, y, z)]
                if flat:
                    low[2], high[2] = -np.inf, np.inf
                rows.append([name_number(name), *low, *high, volume])
    return np.array(rows, np.float64).reshape(-1, 8)


def digest(boxes: Array) -> bytes:
    """What tells two results of `owned_boxes` apart."""
    return hashlib.blake2b(np.ascontiguousarray(boxes).tobytes(), digest_size=16).digest()


def hide_covered(
    domains: Iterable[PublishedDomain], topologies: Iterable[str], every: Array
) -> None:
    """Leave out the cells of domains that finer ones cover. Not collective.

    every: the `owned_boxes` of all ranks.
    """
    names = sorted(set(topologies))
    for name in names:
        boxes = every[every[:, 0] == name_number(name), 1:]
        if not len(boxes) or boxes[:, 6].min() >= _FINER * boxes[:, 6].max():
            continue
        for domain in domains:
            if not domain.has_topology(name) or domain.grid(name).empty:
                continue
            mine = owned_boxes([domain], [name])
            if not len(mine):
                continue
            finer = boxes[boxes[:, 6] < _FINER * mine[0, 7]]
            low, high = mine[:, 1:4].min(axis=0), mine[:, 4:7].max(axis=0)
            over = ((finer[:, :3] < high) & (finer[:, 3:6] > low)).all(axis=1)
            found: list[Bounds] = [(row[:3], row[3:6]) for row in finer[over]]
            if found:
                domain.hide(name, found)
