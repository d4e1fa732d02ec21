"""The state of a particle, and the exchange of particles between ranks.

In: rows, and the destination rank of each. Out: the rows for this rank, in one exchange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mpi4py import MPI

Rows = NDArray[Any]

STAGES = 7  # maximum over all methods

TURN = 8
"""By how much the turn of a particle grows when it crosses periodic sides; the numbers between are
for what is crossed between two sides of an edge or corner."""
RUNNING, WAITING, DONE = 0, 1, 2
"""In motion; at the end of the interval between two steps; finished."""

PARTICLE = np.dtype(
    [
        ("line", "i8"),
        ("state", "i8"),
        ("block", "i8"),  # the block that contains `point`
        ("steps", "i8"),  # number of steps taken
        ("stage", "i8"),  # stage that needs the velocity at `point`; 0: `point` is `x`
        ("tries", "i8"),  # attempts to end this step at the boundary
        ("final", "?"),  # `x` is the last point
        ("x", "f8", 3),
        ("t", "f8"),
        ("goal", "f8"),  # time at the end of this step
        ("step", "f8"),  # size of the next step, from the error estimate
        ("length", "f8"),  # length of the line so far
        ("point", "f8", 3),  # where the velocity is needed next
        ("k", "f8", (STAGES, 3)),  # velocities of this step's stages
        ("turn", "i8"),  # how often it has crossed periodic sides
        ("kept", "?"),  # whether the line has a point
        ("kept_block", "i8"),
        ("kept_turn", "i8"),
        ("kept_x", "f8", 3),  # the last point of the line, and its data
        ("kept_t", "f8"),
        ("kept_speed", "f8"),
    ],
    align=True,
)

POINT = np.dtype(
    [
        ("line", "i8"),
        ("block", "i8"),
        ("turn", "i8"),  # parts of a line before and after a periodic side differ in it
        ("step", "f8"),  # from the seed, negative backward; fractional at a block face
        ("x", "f8", 3),
        ("t", "f8"),
        ("speed", "f8"),
    ]
)
"""A point of a line within a block."""


def exchange(comm: MPI.Comm, rows: Rows, ranks: NDArray[np.int64]) -> Rows:
    """Send each row to its rank -> the rows received, by sender. Collective: at most two messages
    to each rank, for any number of rows."""
    from mpi4py import MPI

    order = np.argsort(ranks, kind="stable")
    given = np.ascontiguousarray(rows[order])
    n_given = np.bincount(ranks, minlength=comm.size).astype(np.int32)
    n_taken = np.empty_like(n_given)
    comm.Alltoall(n_given, n_taken)
    taken = np.empty(int(n_taken.sum()), rows.dtype)
    row = MPI.BYTE.Create_contiguous(rows.dtype.itemsize).Commit()
    try:
        comm.Alltoallv([given, n_given, row], [taken, n_taken, row])
    finally:
        row.Free()
    return taken
