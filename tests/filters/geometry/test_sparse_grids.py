"""Surfaces and planes through sparse grids: closed across blocks, and where the data have them."""

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.isosurface import isosurface
from insitu.filters.geometry.slice import slice_plane
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions
from tests.support.analytic_grid import sphere
from tests.support.blocks import split
from tests.support.topology import euler, merged, open_edges

COMM = MPI.COMM_WORLD
RECIPE = FieldSpec(SparseGrid(), TrainingOptions(), Target(psnr=55), automatic=True)


def field(association: str, hole: bool = False) -> DistributedField:
    """`sphere` on 1 x 2 x 2 blocks, dealt out to the ranks. Collective."""
    blocks = split(sphere, (20, 21, 22), (1, 2, 2), association=association, name="f")
    if hole:
        for block in blocks:
            block.components[0][:6] = np.nan
    mine = [replace(b, domain_id=i) for i, b in enumerate(blocks) if i % COMM.size == COMM.rank]
    found = train_fields(COMM, {"f": mine}, {"f": RECIPE}, {}, cycle=0, time=0.0)
    assert found is not None
    return found["f"]


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_surfaces_are_closed_and_lie_where_the_data_have_them(association: str) -> None:
    pieces = COMM.gather(isosurface(COMM, field(association).fields, 0.0))
    if pieces is None:
        return
    points, triangles = merged(pieces)
    assert open_edges(triangles) == 0 and euler(triangles) == 2
    away = np.abs(sphere(*points.T))
    assert np.sqrt(np.mean(away**2)) < 0.004  # 55 dB of a range of 0.85, and a cell of 0.05
    normals = np.concatenate([piece.normals for piece in pieces])
    outward = np.concatenate([piece.points for piece in pieces]) - [0.47, 0.52, 0.49]
    outward /= np.linalg.norm(outward, axis=1)[:, None]
    assert np.mean(np.sum(normals * outward, axis=1)) > 0.99


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("normal", [(0, 1, 0), (1, 1, 0.5)])
def test_planes_have_the_values_of_the_data(normal: tuple[float, float, float]) -> None:
    mine = {"f": field("element").fields}
    pieces = COMM.gather(slice_plane(COMM, mine, (0.5, 0.5, 0.5), normal))
    for piece in pieces or []:
        inside = (np.abs(piece.points - 0.5) < 0.45).all(axis=1)  # of the outermost samples
        error = piece.values["f"][inside] - sphere(*piece.points[inside].T)
        assert np.abs(error).max(initial=0) < 0.05


@pytest.mark.parallel([1, 3])
def test_surfaces_end_at_holes() -> None:
    surface = isosurface(COMM, field("vertex", hole=True).fields, 0.0)
    lowest = COMM.allreduce(surface.points[:, 2].min(initial=1.0), op=MPI.MIN)
    assert lowest == pytest.approx(5 / 20, abs=1e-9)
