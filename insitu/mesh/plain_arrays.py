"""Blueprint trees for plain NumPy arrays, as `Session.publish` takes them.

In: arrays and the grid that they lie on. Out: a tree that refers to the arrays; nothing is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.device_arrays import is_on_device
from insitu.mesh.partition import Association
from insitu.mesh.tree import MeshError, Tree

_COMPONENTS = "uvw"


def uniform(
    fields: ArrayLike | Mapping[str, ArrayLike],
    *,
    spacing: float | Sequence[float] = 1.0,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    name: str = "values",
    cycle: int | None = None,
    time: float | None = None,
    domain_id: int | None = None,
    association: Association = "element",
) -> Tree:
    """The tree of arrays on a uniform grid. Not collective: each rank describes its own part.

    Args:
        fields: arrays by name, all of one shape: (nz, ny, nx); or (ny, nx), one layer of cells; or
            (nz, ny, nx, 3), a vector with its components last. Or a single array. Arrays of a GPU
            are read in place by engines on it, and copied to the host where else they are used.
        spacing: distance of the grid lines, in the unit of length; or three: along x, y, z.
        origin: x, y, z of the lowest corner of this rank's part.
        name: of a single array.
        cycle, time: of the step; by default they are counted.
        domain_id: a number of its own for each part of the domain, for example the rank.
        association: "element" for a value in each cell, "vertex" for a value at each node.

    Raises: MeshError for arrays that do not fit together, or a wrong spacing or origin.
    """
    arrays, shape = _arrays(fields, name)
    nx, ny, nz = _cells(shape, association)
    dx, dy, dz = _three("spacing", [spacing] * 3 if np.ndim(spacing) == 0 else spacing)
    if min(dx, dy, dz) <= 0:
        raise MeshError(f"spacing: {(dx, dy, dz)}; expected positive numbers")
    x, y, z = _three("origin", origin)
    coordset = {
        "type": "uniform",
        "dims": {"i": nx + 1, "j": ny + 1, "k": nz + 1},
        "origin": {"x": x, "y": y, "z": z},
        "spacing": {"dx": dx, "dy": dy, "dz": dz},
    }
    return _tree("uniform", coordset, arrays, association, cycle, time, domain_id)


def rectilinear(
    fields: ArrayLike | Mapping[str, ArrayLike],
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    *,
    name: str = "values",
    cycle: int | None = None,
    time: float | None = None,
    domain_id: int | None = None,
) -> Tree:
    """The tree of arrays on a grid with uneven spacing. Not collective.

    Args:
        x, y, z: grid lines (n,), increasing. One more than samples along an axis: the samples are
            in the cells between them; as many: at the nodes.
        The others as in `uniform`.

    Raises: MeshError for arrays and grid lines that do not fit together.
    """
    arrays, shape = _arrays(fields, name)
    lines = [np.asarray(axis, np.float64) for axis in (x, y, z)]
    sizes = tuple(axis.size for axis in lines)
    association: Association = "vertex" if sizes == shape[::-1] else "element"
    if association == "element" and sizes != tuple(n + 1 for n in shape[::-1]):
        raise MeshError(
            f"grid lines: {' x '.join(map(str, sizes))} along x, y, z for {shape} samples (nz, ny, "
            f"nx); expected one more along each axis (cells), or as many (nodes)"
        )
    values = dict(zip("xyz", lines, strict=True))
    coordset = {"type": "rectilinear", "values": values}
    return _tree("rectilinear", coordset, arrays, association, cycle, time, domain_id)


def _arrays(
    fields: ArrayLike | Mapping[str, ArrayLike], name: str
) -> tuple[dict[str, Any], tuple[int, int, int]]:
    """Arrays by name, as fields have them, and their common shape (nz, ny, nx)."""
    given = fields if isinstance(fields, Mapping) else {name: fields}
    if not given:
        raise MeshError("fields: none; expected at least one array")
    found: dict[str, Any] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for key, value in given.items():
        array: Any = value if is_on_device(value) else np.asanyarray(value)
        array = array[np.newaxis] if array.ndim == 2 else array
        components = array.shape[3:]
        if array.ndim not in (3, 4) or (components and not 2 <= components[0] <= 3):
            raise MeshError(
                f"fields/{key}: shape {tuple(array.shape)}; expected (nz, ny, nx), (ny, nx), or "
                f"(nz, ny, nx, 3) for a vector"
            )
        shapes[key] = tuple(array.shape[:3])
        found[key] = array
        if components:
            letters = _COMPONENTS[: components[0]]
            found[key] = {letter: array[..., i] for i, letter in enumerate(letters)}
    first = next(iter(shapes))
    for key, shape in shapes.items():
        if shape != shapes[first]:
            raise MeshError(f"fields/{key}: {shape} samples, but {first} has {shapes[first]}")
    nz, ny, nx = shapes[first]
    return found, (nz, ny, nx)


def _cells(shape: tuple[int, int, int], association: str) -> tuple[int, int, int]:
    """Cells along x, y, z."""
    if association not in ("element", "vertex"):
        raise MeshError(f"association: {association!r}; expected 'element' or 'vertex'")
    less = 1 if association == "vertex" else 0
    nz, ny, nx = (n - less for n in shape)
    if min(nz, ny, nx) < 1:
        raise MeshError(f"fields: {shape} {association} values (nz, ny, nx) make no cell")
    return nx, ny, nz


def _three(what: str, values: Any) -> tuple[float, float, float]:
    try:
        x, y, z = (float(value) for value in values)
    except (TypeError, ValueError):
        raise MeshError(f"{what}: {values!r}; expected three numbers: along x, y, z") from None
    if not np.isfinite([x, y, z]).all():
        raise MeshError(f"{what}: {(x, y, z)}; expected finite numbers")
    return x, y, z


def _tree(
    kind: str,
    coordset: Tree,
    arrays: Mapping[str, Any],
    association: Association,
    cycle: int | None,
    time: float | None,
    domain_id: int | None,
) -> Tree:
    state = {"cycle": cycle, "time": time, "domain_id": domain_id}
    known = {key: value for key, value in state.items() if value is not None}
    return {
        **({"state": known} if known else {}),
        "coordsets": {"coords": coordset},
        "topologies": {"mesh": {"type": kind, "coordset": "coords"}},
        "fields": {
            name: {"association": association, "topology": "mesh", "values": values}
            for name, values in arrays.items()
        },
    }
