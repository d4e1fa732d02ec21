"""A recorded field answers anywhere in the domain, whoever wrote it and however many read it."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.store.block_grid import BlockGrid, GridError
from insitu.store.manifest import Units
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from tests.support import records
from tests.support.windows import field_at

COMM = MPI.COMM_WORLD


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One record for all ranks, written by rank 0."""
    path = COMM.bcast(tmp_path_factory.mktemp("record") / "record")
    if COMM.rank == 0:
        records.write(path)
    COMM.barrier()
    return path


def points(n: int = 200) -> np.ndarray:
    return np.random.default_rng(3).uniform(size=(n, 3))


def test_steps_are_found_by_index_cycle_and_time(path: Path) -> None:
    record = open_record(path)
    assert list(record) == ["density", "height", "velocity"] and len(record) == 3
    series = record["density"]
    assert series.cycles.tolist() == [0, 5, 10] and len(series) == 3
    np.testing.assert_allclose(series.times, [0, 0.5, 1])
    assert series.unit == "kg m-3" and record.units == records.UNITS
    for found in (series.sel(step=-2), series.sel(cycle=5), series.sel(time=0.6)):
        assert isinstance(found, DistributedField)
        assert found.summary.cycle == 5 and found.summary.time == 0.5
    with pytest.raises(KeyError, match="no cycle 6; but 0, 5, 10"):
        series.sel(cycle=6)
    with pytest.raises(ValueError, match="one of step, cycle and time"):
        series.sel(step=1, cycle=5)
    with pytest.raises(KeyError, match="recorded: density, height, velocity"):
        record["densty"]


@pytest.mark.parametrize("name", ["density", "velocity"])
def test_values_and_gradients_are_those_of_the_blocks(name: str, path: Path) -> None:
    field = open_record(path)[name].sel(step=0)
    at = points()
    values, slopes = field(at), field.gradient(at)
    assert values.shape == ((200,) if name == "density" else (200, 3))
    assert slopes.shape == (*values.shape, 3)
    for block in field.fields:
        inside = np.isfinite(block(at)).reshape(200, -1).all(axis=1)
        np.testing.assert_allclose(values[inside], block(at[inside]), atol=1e-6)
        np.testing.assert_allclose(slopes[inside], block.gradient(at[inside]), atol=1e-4)
    assert np.isfinite(values).all()
    assert np.isnan(field([[1.5, 0.5, 0.5]])).all()
    assert np.isfinite(field([[0.5, 0.5, 0.5], [0, 0, 0], [1, 1, 1]])).all()  # on faces
    with pytest.raises(ValueError, match="shape"):
        field([[1.0, 2.0]])


def test_only_blocks_with_a_point_are_opened(path: Path) -> None:
    field = open_record(path)["density"].sel(step=0)
    assert field.boxes.shape == (8, 2, 3)
    assert field.summary.n_blocks == 8
    field([[0.1, 0.1, 0.1], [0.2, 0.3, 0.9]])
    opened = [block for block in field.blocks if "field" in vars(block)]
    assert len(opened) == 2


def test_the_summary_from_headers_is_that_of_the_fields(path: Path) -> None:
    for name in ("density", "velocity", "height"):
        field = open_record(path)[name].sel(step=1)
        opened = DistributedField.join(field.fields).summary
        assert field.summary.metrics == opened.metrics
        assert field.summary.nbytes == open_record(path).steps[name][1]["nbytes"] < opened.nbytes
        np.testing.assert_array_equal(field.summary.range, opened.range)
        np.testing.assert_array_equal(field.summary.bounds, opened.bounds)


def test_decoded_samples_are_the_blocks(path: Path) -> None:
    for name in ("density", "velocity"):
        field = open_record(path)[name].sel(step=1)
        whole = field.decode()
        for block, box in zip(field.fields, field.grid.boxes, strict=True):
            difference = np.abs(whole[box] - block.decode())
            # On a face that blocks share the last one counts.
            inner = tuple(slice(0, n - (name == "velocity")) for n in block.shape)
            assert difference[inner].max() < 1e-6
        box = (slice(5, 8), slice(0, 16), slice(9, 12))
        np.testing.assert_allclose(field.decode(box), whole[box], atol=1e-6)


def test_where_no_block_is_there_is_nan(path: Path) -> None:
    field = open_record(path)["density"].sel(step=0)
    blocks, whole = field.blocks, field.decode()
    for some in (blocks[:-1], [*blocks[:-1], blocks[0]]):
        grid = BlockGrid(some)
        found = grid.read(grid.whole)
        missing = np.zeros(whole.shape, bool)
        missing[field.grid.boxes[len(blocks) - 1]] = True
        np.testing.assert_array_equal(np.isnan(found), missing)
        np.testing.assert_array_equal(found[~missing], whole[~missing])
    with pytest.raises(GridError, match="different kinds"):
        BlockGrid([*blocks[:4], *open_record(path)["height"].sel(step=0).blocks[4:]])
    # The field still answers.
    assert np.isfinite(open_record(path)["density"].sel(step=0)(points())).all()


@pytest.mark.parallel([1, 3, 4])
def test_any_number_of_readers(path: Path) -> None:
    """8 blocks of one writer: every process sees all; shares of them make up the whole."""
    field = open_record(path)["density"].sel(step=-1)
    values = field(points())
    assert all(np.array_equal(values, other) for other in COMM.allgather(values))
    share = field.share(COMM)
    assert share.summary is field.summary
    assert COMM.allreduce(len(share.fields)) == 8
    mine = [block(points()) for block in share.fields]
    joined = np.full(200, -np.inf)
    for block in mine:
        joined = np.fmax(joined, block)
    total = np.empty_like(joined)
    COMM.Allreduce(joined, total, op=MPI.MAX)
    np.testing.assert_allclose(total, values, atol=1e-6)


@pytest.mark.parallel([1, 3])
def test_any_number_of_writers(tmp_path: Path) -> None:
    """What several ranks wrote, one process reads as a whole."""
    folder = COMM.bcast(tmp_path / "record")
    writer, window = RecordWriter(COMM, folder, Units("m")), Window(1)
    window.append(field_at(COMM, 3))
    writer.append(window.entries("density"))
    COMM.barrier()
    field = open_record(folder)["density"].sel(cycle=3)
    assert field.decode().shape == (4, 4, 4 * COMM.size)
    assert len(field.boxes) == COMM.size
    centres = np.stack(np.meshgrid(*field.grid.coordinates, indexing="ij"), -1).reshape(-1, 3)
    decoded = field.decode().transpose(2, 1, 0).ravel()
    np.testing.assert_allclose(field(centres), decoded, atol=1e-5)
