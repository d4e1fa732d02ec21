"""One domain of a published Blueprint tree, read once.

In: the domain as nested mappings. Out: its grids, ghost boxes and fields, each read and checked on
first access; the arrays are the simulation's own memory. What is not asked for is not looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.core.box import Bounds
from insitu.core.device_arrays import DeviceArray
from insitu.mesh.cells import CELL_TOPOLOGIES, cells_are_empty, read_cells, topology_kind
from insitu.mesh.ghosts import GARBAGE, OWNED, VALID, GhostBox, ghost_boxes, ghost_names
from insitu.mesh.grid import SUPPORTED, Grid, read_grid
from insitu.mesh.partition import Association, Partition, box_id
from insitu.mesh.tree import (
    MeshError,
    Tree,
    array_in_place,
    find,
    first_axis_fastest,
    group,
    nearest,
    require,
    require_text,
)


@dataclass(frozen=True)
class PublishedField:
    """One published field: its grid, and its component arrays (nz, ny, nx), ghosts included."""

    grid: Grid
    association: Association
    components: tuple[Array, ...]


class PublishedDomain:
    """One domain; every method raises MeshError, starting with the invalid path. Not collective.

    Results are cached: grids and ghost boxes by topology, fields by name. Errors are not cached.
    """

    def __init__(
        self,
        tree: Tree,
        domain_id: int,
        ghost_field: str | Sequence[str] | None,
        thickness: float | None = None,
    ) -> None:
        """tree: one domain, nested, with single names as keys. ghost_field: the field, or fields,
        that flag ghost cells. A tree (or a topology) without them has no ghosts, as when this is
        None. thickness: see `read_grid`."""
        self.tree, self.domain_id, self._thickness = tree, domain_id, thickness
        self._ghost_fields = ghost_names(ghost_field)
        self._grids: dict[str, Grid] = {}
        self._finer: dict[str, list[Bounds]] = {}
        self._ghosts: dict[str, list[GhostBox]] = {}
        self._nodes: dict[str, list[tuple[Array, Array, Array]]] = {}
        self._fields: dict[str, PublishedField] = {}

    @property
    def field_names(self) -> list[str]:
        """The fields in order, without the ghost flags. Scalars a_x, a_y and a_z also give the
        vector a."""
        there = group(self.tree, "fields") if "fields" in self.tree else {}
        stems = (name.removesuffix("_x") for name in there if name.endswith("_x"))
        vectors = (stem for stem in stems if _letters(stem) <= there.keys())
        names = dict.fromkeys((*there, *vectors))
        return [name for name in names if name not in self._ghost_fields]

    def names_all(self, names: Sequence[str]) -> bool:
        """Whether the domain has all of these fields, however wrong."""
        there = find(self.tree, "fields")
        if not isinstance(there, dict):
            return False
        parts = (part for name in names for part in published_components(self.tree, name))
        return all(there.get(part) is not None for part in parts)

    def has(self, names: Sequence[str]) -> bool:
        """Whether the domain has all of these fields, on a topology that has cells. Raises
        MeshError where it cannot be read."""
        if not self.names_all(names):
            return False
        parts = [part for name in names for part in published_components(self.tree, name)]
        topology = self.topology_of(parts[0])
        if topology_kind(self.tree, topology) in CELL_TOPOLOGIES:
            return not cells_are_empty(self.tree, topology)
        return not self.grid(topology).empty

    def topology_of(self, name: str) -> str:
        """The topology of a published field, which is there."""
        path = f"fields/{name}"
        topology = require_text(self.tree, f"{path}/topology")
        known = group(self.tree, "topologies")
        if topology not in known:
            raise MeshError(
                f"{path}/topology: no topology '{topology}', {nearest(topology, known)}"
            )
        return topology

    def is_made_of_cells(self, name: str) -> bool:
        """Whether the domain has this field, on an unstructured or curvilinear topology."""
        if not self.names_all([name]):
            return False
        topology = self.topology_of(published_components(self.tree, name)[0])
        return topology_kind(self.tree, topology) in CELL_TOPOLOGIES

    def has_topology(self, name: str) -> bool:
        """Whether the domain has a topology of this name that is a grid."""
        kind = find(self.tree, f"topologies/{name}/type")
        return isinstance(kind, str) and kind in SUPPORTED

    def check(self, names: Sequence[str]) -> None:
        """Read what `partitions` will need of fields on a grid. Raises MeshError."""
        parts = [part for each in names for part in published_components(self.tree, each)]
        self.ghosts(self._joined(parts).grid)

    def hide(self, topology: str, finer: list[Bounds]) -> None:
        """Leave out the cells of a topology whose centres lie in one of these boxes, where domains
        of finer cells are. From then on they are not the domain's."""
        self._finer[topology] = finer
        self._ghosts.pop(topology, None)
        self._nodes.pop(topology, None)

    def verify(self, fields: Sequence[str] | None) -> None:
        """Check everything, or only what `fields` need; see `PublishedStep.verify`."""
        if fields is None:
            for topology in group(self.tree, "topologies"):
                if topology_kind(self.tree, topology) in CELL_TOPOLOGIES:
                    read_cells(self.tree, topology)
                else:
                    self.grid(topology)
        for name in group(self.tree, "fields") if fields is None else fields:
            known = group(self.tree, "fields")
            if known.get(name) is None:
                raise MeshError(f"fields/{name}: no such field, {nearest(name, known)}")
            if topology_kind(self.tree, self.topology_of(name)) not in CELL_TOPOLOGIES:
                self.ghosts(self._field(name).grid)

    def partitions(self, names: Sequence[str], name: str, *, layers: bool) -> list[Partition]:
        """The owned boxes of one field, or of several scalars on the same topology as one vector;
        [] for a domain without cells.

        layers: whether to include the valid ghost layer next to the owned cells.
        """
        parts = [part for each in names for part in published_components(self.tree, each)]
        field = self._joined(parts)
        if field.grid.empty:
            return []
        found = []
        boxes, nodes = self.ghosts(field.grid), self._owned_nodes(field.grid)
        for number, (box, lines) in enumerate(zip(boxes, nodes, strict=True)):
            if not layers:
                box = box.without_layers()
            inside = box.slices(field.association)
            found.append(
                Partition(
                    field=name,
                    association=field.association,
                    components=tuple(component[inside] for component in field.components),
                    ghost_layers=box.layers,
                    nodes=lines,
                    domain_id=box_id(self.domain_id, number),
                    dimension=field.grid.dimension,
                )
            )
        return found

    def grid(self, topology: str) -> Grid:
        """The grid of a topology, ghosts included."""
        if topology not in self._grids:
            self._grids[topology] = read_grid(self.tree, topology, self._thickness)
        return self._grids[topology]

    def ghosts(self, grid: Grid) -> list[GhostBox]:
        """Owned boxes and valid layers of a grid; the whole block where no field flags ghosts."""
        if grid.topology not in self._ghosts:
            self._ghosts[grid.topology] = self._read_ghosts(grid)
        return self._ghosts[grid.topology]

    def _owned_nodes(self, grid: Grid) -> list[tuple[Array, Array, Array]]:
        """Copies, shared by all fields on a topology."""
        if grid.topology not in self._nodes:
            self._nodes[grid.topology] = [box.nodes(grid.nodes) for box in self.ghosts(grid)]
        return self._nodes[grid.topology]

    def _joined(self, names: Sequence[str]) -> PublishedField:
        first = self._field(names[0])
        if len(names) == 1:
            return first
        components: list[Array] = []
        for name in names:
            read = self._field(name)
            path = f"fields/{name}"
            if len(read.components) != 1:
                raise MeshError(f"{path}/values: {len(read.components)} components; expected one")
            if read.grid.topology != first.grid.topology:
                raise MeshError(
                    f"{path}/topology: '{read.grid.topology}', but that of '{names[0]}', with "
                    f"which it makes a vector, is '{first.grid.topology}'"
                )
            if read.association != first.association:
                raise MeshError(
                    f"{path}/association: '{read.association}', but that of '{names[0]}', with "
                    f"which it makes a vector, is '{first.association}'"
                )
            components += read.components
            _check_same_dtype(f"{path}/values", components)
        return dataclasses.replace(first, components=tuple(components))

    def _field(self, name: str) -> PublishedField:
        """A field as float32 or float64."""
        if name not in self._fields:
            self._fields[name] = self._read(name)
        return self._fields[name]

    def _read(self, name: str) -> PublishedField:
        known = group(self.tree, "fields")
        path = f"fields/{name}"
        if known.get(name) is None:
            raise MeshError(f"{path}: no such field, {nearest(name, known)}")
        grid = self.grid(self.topology_of(name))
        association = association_of(self.tree, path)
        if grid.empty:
            return PublishedField(grid, association, ())
        components: list[Array] = []
        for leaf in component_paths(self.tree, f"{path}/values"):
            components.append(as_float(leaf, _in_place(self.tree, leaf, grid, association)))
            _check_same_dtype(leaf, components)
        return PublishedField(grid, association, tuple(components))

    def _read_ghosts(self, grid: Grid) -> list[GhostBox]:
        flagged = [name for name in self._ghost_fields if self._flags(name, grid)]
        finer = self._finer.get(grid.topology, [])
        if not flagged and not finer:
            return [GhostBox.whole(grid.cells)]
        flags = np.zeros(grid.cells, np.uint8)
        where = "fields"
        for name in flagged:
            where = f"fields/{name}/values"
            found = _in_place(self.tree, where, grid, "element")
            good = (found >= OWNED) & (found <= VALID)  # neither for NaN
            flags = np.maximum(flags, np.where(good, found, GARBAGE).astype(np.uint8))
        z, y, x = (0.5 * (line[1:] + line[:-1]) for line in reversed(grid.nodes))
        for low, high in finer:
            along = [
                (at > start) & (at < end)
                for at, start, end in zip((x, y, z), low, high, strict=True)
            ]
            flags[np.ix_(*reversed(along))] = GARBAGE
        return ghost_boxes(flags, where)

    def _flags(self, name: str, grid: Grid) -> bool:
        """Whether a field of this name flags the ghosts of a grid. MeshError where it is none."""
        path = f"fields/{name}"
        if find(self.tree, path) is None:
            return False
        if require_text(self.tree, f"{path}/topology") != grid.topology:
            return False
        association = association_of(self.tree, path)
        if association != "element":
            raise MeshError(
                f"{path}/association: '{association}'; ghosts are flagged per 'element'"
            )
        return True


