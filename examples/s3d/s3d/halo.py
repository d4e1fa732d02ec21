"""Exchanges the planes beside a block's faces with the neighbours.

In: stacks of blocks. Out: the planes that lie beyond their faces.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from .axes import Array


class Planes:
    """Planes on their way from both neighbours along one axis; `wait` gives them."""

    def __init__(
        self,
        comm: MPI.Intracomm,
        beside: tuple[int, int],
        below: tuple[Array, int],
        above: tuple[Array, int],
        axis: int,
    ) -> None:
        """Start to send and receive. Collective among neighbours along `axis`.

        `below` is what goes to the rank below, and how many planes come from it; `above` likewise.
        Planes are stacks (m, z, y, x); `axis` counts among the last three. Without a neighbour
        (PROC_NULL) what comes is zero.
        """
        self._requests, self._incoming, self._outgoing = [], [], []
        sides = [(below, 0, beside[0]), (above, 1, beside[1])]
        for (sent, depth), side, rank in sides:
            shape = list(sent.shape)
            shape[1 + axis] = depth
            buffer = np.zeros(shape)
            self._incoming.append(buffer)
            # Tags name the direction of travel: with two blocks both neighbours are one rank.
            self._requests.append(comm.Irecv(buffer, rank, tag=2 * axis + (1 - side)))
        for (sent, _), side, rank in sides:
            self._outgoing.append(np.ascontiguousarray(sent))
            self._requests.append(comm.Isend(self._outgoing[-1], rank, tag=2 * axis + side))

    def wait(self) -> tuple[Array, Array]:
        """The planes from below and from above."""
        MPI.Request.Waitall(self._requests)
        return self._incoming[0], self._incoming[1]


def along(axis: int, part: slice) -> tuple[slice, ...]:
    """The index of `part` of a stack's `axis` (of its last three)."""
    index = [slice(None)] * 4
    index[1 + axis] = part
    return tuple(index)
