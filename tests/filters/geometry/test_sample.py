"""Samples: values where they were asked for, whatever the ranks and blocks."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.parallel import RemoteError
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.filters.geometry.sample import sample_points
from insitu.store.record import open_record
from tests.support import records
from tests.support.blocks import blob, split, swirl
from tests.support.fitting import fit

COMM = MPI.COMM_WORLD


@pytest.fixture(scope="module")
def blocks() -> list[BlockField]:
    """Of a vector, 8 blocks; the same on every rank."""
    parts = split([blob, swirl], (8, 10, 12), (2, 2, 2), association="vertex", name="v")
    return [fit(part, n_min=20) for part in parts]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all ranks, written by rank 0."""
    path = COMM.bcast(tmp_path_factory.mktemp("record") / "record")
    if COMM.rank == 0:
        records.write(path, cycles=(0,))
    COMM.barrier()
    return path


def spread(blocks: list[BlockField], deal: str = "even") -> DistributedField:
    """This rank's part of a field; with "last", one rank has all of it."""
    if deal == "last":
        mine = blocks[::-1] if COMM.rank == COMM.size - 1 else []
    else:
        mine = blocks[COMM.rank :: COMM.size]
    return DistributedField(tuple(mine), DistributedField.join(blocks).summary)


def points() -> np.ndarray:
    """Within, on faces between blocks, edges and corners, and outside."""
    rng = np.random.default_rng(1)
    inside = rng.random((60, 3))
    special = rng.choice([0.0, 0.5, 1.0], (60, 3))
    faces = np.where(rng.random((60, 3)) < 0.5, inside, special)
    return np.concatenate([inside, special, faces, inside + 2])


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("deal", ["even", "last"])
def test_values_are_those_of_the_block_above(blocks: list[BlockField], deal: str) -> None:
    at = points()
    values = sample_points(spread(blocks, deal), at, comm=COMM)
    assert values.shape == (240, 2) and values.dtype == np.float64
    assert np.isnan(values[180:]).all()
    # Block by block along z, y, x, each half of the unit cube.
    z, y, x = (at[:180, ::-1] >= 0.5).astype(int).T
    for i, block in enumerate(blocks):
        owned = np.flatnonzero(4 * z + 2 * y + x == i)
        assert len(owned)
        np.testing.assert_array_equal(values[owned], block(at[owned]))


@pytest.mark.parallel([1, 3])
def test_a_record_gives_the_same_alone_and_shared(record: Path) -> None:
    at = points()
    for name in ("density", "velocity"):
        field = open_record(record)[name].sel(step=0)
        alone = sample_points(field, at)
        np.testing.assert_array_equal(alone, field(at))
        np.testing.assert_array_equal(sample_points(field, at, comm=COMM), alone)
        np.testing.assert_array_equal(sample_points(field.share(MPI.COMM_SELF), at), alone)


def test_a_line_opens_only_the_blocks_that_it_meets(record: Path) -> None:
    field = open_record(record)["density"].sel(step=0)
    line = insitu.sample_line(field, (0.1, 0.2, 0.3), (0.4, 0.2, 0.3), 4)
    np.testing.assert_allclose(line.points[:, 0], [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(line.distance, [0, 0.1, 0.2, 0.3], atol=1e-12)
    np.testing.assert_array_equal(line.values, field(line.points))
    assert sum("field" in vars(block) for block in field.blocks) == 1


@pytest.mark.parallel([1, 3])
def test_both_ends_of_the_domain_are_in_it(blocks: list[BlockField]) -> None:
    line = insitu.sample_line(spread(blocks), (0, 0, 0), (1, 1, 1), 50, comm=COMM)
    assert np.isfinite(line.values).all() and line.values.shape == (50, 2)
    assert (line.points[-1] == 1).all()
    beyond = insitu.sample_line(spread(blocks), (0.5, 0.5, 0.5), (0.5, 0.5, 1.5), 3, comm=COMM)
    assert np.isfinite(beyond.values).all(axis=1).tolist() == [True, True, False]


@pytest.mark.parallel([1, 3])
def test_what_cannot_be(blocks: list[BlockField]) -> None:
    field = spread(blocks)
    with pytest.raises(ValueError, match="at least 2"):
        insitu.sample_line(field, (0, 0, 0), (1, 1, 1), 1, comm=COMM)
    with pytest.raises(ValueError, match=r"end: .* is not a point x, y, z"):
        insitu.sample_line(field, (0, 0, 0), (1, 1), 2, comm=COMM)
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(n, 3\)"):
        sample_points(field, np.zeros((2, 2)), comm=COMM)
    if COMM.size > 1:
        with pytest.raises(ValueError, match="points: not the same on every rank"):
            sample_points(field, np.full((COMM.rank + 1, 3), 0.5), comm=COMM)
        with pytest.raises(ValueError, match=r"\d of 8 blocks are on this rank; pass comm="):
            sample_points(field, points())


@pytest.mark.parallel(3)
def test_one_rank_s_failure_is_that_of_all(
    blocks: list[BlockField], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(block: BlockField, points: np.ndarray) -> np.ndarray:
        raise RuntimeError("lost")

    if COMM.rank == 1:
        monkeypatch.setattr("insitu.filters.geometry.sample.evaluate", lost)
    with pytest.raises(RemoteError, match="samples of v: rank 1: RuntimeError: lost"):
        sample_points(spread(blocks), points(), comm=COMM)