def published_components(domain: Tree, name: str) -> list[str]:
    """The published fields that make up `name`: itself, or three scalars that end in _x, _y, _z."""
    there = group(domain, "fields")
    if name not in there and _letters(name) <= there.keys():
        return sorted(_letters(name))
    return [name]


def _letters(stem: str) -> set[str]:
    return {f"{stem}_{letter}" for letter in "xyz"}


def component_paths(domain: Tree, path: str) -> list[str]:
    """The paths of the component arrays of `path`: x, y, z or u, v, w sorted, others as given."""
    values = require(domain, path)
    if not isinstance(values, dict) or not values:
        return [path]
    known = any(set(values) <= set(letters) for letters in ("xyz", "uvw"))
    return [f"{path}/{part}" for part in (sorted(values) if known else values)]


def association_of(domain: Tree, path: str) -> Association:
    if find(domain, f"{path}/association") is None and find(domain, f"{path}/basis") is not None:
        raise MeshError(f"{path}/basis: high-order fields are not supported")
    association = require_text(domain, f"{path}/association", why="'element' or 'vertex'")
    if association == "element":
        return "element"
    if association == "vertex":
        return "vertex"
    raise MeshError(f"{path}/association: '{association}' is not 'element' or 'vertex'")


def as_float(path: str, values: Array) -> Array:
    """Values as float32 or float64: as they are, or, where they are integers, a read-only copy that
    keeps them exactly up to 2^53."""
    if values.dtype.kind in "iub":
        kind = np.float32 if values.dtype.itemsize <= 2 else np.float64
        converted = np.ascontiguousarray(values, dtype=kind)
        converted.flags.writeable = False
        return converted
    if not (values.dtype.kind == "f" and values.dtype.itemsize in (4, 8)):
        raise MeshError(f"{path}: {values.dtype} values; expected float32 or float64")
    if not values.dtype.isnative:
        raise MeshError(f"{path}: {values.dtype} values; expected the machine's byte order")
    return values


