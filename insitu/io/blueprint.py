"""Surfaces as a Conduit Blueprint mesh, for the simulation's own Ascent.

In: this rank's surface. Out: its domain as a dict of paths and arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insitu.core.geometry import Surface


def to_blueprint(surface: Surface, domain_id: int) -> dict[str, Any]:
    """One domain: an explicit coordinate set, an unstructured topology of triangles, one field per
    array of values, and the normals as a vector field. Not collective.

        for path, value in to_blueprint(surface, comm.rank).items():
            node[path] = value

    Args:
        domain_id: unique to each rank, for example the rank.

    Returns:
        Path -> value; arrays may be views of the surface's own. Empty if the surface has no
        triangles: the rank then has no domain.
    """
    if not len(surface.triangles):
        return {}
    mesh: dict[str, Any] = {
        "state/domain_id": domain_id,
        "coordsets/coords/type": "explicit",
        "topologies/surface/type": "unstructured",
        "topologies/surface/coordset": "coords",
        "topologies/surface/elements/shape": "tri",
        "topologies/surface/elements/connectivity": surface.triangles.reshape(-1),
    }
    for letter, column in zip("xyz", surface.points.T, strict=True):
        mesh[f"coordsets/coords/values/{letter}"] = np.ascontiguousarray(column)
    values = dict(surface.values)
    if surface.normals is not None:
        values["normals"] = surface.normals
    for name, array in values.items():
        mesh[f"fields/{name}/association"] = "vertex"
        mesh[f"fields/{name}/topology"] = "surface"
        if array.ndim == 1:
            mesh[f"fields/{name}/values"] = array
            continue
        for i, column in enumerate(array.T):
            letter = "xyz"[i] if array.shape[1] <= 3 else f"c{i}"
            mesh[f"fields/{name}/values/{letter}"] = np.ascontiguousarray(column)
    return mesh
