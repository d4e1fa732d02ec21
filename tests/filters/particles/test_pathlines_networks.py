"""Pathlines through networks and bricks: through the window of a run, on any number of ranks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from insitu.config import FieldConfig
from insitu.fields.distributed_field import DistributedField
from insitu.filters.particles.line_segments import gather_lines
from insitu.filters.particles.pathlines import pathlines
from insitu.models.choice import ModelChoice
from insitu.store.window import Window
from insitu.training.distributed import train_fields
from insitu.training.options import TrainingOptions
from tests.support.blocks import split
from tests.support.flows import COMM, last_points, ring, rotated, rotation, spread, whole

SPARSE = "sparse_grid"
TIMES = (0.0, 0.2, 0.4, 0.6)


def trained(how: str, comm: MPI.Comm, codec: str) -> Window:
    """`rotation` on 2 x 2 x 1 blocks, of which ranks have some, in a window."""
    window, before = Window(4), {}
    if codec == SPARSE:
        field = FieldConfig(psnr=45, model=ModelChoice(SPARSE))
    else:
        field = FieldConfig(psnr=45, codec=codec, training=TrainingOptions(n_min=200, epochs=2))
    for cycle, time in enumerate(TIMES):

        def component(c: int, time: float = time):
            def values(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
                points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
                return rotation(points, time)[:, c].reshape(x.shape)

            return values

        blocks = split(
            [component(c) for c in range(3)], (12, 16, 16), (1, 2, 2), association="vertex",
            name="velocity",
        )  # fmt: skip
        ranks = spread(len(blocks), how, comm.size)
        numbered = [replace(block, domain_id=i) for i, block in enumerate(blocks)]
        mine = [b for b, r in zip(numbered, ranks, strict=True) if r == comm.rank]
        before = train_fields(
            comm, {"velocity": mine}, {"velocity": field.recipe}, before, cycle=cycle, time=time
        )
        assert isinstance(before["velocity"], DistributedField)
        window.append(before["velocity"])
    return window


@pytest.mark.parallel(3)
@pytest.mark.parametrize(("how", "codec"), [("mixed", "inr"), ("empty", "sz3")])
def test_the_same_blocks_give_the_same_lines(how: str, codec: str) -> None:
    window = trained(how, COMM, codec)
    seeds = ring(30)
    lines = whole(pathlines(COMM, window.entries("velocity"), seeds, direction="backward"))
    if COMM.rank > 0:
        return
    alone = trained(how, MPI.COMM_SELF, codec)
    expected = gather_lines(
        MPI.COMM_SELF,
        pathlines(MPI.COMM_SELF, alone.entries("velocity"), seeds, direction="backward"),
    )
    np.testing.assert_array_equal(lines.points, expected.points)
    np.testing.assert_array_equal(lines.values["time"], expected.values["time"])


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kept", ["inr", SPARSE])
def test_lines_of_networks_are_near_those_of_the_flow(kept: str) -> None:
    window = trained("even", COMM, kept)
    seeds = ring(30)
    lines = whole(pathlines(COMM, window.entries("velocity"), seeds, direction="forward"))
    ended = lines.values["time"][lines.offsets[1:] - 1] == TIMES[-1]
    assert ended.sum() == 30
    away = np.linalg.norm(last_points(lines) - rotated(seeds, 0.0, TIMES[-1]), axis=1)
    # 45 dB of a range of 2: 0.011 of velocity, over 0.6 of time.
    assert np.sqrt(np.mean(away**2)) < 0.01
