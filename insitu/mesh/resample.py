"""Resampling of meshes of cells to boxes: one box per rank, of a uniform grid over the domain.

In: every rank's unstructured or curvilinear domains. Out: a tree of one rectilinear domain per
rank, in the form that `partitions` reads; NaN where the grid lies outside all cells.

DVNR (section III) resamples a rank's cells to the rank's bounding box. These boxes do not tile the
domain, which compositing requires. So the grid is decomposed independently of the mesh, and each
sample is sent to the rank whose box contains it. Points are located once per mesh; a step then
costs eight products per sample and one exchange. Training needs no further communication.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Box
from insitu.core.parallel import together
from insitu.mesh.block_decomposition import cut, owners
from insitu.mesh.blueprint import partitions
from insitu.mesh.cells import Cells, cells_are_empty, element_ghosts, read_cells
from insitu.mesh.ghost_exchange import exchange
from insitu.mesh.partition import Association, Partition, ScatteredPoints, Shape
from insitu.mesh.point_location import Located, locate
from insitu.mesh.points import REACH
from insitu.mesh.published_domain import (
    PublishedDomain,
    as_float,
    association_of,
    component_paths,
    published_components,
)
from insitu.mesh.resampling_error import ResamplingError, error_sums, send_rows
from insitu.mesh.tree import (
    MeshError,
    Tree,
    find,
    flat,
    group,
    labelled,
    prefixed,
    require_text,
)

if TYPE_CHECKING:
    from mpi4py import MPI

# Maximum number of cells along an axis: more indicates an error in the coordinates.
_MOST_CELLS = 2**14
# Cells around a box, whose points help to train a model of its points.
_AROUND = 2


@dataclass(frozen=True)
class _Domain:
    """One domain of this rank: its owned cells, and the positions of their values."""

    tree: Tree
    cells: Cells
    own: Array  # (m,) indices of the domain's owned cells among all cells of the topology
    published: int  # number of cells of the topology, ghosts included
    prefix: str


@dataclass(frozen=True)
class _Route:
    """The way of values from cells to the samples of boxes, for one association: located samples
    per domain, the rank that each is sent to, and the positions of received values."""

    located: list[Located]
    order: Array  # order in which this rank's values, domain after domain, are sent
    sent: list[int]  # number of values per rank
    received: list[int]
    chosen: Array  # indices of the received values that are used
    place: Array  # flat sample index in the box for each of these
    shape: Shape


class Resampler:
    """Resamples fields; located points are cached as long as the mesh stays the same.

    Every method is collective.
    """

    def __init__(
        self,
        comm: MPI.Comm,
        cells: Sequence[int] = (),
        ghost_field: str | Sequence[str] | None = None,
    ):
        """cells: of the grid along x, y, z; by default cubes, about as many as the mesh's cells. Of
        a mesh in a plane z = constant, the grid has one cell along z."""
        self.comm, self.wanted, self.ghost_field = comm, tuple(cells), ghost_field
        self.dimension = 3
        """2 where the mesh lies in a plane."""
        self._signature = b""
        self._domains: list[_Domain] = []
        self._lines: tuple[Array, Array, Array] | None = None
        self._box: Box | None = None
        self._boxes: list[Box] = []
        self._owners: list[int] = []
        self._routes: dict[Association, _Route] = {}

    def to_boxes(self, tree: object, fields: Iterable[str]) -> Any:
        """A tree of this rank's box with `fields`; None on a rank without a box.

        Raises RemoteError on every rank if the tree of any rank is invalid.
        """
        names = list(fields)
        boxes = self.begin(tree, names)
        self.add(boxes, names)
        return boxes

    def begin(
        self, tree: object, fields: Sequence[str] = (), thickness: float | None = None
    ) -> Any:
        """Read the mesh of a step: a tree of this rank's box without fields, None on a rank without
        a box. State is that of `tree`.

        fields: those to come, all on one topology; domains that have none of them are left out. By
        default a domain must have one topology. thickness: see `read_cells`; the same on all ranks,
        or None where no mesh lies in a plane.

        Raises RemoteError on every rank if the tree of any rank is invalid.
        """
        self._follow(tree, fields, thickness)
        return self._empty_box(tree)

    def add(self, boxes: Any, fields: Iterable[str]) -> None:
        """Add fields of the mesh read last to `boxes`, the result of `begin` for this mesh.

        Vertex fields become samples at the grid's vertices, interpolated in the cell that contains
        them. Element fields become samples at the centers of the grid's cells, with the value of
        the cell that contains them.

        Raises RemoteError on every rank if the field of any rank is invalid.
        """
        for name in fields:
            values, association = self._field(name)
            if boxes is not None:
                parts = [v.reshape(-1) for v in values]
                boxes["fields"][name] = {
                    "topology": "boxes",
                    "association": association,
                    "values": parts[0] if len(parts) == 1 else dict(zip("xyz", parts, strict=False))
                    if len(parts) <= 3 else {str(i): p for i, p in enumerate(parts)},
                }  # fmt: skip

    @property
    def lines(self) -> tuple[Array, Array, Array]:
        """Grid lines x, y, z of the whole grid."""
        assert self._lines is not None
        return self._lines

    def error(self, boxes: Any, *fields: str) -> ResamplingError:
        """Resampling error of `fields`, the components of one field, at the step of `boxes`: the
        boxes evaluated at the mesh's own points (cell centers for element fields), compared with
        the values published there.

        Raises MeshError on every rank if no rank has cells.
        """
        points, truth, association = self._published(fields)
        blocks: list[Partition] = []
        with together(self.comm, f"mesh, field {fields[0]}"):
            blocks = partitions(boxes, fields if len(fields) > 1 else fields[0])
        if association == "element":
            blocks = exchange(self.comm, blocks)
        goes_to = self._to_ranks(self._cells_at(points), 0)
        block = blocks[0] if blocks else None
        sums, n_points = error_sums(self.comm, points, truth, goes_to, block)
        return ResamplingError(sums, n_points, self._covered(association))

    def scattered(self, *fields: str) -> ScatteredPoints | None:
        """The mesh's own points in this rank's box (cell centers for element fields), and those
        within some cells of it, with the values of `fields`, the components of one field; None on a
        rank without a box. Points that several ranks have, such as those on their faces, come once
        from each."""
        points, values, _ = self._published(fields)
        numbers = self._cells_at(points)
        goes_to: list[Array] = [np.empty(0, np.int64)] * self.comm.size
        for box, owner in zip(self._boxes, self._owners, strict=True):
            z, y, x = (slice(own.start - _AROUND, own.stop + _AROUND) for own in box)
            goes_to[owner] = np.flatnonzero(_inside(numbers, (z, y, x), 0))
        came = send_rows(self.comm, np.concatenate([points, values], axis=1), goes_to)
        if self._box is None:
            return None
        mine = _inside(self._cells_at(came[:, :3]), self._box, 0)
        came = np.concatenate([came[mine], came[~mine]])
        return ScatteredPoints(came[:, :3], came[:, 3:], int(mine.sum()))

    def _covered(self, association: Association) -> float:
        """Fraction of the grid's samples that lie in the domain."""
        route, whole = self._route(association), self._shape(association)
        mine = 0
        if self._box is not None:
            # Samples on faces between boxes are in both; they are counted in the upper box.
            last = [
                here - (association == "vertex" and own.stop < n - 1)
                for here, own, n in zip(route.shape, self._box, whole, strict=True)
            ]
            box: Box = (slice(0, last[0]), slice(0, last[1]), slice(0, last[2]))
            mine = int(_inside(_unflat(route.place, route.shape), box, 0).sum())
        return float(self.comm.allreduce(mine) / np.prod(whole))

    # ---- positions

    def _follow(self, tree: object, fields: Sequence[str], thickness: float | None) -> None:
        """Read the tree; locate points again if the mesh of any rank has changed."""
        from mpi4py import MPI

        signature = b""
        with together(self.comm, "mesh"):
            self._domains = self._read(tree, fields, thickness)
            signature = _signature(self._domains)
        changed = self.comm.allreduce(signature != self._signature, op=MPI.LOR)
        self._signature = signature
        if changed:
            self._routes.clear()
            self._lay_out()

    def _read(self, tree: object, fields: Sequence[str], thickness: float | None) -> list[_Domain]:
        found = []
        for domain_id, domain, prefix in labelled(tree):
            with prefixed(prefix):
                topology = _topology(domain, domain_id, fields)
                if topology is None:
                    continue
                cells = read_cells(domain, topology, thickness)
                flags = element_ghosts(domain, cells, self.ghost_field)
                own = np.flatnonzero(flags == 0)
                found.append(_Domain(domain, cells.without(flags), own, len(flags), prefix))
        return found

    def _lay_out(self) -> None:
        """The grid, its boxes, and their owners."""
        from mpi4py import MPI

        extent, sums = np.full(6, np.inf), np.zeros(3)  # cells, their volume; those in a plane
        for domain in self._domains:
            used = domain.cells.points[domain.cells.corners.ravel()]
            if domain.cells.scattered:
                used = _middles(domain.cells)
            if used.size:
                extent = np.minimum(extent, np.concatenate([used.min(axis=0), -used.max(axis=0)]))
                n = len(domain.cells.corners)
                sums += n, _volumes(domain.cells).sum(), n * (domain.cells.dimension == 2)
        whole, total = np.empty(6), np.empty(3)
        self.comm.Allreduce(extent, whole, op=MPI.MIN)
        self.comm.Allreduce(sums, total)
        low, high = whole[:3], -whole[3:]
        if not np.isfinite(whole).all():
            self._lines, self._boxes, self._owners, self._box = None, [], [], None
            return
        if not (high > low).all():
            raise MeshError(f"coordsets: the cells lie between {low} and {high}, in a plane")
        self.dimension = 2 if 0 < total[2] == total[0] else 3
        counts = self.wanted or _grid_cells(high - low, total[0], total[1], self.dimension)
        if self.dimension == 2:
            counts = (counts[0], counts[1], 1)
        x, y, z = (np.linspace(a, b, n + 1) for a, b, n in zip(low, high, counts, strict=True))
        self._lines = (x, y, z)
        self._boxes = cut((len(z) - 1, len(y) - 1, len(x) - 1), self.comm.size)
        volumes = np.zeros(len(self._boxes))
        with together(self.comm, "mesh"):
            for domain in self._domains:
                numbers = self._cells_at(_middles(domain.cells))
                each = _volumes(domain.cells)
                for b, box in enumerate(self._boxes):
                    volumes[b] += each[_inside(numbers, box, 0)].sum()
        everyone = np.empty((self.comm.size, len(self._boxes)))
        self.comm.Allgather(volumes, everyone)
        self._owners = owners(everyone)
        mine = self.comm.rank
        self._box = self._boxes[self._owners.index(mine)] if mine in self._owners else None

    def _shape(self, association: Association) -> Shape:
        """Number of samples of the whole grid, (nz, ny, nx)."""
        extra = 0 if association == "element" else 1
        nx, ny, nz = (len(line) - 1 + extra for line in self.lines)
        return nz, ny, nx

    def _cells_at(self, points: Array) -> tuple[Array, Array, Array]:
        """Indices z, y, x of the grid cells that contain points (k, 3) of the domain."""
        x, y, z = (
            np.clip(np.searchsorted(line, points[:, axis], "right") - 1, 0, len(line) - 2)
            for axis, line in enumerate(self.lines)
        )
        return z, y, x

    def _to_ranks(self, numbers: tuple[Array, Array, Array], extra: int) -> list[Array]:
        """Per rank, the indices of those cells z, y, x (samples, with `extra` 1) in its box."""
        to_rank: list[Array] = [np.empty(0, np.int64)] * self.comm.size
        for box, owner in zip(self._boxes, self._owners, strict=True):
            to_rank[owner] = np.flatnonzero(_inside(numbers, box, extra))
        return to_rank

    def _located(self, association: Association) -> list[Located]:
        lines = self.lines
        if association == "element":
            x, y, z = ((line[1:] + line[:-1]) / 2 for line in lines)
            lines = (x, y, z)
        return [locate(domain.cells, lines) for domain in self._domains]

    def _route(self, association: Association) -> _Route:
        """Computed on first use. Collective."""
        if association not in self._routes:
            located: list[Located] = []
            with together(self.comm, "mesh"):
                located = self._located(association)
            self._routes[association] = self._connect(association, located)
        return self._routes[association]

    def _connect(self, association: Association, located: list[Located]) -> _Route:
        extra = 0 if association == "element" else 1
        sample = np.concatenate([at.sample for at in located] or [np.empty(0, np.int64)])
        to_rank = self._to_ranks(_unflat(sample, self._shape(association)), extra)
        order = np.concatenate(to_rank)
        sent = [len(indices) for indices in to_rank]
        received = self.comm.alltoall(sent)
        incoming = np.empty(sum(received), np.int64)
        self.comm.Alltoallv([sample[order], sent], [incoming, received])
        # Points on faces between ranks come from several ranks: the lowest rank's value is used.
        place, chosen = np.unique(incoming, return_index=True)
        shape: Shape = (0, 0, 0)
        if self._box is not None:
            own_z, own_y, own_x = self._box
            nz, ny, nx = (axis.stop - axis.start + extra for axis in self._box)
            shape = nz, ny, nx
            z, y, x = _unflat(place, self._shape(association))
            z, y, x = z - own_z.start, y - own_y.start, x - own_x.start
            place = (z * ny + y) * nx + x
        return _Route(located, order, sent, received, chosen, place, shape)

    # ---- values

    def _read_values(self, name: str) -> tuple[Association, int, np.dtype[Any], list[list[Array]]]:
        """Association, number of components, common type on all ranks, and each domain's component
        arrays of a field. Collective."""
        read: list[tuple[Association, list[Array]]] = []
        with together(self.comm, f"mesh, field {name}"):
            for domain in self._domains:
                with prefixed(domain.prefix):
                    read.append(_values(domain, name))
        mine = [(where, len(parts), parts[0].dtype.str) for where, parts in read if parts]
        kinds = sorted({kind for kinds in self.comm.allgather(mine) for kind in kinds})
        if not kinds:
            raise MeshError(f"fields/{name}: no rank has any cells")
        if len({kind[:2] for kind in kinds}) > 1:
            raise MeshError(f"fields/{name}: domains differ: {kinds}")
        association, count, _ = kinds[0]
        dtype = np.result_type(*(np.dtype(kind[2]) for kind in kinds))
        for domain, (_, parts) in zip(self._domains, read, strict=True):
            if not parts:  # a domain that lacks the field, whose place is empty
                n = domain.published if association == "element" else len(domain.cells.points)
                parts += [np.full(n, np.nan, dtype)] * count
        return association, count, dtype, [parts for _, parts in read]

    def _published(self, fields: Sequence[str]) -> tuple[Array, Array, Association]:
        """Points (k, 3) of this rank's owned values of fields, the values (k, components), and the
        association."""
        columns: list[Array] = []
        association: Association = "vertex"
        for name in fields:
            association, count, _, read = self._read_values(name)
            where = [
                domain.own if association == "element" else np.unique(domain.cells.corners)
                for domain in self._domains
            ]
            for c in range(count):
                values = [parts[c][at] for parts, at in zip(read, where, strict=True)]
                columns.append(np.concatenate(values or [np.empty(0)]))
        points = [
            _middles(domain.cells) if association == "element" else domain.cells.points[at]
            for domain, at in zip(self._domains, where, strict=True)
        ]
        return np.concatenate(points or [np.empty((0, 3))]), np.stack(columns, axis=1), association

    def _field(self, name: str) -> tuple[list[Array], Association]:
        """Components (nz, ny, nx) of the box, and the association. Collective."""
        from mpi4py import MPI

        association, count, dtype, read = self._read_values(name)
        route = self._route(association)
        components = []
        for c in range(count):
            values = [
                _interpolated(domain, located, parts[c], association)
                for domain, located, parts in zip(self._domains, route.located, read, strict=True)
            ]
            outgoing = np.concatenate(values or [np.empty(0)])[route.order].astype(np.float64)
            incoming = np.empty(sum(route.received))
            self.comm.Alltoallv(
                [outgoing, (route.sent, None), MPI.DOUBLE],
                [incoming, (route.received, None), MPI.DOUBLE],
            )
            box = np.full(int(np.prod(route.shape)), np.nan, dtype)
            box[route.place] = incoming[route.chosen]
            planes = box.reshape(route.shape)
            components.append(planes[:1] if self.dimension == 2 else planes)
        return components, association

    def _empty_box(self, tree: object) -> Any:
        """This rank's domain without fields."""
        if self._box is None:
            return None
        state = next((d["state"] for _, d, _ in labelled(tree) if "state" in d), None)
        x, y, z = (
            line[own.start : own.stop + 1]
            for line, own in zip(self.lines, reversed(self._box), strict=True)
        )
        if self.dimension == 2:
            z = z.mean(keepdims=True)
        result: dict[str, Any] = {
            "coordsets": {"boxes": {"type": "rectilinear", "values": {"x": x, "y": y, "z": z}}},
            "topologies": {"boxes": {"type": "rectilinear", "coordset": "boxes"}},
            "fields": {},
        }
        if state is not None:
            kept = {key: value for key, value in state.items() if key != "domain_id"}
            result["state"] = {**kept, "domain_id": self._owners.index(self.comm.rank)}
        return result


