"""Isosurfaces of a distributed field: one closed surface, however blocks are distributed.

In: the blocks of this rank, isovalues. Out: triangles in each block, with vertices at the roots of
the continuous field and normals from its gradients.

The surface is extracted on the grid of the cells' nodes. Networks of neighbours differ slightly on
the face between them, so node values, crossings, normals and colours there are averaged over all
blocks that meet. Vertices on block faces are therefore bitwise the same on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from insitu.core.block_map import BlockMap
from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.fields.distributed_field import DistributedField
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.block_contour import BlockContour
from insitu.filters.geometry.edge_roots import COMMON_ROUNDS
from insitu.filters.geometry.global_node_grid import GlobalNodeGrid
from insitu.filters.geometry.interface_mean import InterfaceMean
from insitu.filters.geometry.join import join
from insitu.filters.geometry.scalar import Scalar

if TYPE_CHECKING:
    from mpi4py import MPI

Blocks: TypeAlias = DistributedField | Sequence[SampledBlock]


def isosurface(
    comm: MPI.Comm,
    field: Blocks,
    isovalues: float | Sequence[float],
    *,
    component: int | None = None,
    color_by: Mapping[str, Blocks] | None = None,
) -> Surface:
    """Isosurfaces of a field: this rank's piece. Collective.

    The pieces of all blocks join without gaps: vertices on shared faces have the same coordinates,
    normals and values, bit for bit, on any number of ranks. Each vertex lies on a grid edge, at
    least 1/1000 of its length from both ends, so that no triangle is degenerate. At a vertex the
    field equals the isovalue to within 1e-5 of its change along the edge, or 1e-3 if the crossing
    was moved away from an end. Fields with kinks within a cell may have larger errors: one vertex
    in 3000 of a turbulent block, none of a smooth one. Memory: 2^20 values of the block at a time,
    and the surface.

    Args: all except the blocks must be the same on all ranks.
        field: its blocks on this rank, or none; over all ranks they do not overlap. Vertices on a
            face are the same for both blocks where these have the same grid lines there; between
            levels of refinement there may be gaps, of a part of a coarse cell.
        isovalues: in the field's unit, finite, one or more.
        component: of a vector, counted from 0; None: its magnitude. For a scalar None or 0.
        color_by: name -> further field on the same partitions in the same order; their values at
            the vertices are added to the surface.

    Returns:
        World coordinates in float64. `normals` point towards lower values. `values` has the
        isovalue of every vertex under the field's name (followed by `_magnitude` or the
        component's number for a vector), and the fields of `color_by`. Cells with a non-finite
        corner have no surface.

    Raises:
        RemoteError: on every rank, if arguments are invalid (ValueError), blocks overlap
            (NodeGridError), or VTK is missing (ConfigError).
    """
    pieces = block_isosurfaces(comm, field, isovalues, component=component, color_by=color_by)
    return join(pieces)


def block_isosurfaces(
    comm: MPI.Comm,
    field: Blocks,
    isovalues: float | Sequence[float],
    *,
    component: int | None = None,
    color_by: Mapping[str, Blocks] | None = None,
) -> list[Surface]:
    """As `isosurface`, but one surface for each block of this rank, in their order. Collective;
    arguments and errors: see `isosurface`."""
    with together(comm, "isosurface"):
        levels = _levels(isovalues)
        scalars = [Scalar(block, component) for block in _blocks(field)]
        colors = {name: _blocks(by) for name, by in (color_by or {}).items()}
        _check_same_partitions(scalars, colors)
    all_nodes = [scalar.block.nodes for scalar in scalars]
    lattice = GlobalNodeGrid.of(comm, BlockMap.of_all_ranks(comm, all_nodes), all_nodes)
    with together(comm, "isosurface: nodes on common faces"):
        pieces = [
            BlockContour(
                scalar,
                {name: by[i] for name, by in colors.items()},
                lattice.lines_of(comm.rank, i),
                levels,
            )
            for i, scalar in enumerate(scalars)
        ]
        touches = lattice.touching(comm.rank, conforming=True)
        nodes = InterfaceMean.of(
            len(pieces), touches, lambda touch: pieces[touch.mine].nodes(touch)
        )
        values = [piece.at_nodes(keys) for piece, keys in zip(pieces, nodes.keys, strict=True)]
    means = nodes.mean(comm, values)
    with together(comm, "isosurface: edges on common faces"):
        for piece, mean in zip(pieces, means, strict=True):
            piece.set_nodes(mean)
        edges = InterfaceMean.of(
            len(pieces), touches, lambda touch: pieces[touch.mine].crossed(touch)
        )
        for piece, keys in zip(pieces, edges.keys, strict=True):
            piece.set_crossings(keys)
    for _ in range(COMMON_ROUNDS):
        with together(comm, "isosurface: vertices on common faces"):
            values = [piece.at_crossings() for piece in pieces]
        for piece, mean in zip(pieces, edges.mean(comm, values), strict=True):
            piece.refine(mean)
    with together(comm, "isosurface: normals on common faces"):
        values = [piece.attributes() for piece in pieces]
    means = edges.mean(comm, values)
    with together(comm, "isosurface"):
        return [piece.surface(mean) for piece, mean in zip(pieces, means, strict=True)]


def _levels(isovalues: float | Sequence[float]) -> tuple[float, ...]:
    levels = tuple(float(level) for level in np.atleast_1d(isovalues))
    if not levels or not np.isfinite(levels).all():
        raise ValueError(f"isovalues: {isovalues}; expected one or more finite numbers")
    return tuple(sorted(set(levels)))


def _blocks(field: Blocks) -> Sequence[SampledBlock]:
    return field.fields if isinstance(field, DistributedField) else field


def _check_same_partitions(
    scalars: Sequence[Scalar], colors: Mapping[str, Sequence[SampledBlock]]
) -> None:
    for name, by in colors.items():
        if len(by) != len(scalars):
            raise ValueError(f"color_by '{name}': {len(by)} blocks, expected {len(scalars)}")
        for scalar, block in zip(scalars, by, strict=True):
            same = scalar.block.cells == block.cells
            if not same or not np.allclose(scalar.block.bounds, block.bounds):
                raise ValueError(
                    f"color_by '{name}': a block of {block.cells} cells in {block.bounds}; "
                    f"expected {scalar.block.cells} in {scalar.block.bounds}, "
                    f"as '{scalar.block.name}' has them"
                )
