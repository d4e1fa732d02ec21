"""Plane slices of the fields, at any resolution.

In: each rank's blocks, a plane. Out: each rank's piece of the plane: exactly its intersection with
the rank's blocks, so that the pieces of all ranks tile the slice without overlaps or gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from insitu.core.arrays import Floats
from insitu.core.geometry import Surface
from insitu.core.grid_lines import SAME_LINE, join_close
from insitu.core.parallel import together
from insitu.filters.geometry.decomposition import (
    Decomposition,
    Fields,
    Partition,
    evaluate_grid,
    partitions,
)
from insitu.filters.geometry.join import join
from insitu.filters.geometry.masked_block import Region, unmasked
from insitu.filters.geometry.shapes import Plane
from insitu.filters.geometry.surfaces import empty_surface, placed, quads, used, with_values
from insitu.filters.geometry.tetrahedra import clip_triangles

if TYPE_CHECKING:
    from mpi4py import MPI


# Default limit of samples along the domain's diagonal: a strongly stretched grid would need far
# more.
MAX_SAMPLES = 2048


def slice_plane(
    comm: MPI.Comm,
    fields: Fields,
    origin: ArrayLike,
    normal: ArrayLike,
    *,
    spacing: float | None = None,
) -> Surface:
    """This rank's piece of a plane through the domain, with all fields at its points. Collective.

    origin: a point of the plane, world; if the plane misses the domain, all pieces are empty.
    normal: direction that the triangles face, of any length. spacing: distance between samples in
    world units; default: one sample per cell (on an oblique plane, the smallest distance between
    nodes), and at most 2048 samples along the domain's diagonal.

    If the plane coincides with a face between blocks, one of the two has it; on a face of the
    domain, the block inside. Of clipped or thresholded fields, triangles whose centre was kept.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "slice"):
        plane = Plane(_vector(origin), _vector(normal))
        if spacing is not None and not 0 < spacing < np.inf:
            raise ValueError(f"spacing: {spacing}, expected a positive length")
        cut = _oblique if plane.axis is None else _straight
        pieces = []
        for index, part in zip(decomposition.mine, partitions(fields), strict=True):
            whole, regions = unmasked(part)
            pieces.append(_left(cut(decomposition, index, whole, plane, spacing), regions))
        return join([empty_surface(decomposition.components, normals=True), *pieces])


def three_slice(
    comm: MPI.Comm,
    fields: Fields,
    *,
    x_offset: float = 0.0,
    y_offset: float = 0.0,
    z_offset: float = 0.0,
) -> Surface:
    """Three axis-aligned planes, Ascent's `3slice`: this rank's piece. Collective.

    Offsets are in -1..1, from the lowest to the highest face of the domain; 0 is the middle.
    Errors: see `slice_plane`.
    """
    offsets = {"x_offset": x_offset, "y_offset": y_offset, "z_offset": z_offset}
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "3slice"):
        for name, offset in offsets.items():
            if not -1 <= offset <= 1:
                raise ValueError(f"{name}: {offset}, expected a number in -1..1")
    low, high = decomposition.bounds
    share = (1 + np.array(list(offsets.values()))) / 2
    origin = (1 - share) * low + share * high
    pieces = [slice_plane(comm, fields, origin, np.eye(3)[axis]) for axis in range(3)]
    return join([empty_surface(decomposition.components, normals=True), *pieces])


def _straight(
    decomposition: Decomposition,
    index: int,
    part: Partition,
    plane: Plane,
    spacing: float | None,
) -> Surface:
    """An axis-aligned slice: a grid, evaluated at once."""
    axis = plane.axis
    assert axis is not None
    box = decomposition.boxes[index]
    level = on_a_face(decomposition, axis, plane.point[axis])
    if not box[0, axis] <= level <= box[1, axis]:
        return empty_surface(decomposition.components, normals=True)
    across = [(axis + 1) % 3, (axis + 2) % 3]  # axis = first x second
    nodes = next(iter(part.values())).nodes
    # Blocks above the plane own their part of it, and may have other cells than this one.
    rivals = [b for b in decomposition.touching(index) if decomposition.boxes[b, 0, axis] == level]
    lines = [
        _lines(
            nodes[a],
            box[:, a],
            decomposition.bounds[0][a],
            spacing,
            decomposition.boxes[rivals][..., a].ravel(),
        )
        for a in across
    ]
    middles = [0.5 * (line[1:] + line[:-1]) for line in lines]
    centres = _points(axis, level, middles)
    owned = decomposition.holds(index, centres.reshape(-1, 3)).reshape(centres.shape[:2])
    triangles = quads((len(lines[0]), len(lines[1])), owned)
    if plane.normal[axis] < 0:
        triangles = triangles[:, ::-1]
    points, triangles, numbers = used(_points(axis, level, lines).reshape(-1, 3), triangles)
    grid: list[Floats] = [np.array([level])] * 3
    for a, line in zip(across, lines, strict=True):
        grid[a] = line
    values = {}
    for name, block in part.items():
        found = evaluate_grid(block, grid)
        found = found.transpose(2 - across[0], 2 - across[1], 2 - axis, 3)
        found = found.reshape(-1, block.n_components)[numbers]
        values[name] = found[:, 0] if block.n_components == 1 else found
    return Surface(points, triangles, values, _normals(plane, len(points)))


