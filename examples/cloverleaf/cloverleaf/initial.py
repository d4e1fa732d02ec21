"""Fills a block with the deck's states, as CloverLeaf3D's generator does, ghosts included.

In: a deck, a block's mesh. Out: density0, energy0 and vel0 of the block at time zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .axes import Triple, X, Y, Z
from .deck import Deck, State
from .fields import Fields, Grid

Mask = npt.NDArray[np.bool_]


def fill_initial(deck: Deck, grid: Grid, fields: Fields) -> None:
    """Write the states into `fields`, later ones over earlier ones. Not collective."""
    background = deck.states[0]
    fields.density0[...] = background.density
    fields.energy0[...] = background.energy
    for axis, speed in _velocities(background):
        # The generator leaves the last ghost vertex at zero; the halo update mends it.
        fields.vel0[axis][:-1, :-1, :-1] = speed
    for state in deck.states[1:]:
        inside = _inside(state, grid)
        fields.density0[inside] = state.density
        fields.energy0[inside] = state.energy
        corners = _corners_of(inside)
        for axis, speed in _velocities(state):
            fields.vel0[axis][corners] = speed


def _velocities(state: State) -> tuple[tuple[int, float], ...]:
    return (X, state.xvel), (Y, state.yvel), (Z, state.zvel)


def _inside(state: State, grid: Grid) -> Mask:
    """Which cells, ghosts included, belong to a state."""
    # Bounds are drawn in by a hundredth of a cell so that rounding cannot add a layer of cells.
    bounds = dict(state.bounds)
    for axis, name in ((X, "x"), (Y, "y"), (Z, "z")):
        nudge = grid.spacing[axis] / 100.0
        bounds[f"{name}min"] = bounds[f"{name}min"] + nudge
        if f"{name}max" in bounds:
            bounds[f"{name}max"] = bounds[f"{name}max"] - nudge
    if state.geometry == "cuboid":
        return _in_cuboid(bounds, grid)
    if state.geometry == "sphere":
        return _in_sphere(bounds, grid)
    return _outer(
        *(grid.nodes[axis][:-1] == bounds[f"{n}min"] for axis, n in ((Z, "z"), (Y, "y"), (X, "x")))
    )


def _in_cuboid(bounds: dict[str, float], grid: Grid) -> Mask:
    """Cells that the cuboid touches."""
    ranges = []
    for axis, name in ((Z, "z"), (Y, "y"), (X, "x")):
        low, high = grid.nodes[axis][:-1], grid.nodes[axis][1:]
        ranges.append((high >= bounds[f"{name}min"]) & (low < bounds[f"{name}max"]))
    return _outer(*ranges)


def _in_sphere(bounds: dict[str, float], grid: Grid) -> Mask:
    """Cells whose centre lies in the sphere."""
    squares = []
    for axis, name in ((Z, "z"), (Y, "y"), (X, "x")):
        centre = 0.5 * (grid.nodes[axis][:-1] + grid.nodes[axis][1:])
        squares.append((centre - bounds[f"{name}min"]) * (centre - bounds[f"{name}min"]))
    z2, y2, x2 = np.ix_(*squares)
    return np.sqrt(x2 + y2 + z2) <= bounds["radius"]


def _outer(z: Mask, y: Mask, x: Mask) -> Mask:
    return z[:, None, None] & y[None, :, None] & x[None, None, :]


def _corners_of(cells: Mask) -> Mask:
    """The vertices of the marked cells: one more along each axis."""
    shape: Triple = (cells.shape[0] + 1, cells.shape[1] + 1, cells.shape[2] + 1)
    corners = np.zeros(shape, dtype=np.bool_)
    nz, ny, nx = cells.shape
    for z in (0, 1):
        for y in (0, 1):
            for x in (0, 1):
                corners[z : z + nz, y : y + ny, x : x + nx] |= cells
    return corners
