"""Exchange of ghost layers, for trees whose own ghosts are stale or missing.

In: every rank's partitions of one field, or of several.
Out: the values one layer outside each partition, received from the partitions that own them.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from insitu.core.arrays import Array
from insitu.core.grid_lines import SAME_LINE
from insitu.core.parallel import together
from insitu.mesh.ghosts import GARBAGE, OWNED, VALID, with_valid_layers
from insitu.mesh.partition import NO_LAYERS, Association, Partition
from insitu.mesh.tree import MeshError

if TYPE_CHECKING:
    from mpi4py import MPI

_NODES_TAG, _VALUES_TAG = 7101, 7102

Nodes: TypeAlias = tuple[Array, Array, Array]
_Pairs: TypeAlias = "dict[int, list[tuple[int, int, Array]]]"
"""By rank: local index, remote index, and the shift (3,) x y z by which the remote box touches."""
# Source and target ranges of samples along one axis, or along z, y, x.
_Slices: TypeAlias = tuple[slice, ...]


@dataclass(frozen=True)
class Surroundings:
    """A partition's samples with one more layer on all six sides, with their owners' values.

    Attributes:
        components: arrays (nz + 2, ny + 2, nx + 2) for owned samples (nz, ny, nx): fresh copies;
            the partition's own values inside, undefined where `flags` is GARBAGE.
        flags: uint8 (nz + 2, ny + 2, nx + 2): OWNED, VALID where a neighbor sent a value, or
            GARBAGE.
    """

    components: tuple[Array, ...]
    flags: Array


def exchange(
    comm: MPI.Comm, partitions: list[Partition], periodic: Collection[str] = ()
) -> list[Partition]:
    """The same partitions with ghost layers received from their owners. Collective.

    Published ghosts are neither read nor overwritten. This is the only place that copies blocks,
    once each: one strided array has to hold owned and received values. Blocks that touch no other
    block are not copied. A side gets a layer when its neighbors together own every sample of the
    layer, including the edges and corners shared with other layers (see `ghost_box`). Blocks may
    be cut anywhere along common grid lines, on any rank, several per rank. There is no layer at
    boundaries of the domain, and none where grid lines of neighbors do not coincide.

    Args:
        comm: a private communicator; messages with tags 7101 and 7102 are sent on it.
        partitions: this rank's partitions of one field, or of several at once with the same number
            of messages; [] on a rank that has none.
        periodic: the axes among "x", "y" and "z" along which the domain of a field continues at its
            other side, where blocks touch as well.

    Raises:
        MeshError: on every rank, when a field is not the same kind of thing everywhere.
        RemoteError: on every rank, when one runs out of memory.
    """
    pairs = _touching(comm, partitions, periodic)
    touched = sorted({i for touching in pairs.values() for i, *_ in touching})
    around = dict(zip(touched, _asked(comm, partitions, pairs, touched), strict=True))
    return [
        _with_layers(partition, around[i]) if i in around else _without_layers(partition)
        for i, partition in enumerate(partitions)
    ]


def surroundings(comm: MPI.Comm, partitions: list[Partition]) -> list[Surroundings]:
    """The `Surroundings` of each of this rank's partitions. Collective.

    One allgather of a few numbers per partition, then two rounds of messages between ranks whose
    boxes touch: node coordinates, values.
    """
    return _asked(comm, partitions, _touching(comm, partitions), range(len(partitions)))


def _asked(
    comm: MPI.Comm,
    partitions: list[Partition],
    pairs: _Pairs,
    which: Sequence[int],
) -> list[Surroundings]:
    """The surroundings of partitions, which include all those in `pairs`. Collective."""
    around: dict[int, Surroundings] = {}
    with together(comm, "exchange ghost layers"):
        around = {i: _alone(partitions[i]) for i in which}
    their_nodes = _exchange_nodes(comm, partitions, pairs)
    _exchange_values(comm, partitions, pairs, their_nodes, around)
    for i, place in around.items():
        _place_owned(partitions[i], place)
    return list(around.values())


def _touching(
    comm: MPI.Comm, partitions: list[Partition], periodic: Collection[str] = ()
) -> _Pairs:
    """All partitions of the same field whose boxes touch one of this rank's, also across periodic
    sides."""
    mine = [(p.field, p.association, p.n_components, _extent(p)) for p in partitions]
    every: list[list[tuple[str, str, int, Array]]] = comm.allgather(mine)
    _check_kinds([{entry[:3] for entry in entries} for entries in every if entries])
    pairs: _Pairs = defaultdict(list)
    periods = _periods([entry for entries in every for entry in entries], periodic)
    for rank, entries in enumerate(every):
        if not entries or not partitions:
            continue
        low, high, step = np.stack([entry[3] for entry in entries], axis=1)  # (n, 3) each
        for i, (*_, (my_low, my_high, my_step)) in enumerate(mine):
            for shift in periods[partitions[i].field]:
                gap = np.maximum(low + shift, my_low) - np.minimum(high + shift, my_high)  # (n, 3)
                near = np.all(gap <= SAME_LINE * np.minimum(step, my_step), axis=1)
                near &= [entry[0] == partitions[i].field for entry in entries]
                for j in np.flatnonzero(near):
                    if (rank, j) != (comm.rank, i) or shift.any():
                        pairs[rank].append((i, int(j), shift))
    return pairs


def _periods(
    entries: Sequence[tuple[str, str, int, Array]], periodic: Collection[str]
) -> dict[str, list[Array]]:
    """For each field, the shifts (3,) x y z by which blocks are repeated: none, and one period to
    either side along the periodic axes."""
    found: dict[str, list[Array]] = {}
    for field in {entry[0] for entry in entries}:
        low, high, _ = np.stack([entry[3] for entry in entries if entry[0] == field], axis=1)
        length = high.max(axis=0) - low.min(axis=0)
        sides = [(0, -1, 1) if axis in periodic else (0,) for axis in "xyz"]
        found[field] = [length * turns for turns in product(*sides)]
    return found


def _check_kinds(kinds: list[set[tuple[str, str, int]]]) -> None:
    """kinds: for each rank with partitions, field, association and number of components of each."""
    known = sorted(set().union(*kinds))
    if len({field for field, *_ in known}) == len(known):
        return
    one, other = next(pair for pair in pairwise(known) if pair[0][0] == pair[1][0])
    raise MeshError(f"fields/{one[0]}: ranks or domains differ: {one} and {other}")


def _extent(partition: Partition) -> Array:
    """(3, 3): lower corner, upper corner, smallest cell, in x, y, z."""
    low, high = partition.bounds
    return np.stack([low, high, [np.diff(axis).min() for axis in partition.nodes]])


def _exchange_nodes(
    comm: MPI.Comm, partitions: list[Partition], pairs: _Pairs
) -> dict[tuple[int, int], Nodes]:
    """{(rank, remote index): node coordinates} of the touching partitions."""
    outgoing = {
        rank: {i: partitions[i].nodes for i in sorted({i for i, *_ in touching})}
        for rank, touching in pairs.items()
    }
    incoming = _swap(comm, outgoing, _NODES_TAG)
    return {(rank, j): nodes for rank, them in incoming.items() for j, nodes in them.items()}


def _exchange_values(
    comm: MPI.Comm,
    partitions: list[Partition],
    pairs: _Pairs,
    their_nodes: dict[tuple[int, int], Nodes],
    around: dict[int, Surroundings],
) -> None:
    """Send each touching partition the samples it needs, and store received ones in `around`."""
    outgoing: dict[int, list[Any]] = {}
    for rank, touching in pairs.items():
        outgoing[rank] = []
        for i, j, shift in touching:
            mine = partitions[i]
            x, y, z = (n + s for n, s in zip(their_nodes[rank, j], shift, strict=True))
            piece = wanted((x, y, z), mine.nodes, mine.association)
            if piece is not None:
                target, source = piece
                values = [np.ascontiguousarray(owned[source]) for owned in mine.owned]
                outgoing[rank].append((j, target, values))
    for pieces in _swap(comm, outgoing, _VALUES_TAG).values():
        for i, target, values in pieces:
            around[i].flags[target] = VALID
            for component, received in zip(around[i].components, values, strict=True):
                component[target] = received


def _swap(comm: MPI.Comm, outgoing: dict[int, Any], tag: int) -> dict[int, Any]:
    """One message to and from each rank in `outgoing`, in rank order; touching is symmetric."""
    from mpi4py import MPI

    requests = [comm.isend(message, dest=rank, tag=tag) for rank, message in outgoing.items()]
    incoming = {rank: comm.recv(source=rank, tag=tag) for rank in sorted(outgoing)}
    MPI.Request.waitall(requests)
    return incoming


def wanted(
    target: Nodes, source: Nodes, association: Association
) -> tuple[_Slices, _Slices] | None:
    """The samples of a source box that lie in, or one layer outside of, a target box.

    Args:
        target, source: node coordinates along x, y, z of the two owned boxes.
        association: "element" or "vertex".

    Returns:
        Slices (z, y, x) of the target's samples with one more layer on each side, and of the
        source's owned samples; None when there are none or the grid lines do not coincide.
    """
    extra = 1 if association == "vertex" else 0
    into, out_of = [], []
    for axis in (2, 1, 0):
        shift = _shift(target[axis], source[axis])
        if shift is None:
            return None
        first = max(-1, shift)
        last = min(target[axis].size + extra, shift + source[axis].size - 1 + extra)
        if first >= last:
            return None
        into.append(slice(first + 1, last + 1))
        out_of.append(slice(first - shift, last - shift))
    return tuple(into), tuple(out_of)


def _shift(target: Array, source: Array) -> int | None:
    """s such that grid line i of `source` is grid line i + s of `target`.

    None unless all grid lines in the common range (which may be one point) coincide.
    """
    tolerance = SAME_LINE * min(np.diff(target).min(), np.diff(source).min())
    low, high = max(target[0], source[0]), min(target[-1], source[-1])
    i, j = (int(np.argmin(np.abs(nodes - low))) for nodes in (target, source))
    n, m = (int(np.argmin(np.abs(nodes - high))) for nodes in (target, source))
    if n - i != m - j or n < i:
        return None
    apart = np.abs(target[i : n + 1] - source[j : m + 1])
    return i - j if np.all(apart <= tolerance) else None


def _alone(partition: Partition) -> Surroundings:
    """Empty surroundings of a partition, to be filled."""
    nz, ny, nx = (n + 2 for n in partition.shape)
    components = tuple(np.empty((nz, ny, nx), c.dtype) for c in partition.components)
    return Surroundings(components, np.full((nz, ny, nx), GARBAGE, np.uint8))


def _place_owned(partition: Partition, around: Surroundings) -> None:
    """Store the partition's own values last: they take precedence for vertices on shared faces."""
    inside = (slice(1, -1),) * 3
    around.flags[inside] = OWNED
    for component, owned in zip(around.components, partition.owned, strict=True):
        component[inside] = owned


def _with_layers(partition: Partition, around: Surroundings) -> Partition:
    """The partition with those ghost layers that are complete in its surroundings."""
    nz, ny, nx = partition.shape
    box = with_valid_layers(around.flags, (slice(1, nz + 1), slice(1, ny + 1), slice(1, nx + 1)))
    inside = box.slices("element")  # flags are per sample here, for either association
    views = tuple(component[inside] for component in around.components)
    for view in views:
        view.flags.writeable = False
    return dataclasses.replace(partition, components=views, ghost_layers=box.layers)


def _without_layers(partition: Partition) -> Partition:
    return dataclasses.replace(partition, components=partition.owned, ghost_layers=NO_LAYERS)