def _topology(domain: Tree, domain_id: int, fields: Sequence[str]) -> str | None:
    """The topology of the fields in a domain; None where it has none of them, or no cells."""
    read = PublishedDomain(domain, domain_id, None)
    for name in fields:
        if read.names_all([name]):
            topology = read.topology_of(published_components(domain, name)[0])
            return None if cells_are_empty(domain, topology) else topology
    if fields:
        return None
    topologies = list(group(domain, "topologies"))
    if len(topologies) != 1:
        raise MeshError(f"topologies: {', '.join(topologies)}; a domain made of cells has one")
    return None if cells_are_empty(domain, topologies[0]) else topologies[0]


def _grid_cells(
    extent: Array, n_cells: float, volume: float, dimension: int
) -> tuple[int, int, int]:
    """Number of cells along x, y, z for cells of the mesh's average size."""
    if dimension == 2:
        side = (volume / (extent[2] * n_cells)) ** 0.5
    else:
        side = (volume / n_cells) ** (1 / 3)
    x, y, z = (int(np.clip(round(e / side), 1, _MOST_CELLS)) for e in extent)
    return x, y, z


def _middles(cells: Cells) -> Array:
    """(m, 3), a point inside each cell."""
    return np.asarray(cells.points[cells.corners].mean(axis=1))


