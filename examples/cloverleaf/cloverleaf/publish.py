"""Describes a block as the Blueprint tree that the Ascent build of CloverLeaf3D publishes.

In: a block's mesh, fields, and the run's time, cycle and rank. Out: nested dicts, values uncopied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .axes import GHOSTS, Array, Triple, X, Y, Z
from .fields import Fields, Grid


def ghost_flags(shape: Triple) -> Array:
    """Flag each cell of a block of `shape` owned cells: 0 owned, 1 first ghost layer, 2 second.

    Shape (cells + 4) in (z, y, x). Walls of the domain are flagged like faces between ranks.
    """
    flags = np.zeros([n + 2 * GHOSTS for n in shape])
    for layer in (1, 2):
        outside = np.ones_like(flags, dtype=np.bool_)
        margin = GHOSTS + 1 - layer
        inner = slice(margin, -margin)
        outside[inner, inner, inner] = False
        flags[outside] = layer
    return flags


def mesh_tree(
    grid: Grid, fields: Fields, ghosts: Array, *, time: float, cycle: int, rank: int
) -> dict[str, Any]:
    """The tree of one block. Every array is a flat float64 view, x fastest, ghosts included."""
    x, y, z = (_flat(fields.vel0[axis]) for axis in (X, Y, Z))
    return {
        "state": {"time": time, "domain_id": rank, "cycle": cycle},
        "coordsets": {
            "coords": {
                "type": "rectilinear",
                "values": {"x": grid.nodes[X], "y": grid.nodes[Y], "z": grid.nodes[Z]},
            }
        },
        "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
        "fields": {
            "ascent_ghosts": {**_on("element"), "type": "scalar", "values": _flat(ghosts)},
            "density": {**_on("element"), "values": _flat(fields.density0)},
            "energy": {**_on("element"), "values": _flat(fields.energy0)},
            "pressure": {**_on("element"), "values": _flat(fields.pressure)},
            "velocity": {**_on("vertex"), "values": {"x": x, "y": y, "z": z}},
        },
    }


def _on(association: str) -> dict[str, str]:
    return {"association": association, "topology": "mesh"}


def _flat(array: Array) -> Array:
    # A view, since every array of a block is contiguous.
    return array.reshape(-1)
