"""Sort-last compositing: the layers of all ranks to one picture.

In: each rank's layers, and the eye. Out: the blended picture on rank 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from insitu.render.compositing.exchange import Exchange
from insitu.render.compositing.fragment import Canvas, Fragment, decode, encode, precision_of
from insitu.render.compositing.order import visibility_order
from insitu.render.compositing.schedule import chosen
from insitu.render.volume.march import Layer

_ROUND, _GATHER = 4711, 4712  # tags


def composite(
    comm: MPI.Comm,
    layers: Sequence[Layer],
    eye: Sequence[float],
    width: int,
    height: int,
    *,
    algorithm: str | None = None,
    precision: str = "float16",
    supersampling: int = 1,
) -> np.ndarray | None:
    """One picture of the layers of all ranks. Collective.

    layers: any number per rank, none too; their boxes must be disjoint over all ranks.
    eye: (3,), world, the same on every rank. Returns premultiplied RGBA (height, width, 4) float32
    on rank 0, None elsewhere. Which rank holds which layer does not matter to it.

    algorithm: "direct-send", "binary-swap" (powers of two), "2-3-swap", or None for what suits the
    number of ranks (`schedule.chosen`). precision: of colours on their way, "float16" or "float32";
    float16 halves the bytes and keeps every channel within 1/255 of float32 up to 4096 ranks, so
    the picture does not depend on the algorithm to 1/255 either way. supersampling: layers are
    of a picture so many times as wide and high, and are averaged once they are blended: edges are
    smooth, and no seam shows where a surface goes from one rank to the next.

    Only pixels that are not empty are held, sent and blended; rank 0 alone holds a picture.

    Raises ValueError, on every rank alike, as visibility_order does, or for an unknown option.
    """
    algorithm = chosen(comm.size, algorithm)
    numbers = precision_of(precision)
    owners, order = _order(comm, layers, eye)
    # Ranks are numbered by their first layer in the order; those without layers come last.
    ranks = list(dict.fromkeys(owners[order].tolist() + list(range(comm.size))))
    number = np.argsort(ranks)
    own = order[owners[order] == comm.rank] - np.searchsorted(owners, comm.rank)
    exchange = Exchange(
        int(number[comm.rank]),
        comm.size,
        [layers[i] for i in own],
        number[owners[order]],
        Canvas(width, height, supersampling),
        algorithm,
        numbers,
    )
    for step in exchange.rounds:
        outgoing = exchange.outgoing(step)
        sent = [comm.Isend([m, MPI.BYTE], ranks[to], _ROUND) for to, m in outgoing]
        incoming = {i: _received(comm, ranks[i], _ROUND) for i in exchange.senders(step)}
        MPI.Request.Waitall(sent)
        exchange.merge(step, incoming)
    return _gathered(comm, exchange.part(), exchange.canvas, numbers, empty=not len(order))


def _order(
    comm: MPI.Comm, layers: Sequence[Layer], eye: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """The rank of each layer of all ranks, and the layers' visibility order. Collective."""
    mine = np.array([layer.bounds for layer in layers], dtype=np.float64).reshape(-1, 2, 3)
    counts = np.empty(comm.size, dtype=np.int64)
    comm.Allgather(np.array([len(layers)], dtype=np.int64), counts)
    boxes = np.empty((int(counts.sum()), 2, 3))
    comm.Allgatherv(mine, [boxes, (counts * 6).tolist()])
    owners = np.repeat(np.arange(comm.size), counts)
    return owners, visibility_order(boxes, eye, owners.tolist())


def _received(comm: MPI.Comm, source: int, tag: int) -> np.ndarray:
    """A message (n,) uint8 whose length the receiver does not know."""
    status = MPI.Status()
    message = comm.Mprobe(source, tag, status)
    buffer = np.empty(status.Get_count(MPI.BYTE), np.uint8)
    message.Recv([buffer, MPI.BYTE])
    return buffer


def _gathered(
    comm: MPI.Comm, part: Fragment, canvas: Canvas, precision: np.dtype, *, empty: bool
) -> np.ndarray | None:
    """The picture on rank 0, of all ranks' parts, one after the other."""
    if comm.rank > 0:
        if not empty:
            comm.Send([encode([part], 0, precision), MPI.BYTE], 0, _GATHER)
        return None
    image = np.zeros((canvas.height, canvas.width, 4), dtype=np.float32)
    canvas.draw(part, image)
    if not empty:
        for source in range(1, comm.size):
            message = _received(comm, source, _GATHER)
            canvas.draw(decode(message, 0, 1, precision)[0], image)
    return image
