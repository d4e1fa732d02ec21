"""From what a simulation publishes to what the library works on.

In: a Blueprint tree (nested mapping or conduit.Node; one domain, several or none) and a field.
Out: one `Partition` per domain, whose arrays are the simulation's own memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from insitu.mesh.cells import is_made_of_cells, read_cells
from insitu.mesh.ghosts import GhostBox, ghost_box
from insitu.mesh.grid import Grid, read_grid
from insitu.mesh.partition import Array, Association, Partition
from insitu.mesh.tree import (
    MeshError,
    Tree,
    array,
    find,
    group,
    labelled,
    nearest,
    number,
    prefixed,
    require,
    require_text,
    trees,
)

GHOST_FIELD = "ascent_ghosts"
GHOST_MODES = ("trust", "ignore", "exchange")


@dataclass(frozen=True)
class State:
    """Cycle and time as published; None where the tree does not say (or the rank has no tree)."""

    cycle: int | None
    time: float | None
    has_cells: bool = False
    """Whether a domain of this rank is made of cells, to be resampled."""


@dataclass(frozen=True)
class _Field:
    """One published field: its grid, and its component arrays (nz, ny, nx), ghosts included."""

    grid: Grid
    association: Association
    components: tuple[Array, ...]


def state(tree: object) -> State:
    """`state/cycle` and `state/time` of the first domain that has them. Not collective."""
    cycle: float | None = None
    time: float | None = None
    for domain in trees(tree):
        if cycle is None and find(domain, "state/cycle") is not None:
            cycle = number(domain, "state/cycle")
        if time is None and find(domain, "state/time") is not None:
            time = number(domain, "state/time")
    cells = any(map(is_made_of_cells, trees(tree)))
    return State(None if cycle is None else int(cycle), time, cells)


def field_names(tree: object, *, ghost_field: str | None = GHOST_FIELD) -> list[str]:
    """The fields of this rank's domains in order, without the ghost flags; where there are scalars
    a_x, a_y and a_z, the vector a as well. Not collective."""
    names: dict[str, None] = {}
    for _, domain, _ in labelled(tree):
        there = group(domain, "fields") if "fields" in domain else {}
        names.update(dict.fromkeys(there))
        stems = (name.removesuffix("_x") for name in there if name.endswith("_x"))
        names.update(dict.fromkeys(stem for stem in stems if _letters(stem) <= there.keys()))
    return [name for name in names if name != ghost_field]


def published_components(domain: Tree, name: str) -> list[str]:
    """The published fields that make up `name`: itself, or three scalars that end in _x, _y, _z."""
    there = group(domain, "fields")
    if name not in there and _letters(name) <= there.keys():
        return sorted(_letters(name))
    return [name]


def _letters(stem: str) -> set[str]:
    return {f"{stem}_{letter}" for letter in "xyz"}


def verify(
    tree: object, fields: Sequence[str] | None = None, *, ghost_field: str | None = GHOST_FIELD
) -> None:
    """Check this rank's tree, or only what `fields` need of it. Not collective.

    Checks coordinates, topologies, ghost flags, and that every field fits its topology; of cells
    that are no grid (see `cells`), coordinates and topologies. Fields of integers pass, unless they
    are named in `fields`: only then is it known that they are wanted.

    Raises:
        MeshError: the first thing that is wrong, its path first.
    """
    for _, domain, prefix in labelled(tree):
        with prefixed(prefix):
            if is_made_of_cells(domain):
                for topology in group(domain, "topologies"):
                    read_cells(domain, topology)
                continue
            if fields is None:
                for topology in group(domain, "topologies"):
                    read_grid(domain, topology)
            names = group(domain, "fields") if fields is None else fields
            for name in names:
                read = _read_field(domain, name, floats=fields is not None)
                _read_ghosts(domain, read.grid, ghost_field)


def partitions(
    tree: object,
    field: str | Sequence[str],
    *,
    name: str | None = None,
    ghosts: str = "trust",
    ghost_field: str | None = GHOST_FIELD,
) -> list[Partition]:
    """One `Partition` per domain of this rank, [] when it has none. Not collective.

    A rank can fail here alone: run it inside `parallel.together`.

    Args:
        tree: None, a domain, a list of domains or a mapping of names to domains; nested mappings
            (keys may be paths) or conduit nodes. Arrays are x fastest: flat with any stride, or
            shaped (nz, ny, nx). They are used in place, never copied, never written.
        field: a published field, scalar or vector; or several scalar ones, which become the
            components of one vector, as a_x, a_y and a_z do for a.
        name: what to call the field; by default `field`, or the several joined by commas.
        ghosts: "trust" takes the valid ghost layer next to the owned cells along; "ignore" takes
            owned values alone; "exchange" too, for `exchange` to complete.
        ghost_field: the field that flags ghost cells; a tree (or a topology) without it has no
            ghosts, as when this is None.

    Raises:
        MeshError: what is wrong with the tree, its path first.
        ValueError: an unknown `ghosts` mode, or no field.
    """
    if ghosts not in GHOST_MODES:
        raise ValueError(f"ghosts: '{ghosts}' is not one of {', '.join(GHOST_MODES)}")
    names = [field] if isinstance(field, str) else list(field)
    if not names:
        raise ValueError("field: no name given")
    found = []
    for domain_id, domain, prefix in labelled(tree):
        with prefixed(prefix):
            parts = [part for each in names for part in published_components(domain, each)]
            read = _read_fields(domain, parts)
            box = _read_ghosts(domain, read.grid, ghost_field)
        if ghosts != "trust":
            box = box.without_layers()
        found.append(_partition(name or ",".join(names), read, box, domain_id))
    return found


def _partition(name: str, field: _Field, box: GhostBox, domain_id: int) -> Partition:
    inside = box.slices(field.association)
    return Partition(
        field=name,
        association=field.association,
        components=tuple(component[inside] for component in field.components),
        ghost_layers=box.layers,
        nodes=box.nodes(field.grid.nodes),
        domain_id=domain_id,
    )


def _read_fields(domain: Tree, names: Sequence[str]) -> _Field:
    """One field, or several scalar ones on the same topology as one vector."""
    first = _read_field(domain, names[0])
    if len(names) == 1:
        return first
    components: list[Array] = []
    for name in names:
        read = _read_field(domain, name)
        path = f"fields/{name}"
        if len(read.components) != 1:
            raise MeshError(f"{path}/values: {len(read.components)} components; expected one")
        if read.grid.topology != first.grid.topology:
            raise MeshError(
                f"{path}/topology: '{read.grid.topology}', but that of '{names[0]}', with which "
                f"it makes a vector, is '{first.grid.topology}'"
            )
        if read.association != first.association:
            raise MeshError(
                f"{path}/association: '{read.association}', but that of '{names[0]}', with which "
                f"it makes a vector, is '{first.association}'"
            )
        components += read.components
        _check_same_dtype(f"{path}/values", components)
    return dataclasses.replace(first, components=tuple(components))


def _read_field(domain: Tree, name: str, *, floats: bool = True) -> _Field:
    """The field `name` on its grid; `floats`: only float32 and float64 pass."""
    known = group(domain, "fields")
    path = f"fields/{name}"
    if known.get(name) is None:
        raise MeshError(f"{path}: no such field, {nearest(name, known)}")
    grid = _grid_of(domain, path)
    association = _association_of(domain, path)
    components: list[Array] = []
    for leaf in component_paths(domain, f"{path}/values"):
        components.append(_in_place(domain, leaf, grid, association, floats=floats))
        _check_same_dtype(leaf, components)
    return _Field(grid, association, tuple(components))


def component_paths(domain: Tree, path: str) -> list[str]:
    """Where the component arrays of `path` lie: x, y, z or u, v, w sorted, others as given."""
    values = require(domain, path)
    if not isinstance(values, dict) or not values:
        return [path]
    known = any(set(values) <= set(letters) for letters in ("xyz", "uvw"))
    return [f"{path}/{part}" for part in (sorted(values) if known else values)]


def _grid_of(domain: Tree, path: str) -> Grid:
    topology = require_text(domain, f"{path}/topology")
    known = group(domain, "topologies")
    if topology not in known:
        raise MeshError(f"{path}/topology: no topology '{topology}', {nearest(topology, known)}")
    return read_grid(domain, topology)


def _association_of(domain: Tree, path: str) -> Association:
    if find(domain, f"{path}/association") is None and find(domain, f"{path}/basis") is not None:
        raise MeshError(f"{path}/basis: high-order fields are not supported")
    association = require_text(domain, f"{path}/association", why="'element' or 'vertex'")
    if association == "element":
        return "element"
    if association == "vertex":
        return "vertex"
    raise MeshError(f"{path}/association: '{association}' is not 'element' or 'vertex'")


def _in_place(
    domain: Tree, path: str, grid: Grid, association: Association, *, floats: bool
) -> Array:
    """The array at `path` as a read-only view (nz, ny, nx) of the simulation's memory."""
    values = array(domain, path)
    if floats and not (values.dtype.kind == "f" and values.dtype.itemsize in (4, 8)):
        raise MeshError(f"{path}: {values.dtype} values; expected float32 or float64")
    if floats and not values.dtype.isnative:
        raise MeshError(f"{path}: {values.dtype} values; expected the machine's byte order")
    shape = grid.shape(association)
    if values.size != np.prod(shape):
        what = "elements" if association == "element" else "vertices"
        raise MeshError(
            f"{path}: {values.size} values, topology '{grid.topology}' has {np.prod(shape)} {what}"
        )
    if values.ndim != 1 and values.shape != shape:
        raise MeshError(
            f"{path}: shape {values.shape}; expected (nz, ny, nx) = {shape}, or flat, x fastest"
        )
    view = values.reshape(shape).view()  # splitting one axis of any stride never copies
    view.flags.writeable = False
    return view


def _read_ghosts(domain: Tree, grid: Grid, ghost_field: str | None) -> GhostBox:
    """Owned box and valid layers of `grid`; the whole block where nothing flags ghosts on it."""
    path = f"fields/{ghost_field}"
    if ghost_field is None or find(domain, path) is None:
        return GhostBox.whole(grid.cells)
    if require_text(domain, f"{path}/topology") != grid.topology:
        return GhostBox.whole(grid.cells)
    association = _association_of(domain, path)
    if association != "element":
        raise MeshError(f"{path}/association: '{association}'; ghosts are flagged per 'element'")
    flags = _in_place(domain, f"{path}/values", grid, "element", floats=False)
    return ghost_box(flags, f"{path}/values")


def _check_same_dtype(path: str, components: Sequence[Array]) -> None:
    if components[-1].dtype != components[0].dtype:
        raise MeshError(
            f"{path}: {components[-1].dtype} values, the first component has {components[0].dtype}"
        )
