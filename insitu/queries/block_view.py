"""The samples that field expressions read, slab by slab.

In: for each field its partition at the current step and its neural fields at earlier steps.
Out: SampleBox: a box of samples of one block, which reads every field at exactly these samples.

Past fields are decoded plane by plane, only where a box needs them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from insitu.core.box import Box
from insitu.fields.block_field import BlockField
from insitu.mesh.partition import NO_LAYERS, Layers, Partition, Shape
from insitu.queries import derivatives
from insitu.queries.scattered import Scattered

if TYPE_CHECKING:
    from insitu.queries.fields import Arrays, Field, FieldRef, Recenter
    from insitu.queries.scalars import Scalar

Parameters = Mapping["Scalar", Any]
"""The values of scalars in field expressions, numbers as a rule."""
Corners = tuple[NDArray[Any], NDArray[Any]]
_SLAB = 1 << 16  # samples evaluated at once: 512 KiB per float64 temporary


class MovedError(ValueError):
    """Steps cannot be computed with each other: the blocks of one are not those of the other, as
    after a change of the grid, or of the distribution over ranks."""


class Past(Protocol):
    """The recorded steps before the current one."""

    @property
    def cycles(self) -> Sequence[int]:
        """Cycles of these steps, oldest first; the same on every rank."""

    def fields(self, name: str, back: int) -> Sequence[BlockField]:
        """This rank's blocks of a field, `back` steps before the current one. Not collective."""


