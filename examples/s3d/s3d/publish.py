"""Describes a block as a Blueprint tree: points of a rectilinear grid, shared between blocks.

Values are at points. So that no gap is left between blocks, a block takes its upper neighbours'
first points along, and its cells reach to these; one layer of ghost cells lies around where there
are neighbours. Periodic ends are left open.

In: a block's fields. Out: nested dicts; the arrays are this module's, and last for the run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from .axes import AXES, Array, X, Y, Z
from .decomposition import Placement
from .grid import Axis
from .halo import Planes, along

_BELOW, _ABOVE = 1, 2  # points beside a block: a ghost; the shared one, and a ghost


class Publication:
    """The arrays that one block publishes."""

    def __init__(
        self,
        comm: MPI.Intracomm,
        place: Placement,
        axes: tuple[Axis, Axis, Axis],
        names: tuple[str, ...],
    ) -> None:
        """`axes` are the whole grid's, z, y, x; `names` in `fill`'s order, `a/x` part of `a`."""
        self._comm = comm
        self._place = place
        self._names = names
        below = [_BELOW * (low is not None) for low, _ in place.inside]
        above = [_ABOVE * (high is not None) for _, high in place.inside]
        self._own = tuple(slice(b, b + n) for b, n in zip(below, place.shape, strict=True))
        shape = [b + n + a for b, n, a in zip(below, place.shape, above, strict=True)]
        self._values = np.zeros((len(names), *shape))
        self._points = [
            axes[axis].points[place.offset[axis] - below[axis] :][: shape[axis]] for axis in AXES
        ]
        self._ghosts = np.ones([n - 1 for n in shape])
        owned = tuple(
            slice(b, n - 1 - (a > 0)) for b, n, a in zip(below, shape, above, strict=True)
        )
        self._ghosts[owned] = 0.0

    def fill(self, fields: list[Array]) -> None:
        """Take in the block's own values of all fields, then the neighbours'. Collective."""
        for target, values in zip(self._values, fields, strict=True):
            target[self._own] = values
        # Along each axis with what came along those before, so that edges and corners come too.
        for axis in AXES:
            if self._place.blocks[axis] == 1:
                continue
            low, high = (
                MPI.PROC_NULL if rank is None else rank for rank in self._place.inside[axis]
            )
            own = self._own[axis]
            planes = Planes(
                self._comm,
                (low, high),
                (self._values[along(axis, slice(own.start, own.start + _ABOVE))], _BELOW),
                (self._values[along(axis, slice(own.stop - _BELOW, own.stop))], _ABOVE),
                axis,
            )
            from_below, from_above = planes.wait()
            if low != MPI.PROC_NULL:
                self._values[along(axis, slice(0, own.start))] = from_below
            if high != MPI.PROC_NULL:
                self._values[along(axis, slice(own.stop, None))] = from_above

    def tree(self, *, time: float, cycle: int) -> dict[str, Any]:
        """The tree of this block. Arrays are flat float64, x fastest, not copied."""
        fields: dict[str, Any] = {
            "ascent_ghosts": {**_on("element"), "values": self._ghosts.reshape(-1)}
        }
        for name, values in zip(self._names, self._values, strict=True):
            stem, _, letter = name.partition("/")
            flat = values.reshape(-1)
            if letter:
                field = fields.setdefault(stem, {**_on("vertex"), "values": {}})
                field["values"][letter] = flat
            else:
                fields[name] = {**_on("vertex"), "values": flat}
        return {
            "state": {"time": time, "domain_id": self._comm.rank, "cycle": cycle},
            "coordsets": {
                "coords": {
                    "type": "rectilinear",
                    "values": {
                        "x": self._points[X],
                        "y": self._points[Y],
                        "z": self._points[Z],
                    },
                }
            },
            "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
            "fields": fields,
        }


def _on(association: str) -> dict[str, str]:
    return {"association": association, "topology": "mesh"}
