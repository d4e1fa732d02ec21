"""Fills ghost layers: from the neighbouring ranks first, then by mirroring at the domain's walls.

In: field names and a depth of one or two layers. Out: those ghosts of those arrays, in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from mpi4py import MPI

from .axes import GHOSTS, Array, X, Y, Z
from .decomposition import HIGH, LOW, Placement
from .fields import NORMAL_AXIS, Fields

Slices = tuple[slice, slice, slice]


@dataclass(frozen=True)
class _Message:
    """One face's exchange with one neighbour: what to pack, where to unpack, and the buffers."""

    rank: int
    outgoing: list[Array]
    incoming: list[Array]
    send: Array
    receive: Array


@dataclass(frozen=True)
class _Mirror:
    """One ghost plane to be set from one inner plane, with the given sign."""

    ghost: Array
    inner: Array
    negate: bool


# Messages by axis (x, y, z) and side, then the mirrors in order.
_Plan = tuple[list[list[_Message | None]], list[_Mirror]]


class HaloExchange:
    """Updates the ghosts of one block's fields. Its arrays must never be reallocated."""

    def __init__(self, comm: MPI.Intracomm, place: Placement, fields: Fields) -> None:
        self._comm = comm
        self._place = place
        self._fields = fields
        self._plans: dict[tuple[tuple[str, ...], int], _Plan] = {}

    def update(self, names: tuple[str, ...], depth: int) -> None:
        """Refresh `depth` ghost layers of the named fields. Collective; same names everywhere."""
        key = (names, depth)
        if key not in self._plans:
            self._plans[key] = self._plan(names, depth)
        messages, mirrors = self._plans[key]
        # x, then y, then z, each with the ghosts of those before: so edges and corners arrive too.
        for axis, (low, high) in zip((X, Y, Z), messages, strict=True):
            self._swap(low, high, tag=2 * axis)
            self._swap(high, low, tag=2 * axis + 1)
        for mirror in mirrors:
            if mirror.negate:
                np.negative(mirror.inner, out=mirror.ghost)
            else:
                np.copyto(mirror.ghost, mirror.inner)

    def _swap(self, to: _Message | None, source: _Message | None, tag: int) -> None:
        """Send all fields' layers to one side in one message while receiving from the other."""
        if to is not None:
            at = 0
            for view in to.outgoing:
                to.send[at : at + view.size].reshape(view.shape)[...] = view
                at += view.size
        if to is None and source is None:
            return
        self._comm.Sendrecv(
            to.send if to else None,
            dest=to.rank if to else MPI.PROC_NULL,
            sendtag=tag,
            recvbuf=source.receive if source else None,
            source=source.rank if source else MPI.PROC_NULL,
            recvtag=tag,
        )
        if source is not None:
            at = 0
            for view in source.incoming:
                view[...] = source.receive[at : at + view.size].reshape(view.shape)
                at += view.size

    def _plan(self, names: tuple[str, ...], depth: int) -> _Plan:
        messages: list[list[_Message | None]] = []
        for axis in (X, Y, Z):
            messages.append([self._message(names, depth, axis, side) for side in (LOW, HIGH)])
        mirrors: list[_Mirror] = []
        # Walls in the order y, x, z, as the original has it.
        for axis, side, name in product((Y, X, Z), (LOW, HIGH), names):
            if self._place.neighbours[axis][side] is None:
                mirrors += self._mirrors(name, depth, axis, side)
        return messages, mirrors

    def _message(self, names: tuple[str, ...], depth: int, axis: int, side: int) -> _Message | None:
        rank = self._place.neighbours[axis][side]
        if rank is None:
            return None
        outgoing, incoming = [], []
        for name in names:
            array = self._fields.named(name)
            n = self._place.shape[axis]
            extra = array.shape[axis] - n - 2 * GHOSTS
            if side == LOW:
                # A shared vertex or face belongs to both blocks, so sending starts beyond it.
                send = slice(GHOSTS + extra, GHOSTS + extra + depth)
                receive = slice(GHOSTS - depth, GHOSTS)
            else:
                send = slice(GHOSTS + n - depth, GHOSTS + n)
                receive = slice(GHOSTS + n + extra, GHOSTS + n + extra + depth)
            outgoing.append(array[_across(array, depth, axis, send)])
            incoming.append(array[_across(array, depth, axis, receive)])
        send_size = sum(view.size for view in outgoing)
        receive_size = sum(view.size for view in incoming)
        return _Message(rank, outgoing, incoming, np.empty(send_size), np.empty(receive_size))

    def _mirrors(self, name: str, depth: int, axis: int, side: int) -> list[_Mirror]:
        array = self._fields.named(name)
        n = self._place.shape[axis]
        extra = array.shape[axis] - n - 2 * GHOSTS
        # Cell values mirror about the wall. Everything else mirrors about its outermost plane,
        # which for faces parallel to the axis is half a cell inside; kept from the original.
        skip = 0 if _is_cell_array(array, self._place.shape) else 1
        first, last = GHOSTS, GHOSTS + n - 1 + extra
        short = self._shortened_axis(name, axis)
        planes = []
        for k in range(1, depth + 1):
            if side == LOW:
                ghost, inner = first - k, first + k - 1 + skip
            else:
                ghost, inner = last + k, last - k + 1 - skip
            planes.append(
                _Mirror(
                    array[_across(array, depth, axis, slice(ghost, ghost + 1), short)],
                    array[_across(array, depth, axis, slice(inner, inner + 1), short)],
                    negate=NORMAL_AXIS.get(name) == axis,
                )
            )
        return planes

    def _shortened_axis(self, name: str, axis: int) -> int | None:
        """The axis along which a mirror leaves out the last plane.

        Mirroring x and y fluxes at a z wall, the original stops one short of the last x or y
        face. On the edge with another wall that leaves a value one exchange old, which reaches
        the results, so it is kept there; between ranks it would make them depend on the cut.
        """
        normal = NORMAL_AXIS.get(name)
        if axis != Z or "flux" not in name or normal in (None, Z):
            return None
        return normal if self._place.neighbours[normal][HIGH] is None else None


def _is_cell_array(array: Array, shape: tuple[int, ...]) -> bool:
    return all(size == n + 2 * GHOSTS for size, n in zip(array.shape, shape, strict=True))


def _across(array: Array, depth: int, axis: int, along: slice, short: int | None = None) -> Slices:
    """`along` on one axis; on the others all owned values and `depth` ghosts each side.

    On the axis `short` the last plane is left out.
    """
    trim = GHOSTS - depth
    z, y, x = (
        along if other == axis else slice(trim, size - trim - (other == short))
        for other, size in enumerate(array.shape)
    )
    return z, y, x
