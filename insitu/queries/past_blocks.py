"""Past fields at the present mesh's points, where blocks are no longer those of an earlier step.

In: each rank's blocks of a past field, and its present blocks. Out: the past field's values at the
samples of the present blocks, NaN where it had none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.parallel import together
from insitu.fields.block_field import BlockField
from insitu.mesh.partition import NO_LAYERS, Partition

if TYPE_CHECKING:
    from mpi4py import MPI

Axes = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
Held = Partition | BlockField


def at_blocks(comm: MPI.Comm, past: Sequence[Held], present: Sequence[Held]) -> list[Partition]:
    """One partition for each of this rank's `present` blocks, with its grid and number, and the
    values of `past`, evaluated wherever on the ranks it is. Collective: two gathers and one
    exchange of values.

    A past field without blocks on any rank gives none. Raises RemoteError on every rank.
    """
    kinds = [(b.name, b.association, b.n_components) for b in past if isinstance(b, BlockField)]
    known = [kind for theirs in comm.allgather(kinds[:1]) for kind in theirs]
    if not known:
        return []
    name, association, n_components = known[0]
    places = comm.allgather([_lines(block.nodes, association) for block in present])
    out: list[list[Any]] = [[] for _ in range(comm.size)]
    with together(comm, f"field {name} at the present mesh"):
        for rank, theirs in enumerate(places):
            for number, lines in enumerate(theirs):
                for block in past:
                    out[rank] += [(number, *piece) for piece in _within(block, lines)]
    pieces = [piece for theirs in comm.alltoall(out) for piece in theirs]
    found: list[Partition] = []
    with together(comm, f"field {name} at the present mesh"):
        for number, block in enumerate(present):
            shape = tuple(len(line) for line in reversed(_lines(block.nodes, association)))
            values = np.full((*shape, n_components), np.nan)
            for _, box, inside in (piece for piece in pieces if piece[0] == number):
                values[box] = inside
            found.append(
                Partition(
                    field=name,
                    association="vertex" if association == "vertex" else "element",
                    components=tuple(np.moveaxis(values, 3, 0)),
                    ghost_layers=NO_LAYERS,
                    nodes=block.nodes,
                    domain_id=block.domain_id,
                    dimension=block.dimension,
                )
            )
    return found


def _lines(nodes: Axes, association: str) -> Axes:
    """Coordinates x, y, z of a block's samples."""
    x, y, z = (line if association == "vertex" else 0.5 * (line[1:] + line[:-1]) for line in nodes)
    return x, y, z


def _within(block: Held, lines: Axes) -> list[tuple[tuple[slice, ...], NDArray[np.float64]]]:
    """Of a grid of points, the box (z, y, x) that lies in a past block, and the values there
    (nz, ny, nx, components); nothing where none does."""
    assert isinstance(block, BlockField)
    box: list[slice] = []
    unit: list[NDArray[np.float64]] = []
    for line, nodes in zip(lines, block.nodes, strict=True):
        near = 1e-6 * (nodes[-1] - nodes[0])  # grid lines of two steps may be rounded differently
        first = int(np.searchsorted(line, nodes[0] - near))
        last = int(np.searchsorted(line, nodes[-1] + near, side="right"))
        if first >= last:
            return []
        box.append(slice(first, last))
        unit.append(np.interp(line[first:last], nodes, np.linspace(0, 1, len(nodes))))
    values = np.asarray(block.on_grid(unit[0], unit[1], unit[2]), np.float64)
    return [(tuple(reversed(box)), values)]
