"""One domain of a published Blueprint tree, read once.

In: the domain as nested mappings. Out: its grids, ghost boxes and fields, each read and checked on
first access; the arrays are the simulation's own memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.core.arrays import Array
from insitu.mesh.cells import is_made_of_cells, read_cells
from insitu.mesh.ghosts import GhostBox, ghost_box
from insitu.mesh.grid import Grid, read_grid
from insitu.mesh.partition import Association, Partition
from insitu.mesh.tree import (
    MeshError,
    Tree,
    array,
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

    def __init__(self, tree: Tree, domain_id: int, ghost_field: str | None) -> None:
        """tree: one domain, nested, with single names as keys. ghost_field: the field that flags
        ghost cells. A tree (or a topology) without it has no ghosts, as when this is None."""
        self.tree, self.domain_id, self._ghost_field = tree, domain_id, ghost_field
        self._grids: dict[str, Grid] = {}
        self._ghosts: dict[str, GhostBox] = {}
        self._nodes: dict[str, tuple[Array, Array, Array]] = {}
        self._fields: dict[str, PublishedField] = {}
        self._floats: set[str] = set()

    @property
    def field_names(self) -> list[str]:
        """The fields in order, without the ghost flags. Scalars a_x, a_y and a_z also give the
        vector a."""
        there = group(self.tree, "fields") if "fields" in self.tree else {}
        stems = (name.removesuffix("_x") for name in there if name.endswith("_x"))
        vectors = (stem for stem in stems if _letters(stem) <= there.keys())
        return [name for name in dict.fromkeys((*there, *vectors)) if name != self._ghost_field]

    def verify(self, fields: Sequence[str] | None) -> None:
        """Check everything, or only what `fields` need; see `PublishedStep.verify`."""
        if is_made_of_cells(self.tree):
            for topology in group(self.tree, "topologies"):
                read_cells(self.tree, topology)
            return
        if fields is None:
            for topology in group(self.tree, "topologies"):
                self.grid(topology)
        for name in group(self.tree, "fields") if fields is None else fields:
            read = self._any_field if fields is None else self._field
            self.ghosts(read(name).grid)

    def partition(self, names: Sequence[str], name: str, *, layers: bool) -> Partition:
        """The owned box of one field, or of several scalars on the same topology as one vector.

        layers: whether to include the valid ghost layer next to the owned cells.
        """
        parts = [part for each in names for part in published_components(self.tree, each)]
        field = self._joined(parts)
        box = self.ghosts(field.grid)
        if not layers:
            box = box.without_layers()
        inside = box.slices(field.association)
        return Partition(
            field=name,
            association=field.association,
            components=tuple(component[inside] for component in field.components),
            ghost_layers=box.layers,
            nodes=self._owned_nodes(field.grid),
            domain_id=self.domain_id,
        )

    def grid(self, topology: str) -> Grid:
        """The grid of a topology, ghosts included."""
        if topology not in self._grids:
            self._grids[topology] = read_grid(self.tree, topology)
        return self._grids[topology]

    def ghosts(self, grid: Grid) -> GhostBox:
        """Owned box and valid layers of a grid; the whole block where no field flags ghosts."""
        if grid.topology not in self._ghosts:
            self._ghosts[grid.topology] = self._read_ghosts(grid)
        return self._ghosts[grid.topology]

    def _owned_nodes(self, grid: Grid) -> tuple[Array, Array, Array]:
        """Copies, shared by all fields on a topology."""
        if grid.topology not in self._nodes:
            self._nodes[grid.topology] = self.ghosts(grid).nodes(grid.nodes)
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
        """A field of float32 or float64."""
        field = self._any_field(name)
        if name not in self._floats:
            leaves = component_paths(self.tree, f"fields/{name}/values")
            for leaf, values in zip(leaves, field.components, strict=True):
                _check_float(leaf, values)
            self._floats.add(name)
        return field

    def _any_field(self, name: str) -> PublishedField:
        """A field of any numeric type."""
        if name not in self._fields:
            self._fields[name] = self._read(name)
        return self._fields[name]

    def _read(self, name: str) -> PublishedField:
        known = group(self.tree, "fields")
        path = f"fields/{name}"
        if known.get(name) is None:
            raise MeshError(f"{path}: no such field, {nearest(name, known)}")
        grid = self._grid_of(path)
        association = _association_of(self.tree, path)
        components: list[Array] = []
        for leaf in component_paths(self.tree, f"{path}/values"):
            components.append(_in_place(self.tree, leaf, grid, association))
            _check_same_dtype(leaf, components)
        return PublishedField(grid, association, tuple(components))

    def _grid_of(self, path: str) -> Grid:
        topology = require_text(self.tree, f"{path}/topology")
        known = group(self.tree, "topologies")
        if topology not in known:
            raise MeshError(
                f"{path}/topology: no topology '{topology}', {nearest(topology, known)}"
            )
        return self.grid(topology)

    def _read_ghosts(self, grid: Grid) -> GhostBox:
        path = f"fields/{self._ghost_field}"
        if self._ghost_field is None or find(self.tree, path) is None:
            return GhostBox.whole(grid.cells)
        if require_text(self.tree, f"{path}/topology") != grid.topology:
            return GhostBox.whole(grid.cells)
        association = _association_of(self.tree, path)
        if association != "element":
            raise MeshError(
                f"{path}/association: '{association}'; ghosts are flagged per 'element'"
            )
        flags = _in_place(self.tree, f"{path}/values", grid, "element")
        return ghost_box(flags, f"{path}/values")


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


def _association_of(domain: Tree, path: str) -> Association:
    if find(domain, f"{path}/association") is None and find(domain, f"{path}/basis") is not None:
        raise MeshError(f"{path}/basis: high-order fields are not supported")
    association = require_text(domain, f"{path}/association", why="'element' or 'vertex'")
    if association == "element":
        return "element"
    if association == "vertex":
        return "vertex"
    raise MeshError(f"{path}/association: '{association}' is not 'element' or 'vertex'")


def _check_float(path: str, values: Array) -> None:
    if not (values.dtype.kind == "f" and values.dtype.itemsize in (4, 8)):
        raise MeshError(f"{path}: {values.dtype} values; expected float32 or float64")
    if not values.dtype.isnative:
        raise MeshError(f"{path}: {values.dtype} values; expected the machine's byte order")


def _in_place(domain: Tree, path: str, grid: Grid, association: Association) -> Array:
    """The array at `path` as a read-only view (nz, ny, nx) of the simulation's memory."""
    values = array(domain, path)
    shape = grid.shape(association)
    if values.size != np.prod(shape):
        what = "elements" if association == "element" else "vertices"
        raise MeshError(
            f"{path}: {values.size} values, topology '{grid.topology}' has {np.prod(shape)} {what}"
        )
    if values.shape == shape[::-1] and first_axis_fastest(values):
        values = values.T  # Fortran's u(i, j, k)
    if values.ndim != 1 and values.shape != shape:
        raise MeshError(
            f"{path}: shape {values.shape}; expected (nz, ny, nx) = {shape}, or flat, x fastest, "
            f"or (nx, ny, nz) in Fortran order"
        )
    view = values.reshape(shape).view()  # splitting one axis of any stride never copies
    view.flags.writeable = False
    return view


def _check_same_dtype(path: str, components: Sequence[Array]) -> None:
    if components[-1].dtype != components[0].dtype:
        raise MeshError(
            f"{path}: {components[-1].dtype} values, the first component has {components[0].dtype}"
        )
