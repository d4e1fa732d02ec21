"""Joins surfaces into one.

In: surfaces with the same values. Out: one surface with all their triangles.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from insitu.core.geometry import Surface


def join(surfaces: Iterable[Surface]) -> Surface:
    """One surface of all triangles. Duplicate points are kept (see `weld`). Surfaces without
    triangles are ignored: they need not have the others' values and normals."""
    every = list(surfaces)
    parts = [part for part in every if len(part.triangles)] or every[:1]
    if not parts:
        return Surface(np.zeros((0, 3)), np.zeros((0, 3), np.int64), {}, np.zeros((0, 3)))
    starts = np.cumsum([0, *(len(part.points) for part in parts[:-1])])
    normals = [part.normals for part in parts if part.normals is not None]
    return Surface(
        np.concatenate([part.points for part in parts]),
        np.concatenate([p.triangles + at for p, at in zip(parts, starts, strict=True)]),
        {name: np.concatenate([p.values[name] for p in parts]) for name in parts[0].values},
        np.concatenate(normals) if len(normals) == len(parts) else None,
    )


def weld(surface: Surface) -> Surface:
    """Merge points that are bitwise equal, including their normals and values."""
    if not len(surface.points):
        return surface
    columns = [surface.points, *surface.values.values()]
    columns += [] if surface.normals is None else [surface.normals]
    rows = np.concatenate([np.reshape(c, (len(surface.points), -1)) for c in columns], axis=1)
    # Compare bytes, so that NaN equals NaN; + 0.0 turns -0.0 into 0.0.
    keys = np.ascontiguousarray(rows + 0.0).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
    _, first, places = np.unique(keys.reshape(-1), return_index=True, return_inverse=True)
    return Surface(
        surface.points[first],
        places.reshape(-1)[surface.triangles].reshape(-1, 3),
        {name: values[first] for name, values in surface.values.items()},
        None if surface.normals is None else surface.normals[first],
    )