def _oblique(
    decomposition: Decomposition,
    index: int,
    part: Partition,
    plane: Plane,
    spacing: float | None,
) -> Surface:
    """An oblique slice: squares of a grid on the plane that is the same for all blocks, clipped at
    the block's faces."""
    low, high = decomposition.boxes[index]
    u, v = plane.basis()
    middle = 0.5 * (decomposition.bounds[0] + decomposition.bounds[1])
    start = middle - plane.distance(middle) * np.array(plane.normal)
    step = spacing or max(float(decomposition.spacing.min()), decomposition.diagonal / MAX_SAMPLES)
    outline = crossings(low, high, plane) - start
    if not len(outline):
        return empty_surface(decomposition.components, normals=True)
    spans = [
        (np.floor((outline @ w).min() / step), np.ceil((outline @ w).max() / step)) for w in (u, v)
    ]
    i, j = (np.arange(a, b + 1) * step for a, b in spans)
    points = (start + i[:, None, None] * u + j[:, None] * v).reshape(-1, 3)
    shape = (len(i), len(j))
    centres = points.reshape(*shape, 3)[:-1, :-1] + 0.5 * step * (u + v)
    reach = 0.5 * step * (np.abs(u) + np.abs(v)) * (1 + 1e-12)
    near = ((centres >= low - reach) & (centres <= high + reach)).all(axis=-1)
    triangles = quads(shape, near)
    for axis in range(3):
        cut = clip_triangles(triangles, points[:, axis], low[axis], high[axis])
        points, triangles = placed(points, cut)
    points = np.clip(points, low, high)
    return with_values(part, points, triangles, _normals(plane, len(points)))


def _left(surface: Surface, regions: Sequence[Region]) -> Surface:
    """The triangles whose centre is in all regions."""
    if not regions or not len(surface.triangles):
        return surface
    centres = surface.points[surface.triangles].mean(axis=1)
    kept = np.all([region.holds(centres) for region in regions], axis=0)
    points, triangles, numbers = used(surface.points, surface.triangles[kept])
    values = {name: found[numbers] for name, found in surface.values.items()}
    normals = None if surface.normals is None else surface.normals[numbers]
    return Surface(points, triangles, values, normals)


def on_a_face(decomposition: Decomposition, axis: int, level: float) -> float:
    """A coordinate, snapped to the face of a block if it equals that up to rounding."""
    faces = decomposition.boxes[..., axis].ravel()
    nearest = float(faces[np.argmin(np.abs(faces - level))])
    return nearest if abs(nearest - level) <= decomposition.rounding else level


def _lines(
    nodes: Floats, ends: Floats, first: float, spacing: float | None, others: Floats
) -> Floats:
    """Coordinates along an axis of a block: its nodes, or multiples of `spacing` from the domain's
    first; plus those of `others` that lie within."""
    low, high = ends
    if spacing is not None:
        count = np.arange(np.floor((low - first) / spacing), np.ceil((high - first) / spacing) + 1)
        nodes = first + spacing * count
    least = SAME_LINE * float(np.diff(nodes).min())
    inner = np.unique(np.concatenate([nodes, others]))
    inner = inner[(inner > low + least) & (inner < high - least)]
    if len(inner):
        inner, _ = join_close(inner, least)
    return np.concatenate([[low], inner, [high]])


def _points(axis: int, level: float, lines: Sequence[Floats]) -> Floats:
    """World points (n, m, 3) of the grid spanned by two lines along the axes after `axis`."""
    points = np.full((len(lines[0]), len(lines[1]), 3), level)
    points[..., (axis + 1) % 3] = lines[0][:, None]
    points[..., (axis + 2) % 3] = lines[1]
    return points


def crossings(low: Floats, high: Floats, plane: Plane) -> Floats:
    """Intersections of a plane with the edges of a box, world (n, 3); the corners if it is a
    face."""
    box = np.stack([low, high])
    found = []
    for axis, (i, j) in product(range(3), product((0, 1), repeat=2)):
        ends = np.empty((2, 3))
        ends[:, axis] = box[:, axis]
        ends[:, (axis + 1) % 3], ends[:, (axis + 2) % 3] = (
            box[i, (axis + 1) % 3],
            box[j, (axis + 2) % 3],
        )
        a, b = plane.distance(ends)
        if a * b <= 0 and a != b:
            found.append(ends[0] + a / (a - b) * (ends[1] - ends[0]))
    return np.array(found).reshape(-1, 3)


def _normals(plane: Plane, n: int) -> Floats:
    return np.broadcast_to(np.array(plane.normal), (n, 3))


def _vector(given: ArrayLike) -> tuple[float, float, float]:
    x, y, z = np.asarray(given, np.float64).reshape(3).tolist()
    return x, y, z