def _volumes(cells: Cells) -> Array:
    """(m,), volume of each cell: exact where its faces are planar; of a point, about its share."""
    corners = cells.points[cells.corners]
    total = np.zeros(len(corners))
    # Six tetrahedra around the diagonal from corner 0 to corner 6.
    for a, b in ((1, 2), (2, 3), (3, 7), (7, 4), (4, 5), (5, 1)):
        sides = [corners[:, c] - corners[:, 0] for c in (a, b, 6)]
        total += np.einsum("kd,kd->k", sides[0], np.cross(sides[1], sides[2])) / 6
    if cells.scattered:
        total /= (2 * REACH) ** 3  # cubes around points overlap
    return np.abs(total)


def resampled_names(domains: Sequence[PublishedDomain], names: Sequence[str]) -> list[str]:
    """Those of `names` that can be resampled: values per element or vertex of cells, in those of
    this rank's domains that have the field. Not collective."""
    found = []
    for name in names:
        try:
            for domain in domains:
                if not domain.names_all([name]):
                    continue
                topology = domain.topology_of(published_components(domain.tree, name)[0])
                cells = read_cells(domain.tree, topology)
                everything = np.arange(len(cells.corners))
                _values(_Domain(domain.tree, cells, everything, len(everything), ""), name)
        except MeshError:
            continue
        found.append(name)
    return found