def _in_place(domain: Tree, path: str, grid: Grid, association: Association) -> Array:
    """The array at `path` as a read-only view (nz, ny, nx) of the simulation's memory."""
    values = array_in_place(domain, path)
    shape = grid.published(association)
    if values.size != np.prod(shape):
        what = "elements" if association == "element" else "vertices"
        raise MeshError(
            f"{path}: {values.size} values, topology '{grid.topology}' has {np.prod(shape)} {what}"
        )
    plane = (shape[1:], shape[:0:-1]) if grid.dimension == 2 else ()
    if values.shape in plane:
        values = values[None] if values.shape == shape[1:] else values[..., None]
    if values.shape == shape[::-1] and first_axis_fastest(values):
        values = values.T  # Fortran's u(i, j, k)
    if values.ndim != 1 and values.shape != shape:
        raise MeshError(
            f"{path}: shape {values.shape}; expected (nz, ny, nx) = {shape}, or flat, x fastest, "
            f"or (nx, ny, nz) in Fortran order"
        )
    view = values.reshape(shape)  # splitting one axis of any stride never copies
    if isinstance(view, DeviceArray):
        if grid.dimension == 3:
            return view
        view = np.asarray(view)
    view = view.view()
    if grid.dimension == 2:
        view = np.broadcast_to(view, grid.shape(association))  # both planes are one
    view.flags.writeable = False
    return view


def _check_same_dtype(path: str, components: Sequence[Array]) -> None:
    if components[-1].dtype != components[0].dtype:
        raise MeshError(
            f"{path}: {components[-1].dtype} values, the first component has {components[0].dtype}"
        )