@dataclass(frozen=True, eq=False)
class BlockView:
    """One domain of this rank, at one step of a window."""

    held: Mapping[FieldRef, Partition | BlockField]
    """The data of each field that an expression reads."""
    widths: tuple[tuple[float, float], ...] = ((math.nan, math.nan),) * 3
    """Widths of the cells beyond its faces, (low, high) along z, y, x; only for derivatives."""
    association: str = "element"
    """Where the samples are that are counted: "element" or "vertex"."""

    def __post_init__(self) -> None:
        first = self.first
        for samples, other in self.held.items():
            if other.cells != first.cells:
                raise ValueError(
                    f"field '{samples.name}' has {other.association} data on {other.cells} cells "
                    f"in domain {other.domain_id}, the one before {first.association} data on "
                    f"{first.cells}: they cannot be computed with each other"
                )
            if not _overlap(other.bounds, first.bounds):
                raise ValueError(
                    f"field '{samples.name}' of domain {other.domain_id} is elsewhere than the one "
                    f"before: they cannot be computed with each other"
                )

    @property
    def first(self) -> Partition | BlockField:
        return next(iter(self.held.values()))

    @property
    def associations(self) -> dict[FieldRef, str]:
        """Where the samples of each field are."""
        return {samples: held.association for samples, held in self.held.items()}

    @property
    def shape(self) -> Shape:
        """Number of owned samples, (nz, ny, nx)."""
        return self.samples(self.association)

    def samples(self, association: str) -> Shape:
        """Number of owned cells or vertices, (nz, ny, nx)."""
        nz, ny, nx = self.first.cells
        extra = 1 if association == "vertex" else 0
        return nz + extra, ny + extra, nx + extra

    def unshared(self, upper: NDArray[np.float64]) -> Shape:
        """Number of samples along z, y, x that count for this block: vertices on an upper face
        belong to the neighbour, except at the end of the domain, `upper` (3,) x, y, z."""
        if self.association == "element":
            return self.shape
        nz, ny, nx = (
            n - (nodes[-1] < upper[2 - axis] - 0.5 * (nodes[-1] - nodes[-2]))
            for axis, (n, nodes) in enumerate(
                zip(self.shape, reversed(self.first.nodes), strict=True)
            )
        )
        return 1 if self.first.dimension == 2 else int(nz), int(ny), int(nx)

    def line(
        self, axis: int, start: int, stop: int, association: str | None = None
    ) -> NDArray[np.float64]:
        """World coordinates of samples start..stop-1 along axis 0 (z), 1 (y) or 2 (x); ghosts have
        indices -1 and n."""
        nodes = self.first.nodes[2 - axis]
        low, high = self.widths[axis]
        if axis == 0 and self.first.dimension == 2:  # both planes of vertices are the mesh's one
            return np.full(stop - start, 0.5 * (nodes[0] + nodes[-1]))
        nodes = np.concatenate([[nodes[0] - low], nodes, [nodes[-1] + high]])
        vertex = (association or self.association) == "vertex"
        samples = nodes if vertex else 0.5 * (nodes[1:] + nodes[:-1])
        return np.asarray(samples[start + 1 : stop + 1], np.float64)

    def place(self, z: int, y: int, x: int) -> tuple[float, float, float]:
        """World coordinates z, y, x of a sample."""
        if isinstance(self.first, Scattered):
            at_x, at_y, at_z = self.first.points[x].tolist()
            return at_z, at_y, at_x
        at_z, at_y, at_x = (float(self.line(axis, i, i + 1)[0]) for axis, i in enumerate((z, y, x)))
        return at_z, at_y, at_x

    def layers(self, argument: Field) -> Layers:
        """The ghost layers that all fields of an expression have, (low, high) along z, y, x."""
        held = [self.held[samples] for samples in argument.samples]
        if not all(isinstance(each, Partition) for each in held):
            return NO_LAYERS
        each_layers = [
            each.ghost_layers for each in held if isinstance(each, Partition) and each.components
        ]
        if not each_layers:
            return NO_LAYERS
        z, y, x = (
            (min(each[axis][0] for each in each_layers), min(each[axis][1] for each in each_layers))
            for axis in range(3)
        )
        return z, y, x

    def slabs(self, counted: Shape, parameters: Parameters) -> Iterator[tuple[int, SampleBox]]:
        """The `counted` samples, a few planes at a time, each with its first z index."""
        nz, ny, nx = counted
        planes = max(1, _SLAB // max(1, ny * nx))
        for start in range(0, nz if ny * nx else 0, planes):
            stop = min(nz, start + planes)
            low, high = (start, 0, 0), (stop, ny, nx)
            yield start, SampleBox(self, low, high, self.association, parameters)


@dataclass(frozen=True, eq=False)
class SampleBox:
    """A box of samples of a block: indices `low` (inclusive) to `high` (exclusive), both z, y, x.
    Index 0 is the first owned sample, -1 a ghost."""

    block: BlockView
    low: Shape
    high: Shape
    association: str
    """Of cells, "element", or of vertices, "vertex"."""
    parameters: Parameters = field(default_factory=dict)
    """Values of the numbers in the expression at this step."""

    @property
    def shape(self) -> Shape:
        z, y, x = (h - lo for lo, h in zip(self.low, self.high, strict=True))
        return z, y, x

    @property
    def lines(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of the samples along z, y, x."""
        z, y, x = (
            self.block.line(axis, self.low[axis], self.high[axis], self.association)
            for axis in range(3)
        )
        return z, y, x

    @property
    def widths(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Widths of the cells along z, y, x, for a box of cells."""
        z, y, x = (
            np.diff(self.block.line(axis, self.low[axis], self.high[axis] + 1, "vertex"))
            for axis in range(3)
        )
        return z, y, x

    def read(self, samples: FieldRef) -> Arrays:
        """A field in this region, one array per component. Not collective."""
        held = self.block.held[samples]
        (z, y, x), (end_z, end_y, end_x) = self.low, self.high
        if isinstance(held, Partition):
            (front, _), (below, _), (left, _) = held.ghost_layers
            box = np.s_[
                z + front : end_z + front, y + below : end_y + below, x + left : end_x + left
            ]
            return tuple(component[box] for component in held.components)
        values = held.decode_box((slice(z, end_z), slice(y, end_y), slice(x, end_x)))
        if held.n_components == 1:
            return (values,)
        return tuple(values[..., i] for i in range(held.n_components))

    def grown(self, argument: Field) -> tuple[SampleBox, Box]:
        """This box extended by one sample on every side where `argument` has one, and the position
        of this box in it."""
        layers = self.block.layers(argument)
        shape = self.block.samples(self.association)
        z, y, x = (max(self.low[i] - 1, -layers[i][0]) for i in range(3))
        end_z, end_y, end_x = (min(self.high[i] + 1, shape[i] + layers[i][1]) for i in range(3))
        around = replace(self, low=(z, y, x), high=(end_z, end_y, end_x))
        inside_z, inside_y, inside_x = (
            slice(mine - first, end - first)
            for mine, end, first in zip(self.low, self.high, around.low, strict=True)
        )
        return around, (inside_z, inside_y, inside_x)

    @property
    def is_flat(self) -> bool:
        """Whether the mesh is one cell thick along z."""
        return self.block.first.cells[0] == 1

    def coordinate(self, axis: int) -> NDArray[np.float64]:
        """World x, y or z of the samples; broadcasts to the box."""
        return _along(self.lines[2 - axis], axis)

    def cell_width(self, axis: int) -> NDArray[np.float64]:
        """Widths of the cells along x, y or z, for a box of cells; broadcasts to the box."""
        return _along(self.widths[2 - axis], axis)

    def derivative(self, function: str, argument: Field) -> Arrays:
        """Central differences, second order on any rectilinear spacing; one-sided at a block face
        without valid ghosts."""
        around, inside = self.grown(argument)
        components = [
            np.broadcast_to(np.asarray(c, np.float64), around.shape)
            for c in argument.values(around)
        ]
        with np.errstate(all="ignore"):
            return derivatives.FUNCTIONS[function](components, around.lines, inside)

    def recentered_values(self, node: Recenter) -> Arrays:
        """The means of neighbours, unless the argument is where the box is."""
        if node.argument.association(self.block.associations) in ("", self.association):
            return node.argument.values(self)
        around = self.recentered(node.argument)
        found = []
        for component in node.argument.values(around):
            whole = np.broadcast_to(np.asarray(component, np.float64), around.shape)
            for axis in range(3):
                whole = _means(whole, axis, around.low[axis], self.low[axis], self.high[axis])
            found.append(whole)
        return tuple(found)

    def recentered(self, argument: Field) -> SampleBox:
        """The corners of the cells of this box; or the cells around its vertices, as far as
        `argument` has them."""
        if self.association == "element":
            z, y, x = (high + 1 for high in self.high)
            return replace(self, high=(z, y, x), association="vertex")
        layers, cells = self.block.layers(argument), self.block.samples("element")
        z, y, x = (max(self.low[i] - 1, -layers[i][0]) for i in range(3))
        end_z, end_y, end_x = (min(self.high[i], cells[i] + layers[i][1]) for i in range(3))
        return replace(self, low=(z, y, x), high=(end_z, end_y, end_x), association="element")


def _means(
    values: NDArray[np.float64], axis: int, first: int, low: int, high: int
) -> NDArray[np.float64]:
    """Means of neighbours along an axis: of samples from `first` on, at the places low to high - 1
    of the other kind of samples. A place between samples first - 1 and first has that of first."""
    values = np.moveaxis(values, axis, 0)
    if len(values) > high - low:  # vertices around cells, or all cells around vertices
        means = 0.5 * (values[:-1] + values[1:])
    else:
        below, above = values[:1], values[-1:]
        between = 0.5 * (values[:-1] + values[1:])
        parts = [between]
        if first == low:
            parts.insert(0, below)
        if first + len(values) == high - 1:
            parts.append(above)
        means = np.concatenate(parts)
    return np.moveaxis(means, 0, axis)


def _along(line: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """A line (n,) along x, y or z as an array of three axes."""
    return line.reshape([-1 if i == 2 - axis else 1 for i in range(3)])


def blocks(
    argument: Field,
    slot: int,
    present: Mapping[str, Sequence[Partition]],
    past: Past,
    widths: Mapping[int, Any],
) -> list[BlockView]:
    """This rank's blocks that have all that an expression reads. Not collective.

    Args:
        slot: for a window, the number of steps before the current one.
        present: this rank's partitions of the fields that are read at the current step.
        widths: domain id -> see `BlockView.widths`.

    Raises: ValueError if a field of a block has another grid than the others; MovedError if these
        are fields of different steps, or a step has not the blocks of another.
    """
    backs = {each: slot if each.length else each.back for each in argument.samples}
    held: dict[FieldRef, Sequence[Partition | BlockField]] = {
        each: past.fields(each.name, back) if back else present[each.name]
        for each, back in backs.items()
    }
    if len(set(backs.values())) == 1:
        return views(argument, held, widths)
    first, *others = ({block.domain_id for block in found} for found in held.values())
    if any(other != first for other in others):
        names = ", ".join(f"'{each.name}'" for each in held)
        raise MovedError(f"{names}: this rank's domains are not the same for all of these")
    try:
        return views(argument, held, widths)
    except ValueError as error:
        raise MovedError(str(error)) from None


def views(
    argument: Field,
    held: Mapping[FieldRef, Sequence[Partition | BlockField]],
    widths: Mapping[int, Any],
) -> list[BlockView]:
    """The blocks that all fields of an expression have. Not collective; ValueError where their
    grids differ."""
    by_domain = {each: {b.domain_id: b for b in found} for each, found in held.items()}
    domains = [set(each) for each in by_domain.values()]
    made = []
    for domain in sorted(set.intersection(*domains)):
        here = {each: found[domain] for each, found in by_domain.items()}
        where = argument.association({each: block.association for each, block in here.items()})
        made.append(BlockView(here, widths.get(domain, BlockView.widths), where))
    return made


def _overlap(a: Corners, b: Corners) -> bool:
    """Whether two boxes have a common part. Grids may move, but a block that is elsewhere is not
    the same block."""
    return bool((np.maximum(a[0], b[0]) < np.minimum(a[1], b[1])).all())


def outer_widths(
    comm: MPI.Comm, partitions: Sequence[Partition], periodic: Collection[str] = ()
) -> dict[int, Any]:
    """Widths of the cells beyond each block's faces, as in `BlockView.widths`. Collective.

    The blocks of all ranks fill a box on one rectilinear grid, so any block that ends where this
    one begins has the width. At the end of the domain, a block's own last cell width is used, or,
    along the `periodic` axes among x, y and z, that at the other end.
    """
    ends = np.array(
        [[(n[0], n[1] - n[0], n[-1], n[-1] - n[-2]) for n in reversed(p.nodes)] for p in partitions]
    ).reshape(-1, 3, 4)
    everyone = np.concatenate(comm.allgather(ends))
    for axis in (number for number, name in enumerate("zyx") if name in periodic and len(everyone)):
        length = everyone[:, axis, 2].max() - everyone[:, axis, 0].min()
        beside = np.repeat(everyone[None], 3, axis=0)
        beside[..., axis, ::2] += np.array([0, -length, length])[:, None, None]
        everyone = beside.reshape(-1, 3, 4)
    found = {}
    for partition, mine in zip(partitions, ends, strict=True):
        found[partition.domain_id] = tuple(
            (
                _width_beside(everyone[:, axis, 2:], mine[axis, 0], mine[axis, 1]),
                _width_beside(everyone[:, axis, :2], mine[axis, 2], mine[axis, 3]),
            )
            for axis in range(3)
        )
    return found


def _width_beside(faces: NDArray[np.float64], place: float, own: float) -> float:
    """The width of the first of `faces` (n, 2), coordinate and width, at coordinate `place`."""
    beside = np.abs(faces[:, 0] - place) < 0.25 * own
    return float(faces[np.argmax(beside), 1]) if beside.any() else float(own)
