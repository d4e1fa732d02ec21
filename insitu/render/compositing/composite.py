"""Sort-last compositing of the layers of all ranks into one picture.

In: each rank's layers, and the eye position. Out: the blended picture on rank 0.
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
    """Blend the layers of all ranks into one picture. Collective.

    layers: any number per rank, including none; their boxes must be disjoint over all ranks.
    eye: (3,), world, the same on every rank. Returns premultiplied RGBA (height, width, 4) float32
    on rank 0, None elsewhere. The result does not depend on which rank holds which layer.

    algorithm: "direct-send", "binary-swap" (powers of two), "2-3-swap", or None to choose by the
    number of ranks (`schedule.chosen`). precision: of the colours in messages, "float16" or
    "float32"; float16 halves the traffic and keeps every channel within 1/255 of float32 up to
    4096 ranks, and in both cases all algorithms agree within 1/255. supersampling: the layers are
    this factor wider and higher than the picture, and are averaged after blending, so that edges
    are smooth and surfaces that cross ranks show no seam.

    Only non-empty pixels are stored, sent and blended; only rank 0 holds a full picture.

    Raises ValueError on every rank, as visibility_order does, or for an unknown option.
    """
    algorithm = chosen(comm.size, algorithm)
    numbers = precision_of(precision)
    owners, order = _order(comm, layers, eye)
    # Ranks are renumbered by their first layer in the order; ranks without layers come last.
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
    """The owning rank of every layer on all ranks, and their visibility order. Collective."""
    mine = np.array([layer.bounds for layer in layers], dtype=np.float64).reshape(-1, 2, 3)
    counts = np.empty(comm.size, dtype=np.int64)
    comm.Allgather(np.array([len(layers)], dtype=np.int64), counts)
    boxes = np.empty((int(counts.sum()), 2, 3))
    comm.Allgatherv(mine, [boxes, (counts * 6).tolist()])
    owners = np.repeat(np.arange(comm.size), counts)
    return owners, visibility_order(boxes, eye, owners.tolist())


def _received(comm: MPI.Comm, source: int, tag: int) -> np.ndarray:
    """Receive a message (n,) uint8 of unknown length."""
    status = MPI.Status()
    message = comm.Mprobe(source, tag, status)
    buffer = np.empty(status.Get_count(MPI.BYTE), np.uint8)
    message.Recv([buffer, MPI.BYTE])
    return buffer


def _gathered(
    comm: MPI.Comm, part: Fragment, canvas: Canvas, precision: np.dtype, *, empty: bool
) -> np.ndarray | None:
    """Assemble the picture on rank 0 from all ranks' parts, one at a time; None elsewhere."""
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