def _signature(domains: Sequence[_Domain]) -> bytes:
    digest = hashlib.blake2b()
    for domain in domains:
        digest.update(domain.cells.points.tobytes())
        digest.update(domain.cells.corners.tobytes())
    return digest.digest() + bytes([len(domains) % 256])


def _values(domain: _Domain, name: str) -> tuple[Association, list[Array]]:
    """Association and component arrays of a field, as published; no array where the domain lacks
    it."""
    found: list[tuple[Association, list[Array]]] = []
    there = find(domain.tree, "fields")
    known = there if isinstance(there, dict) else {}
    components = published_components(domain.tree, name) if known else []
    if not any(known.get(part) is not None for part in components):
        return "element", []
    for published in components:
        path = f"fields/{published}"
        association = association_of(domain.tree, path)
        if domain.cells.scattered:
            association = "element"
        topology = require_text(domain.tree, f"{path}/topology")
        if topology != domain.cells.topology:
            raise MeshError(
                f"{path}/topology: '{topology}', but other fields that are read from the cells of "
                f"this domain lie on '{domain.cells.topology}'"
            )
        size = domain.published if association == "element" else domain.cells.n_published
        parts = []
        for leaf in component_paths(domain.tree, f"{path}/values"):
            values = flat(domain.tree, leaf)
            if values.size != size:
                raise MeshError(f"{leaf}: {values.size} values, expected {size}")
            values = as_float(leaf, values)
            if association == "vertex" and domain.cells.dimension == 2:
                values = np.concatenate([values, values])  # below and above the plane
            parts.append(values)
        found.append((association, parts))
    return found[0][0], [part for _, parts in found for part in parts]


def _interpolated(
    domain: _Domain, located: Located, values: Array, association: Association
) -> Array:
    if association == "element":
        return np.asarray(values[domain.own[located.cell]])
    corners = domain.cells.corners[located.cell]
    return np.einsum("kc,kc->k", located.weights, values[corners])


def _unflat(sample: Array, shape: Shape) -> tuple[Array, Array, Array]:
    """Indices z, y, x of flat sample indices, x fastest."""
    z, rest = np.divmod(sample, shape[1] * shape[2])
    y, x = np.divmod(rest, shape[2])
    return z, y, x


def _inside(numbers: tuple[Array, Array, Array], box: Box, extra: int) -> Array:
    inside = np.ones(len(numbers[0]), bool)
    for number, own in zip(numbers, box, strict=True):
        inside &= (number >= own.start) & (number < own.stop + extra)
    return inside
