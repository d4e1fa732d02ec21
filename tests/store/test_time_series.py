"""A window, a record and an insitu file are read alike; a record also by ranks together."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.errors import ConfigError
from insitu.io.array_series import ArraySeries
from insitu.store.record import open_record
from insitu.store.shared_series import SharedSeries, share
from insitu.store.time_series import TimeSeries, UpTo
from insitu.store.timestep import TimeStep, newest
from insitu.store.window import Window
from tests.support import records
from tests.support.waves import waves

COMM = MPI.COMM_WORLD


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One record for all ranks, written by rank 0."""
    path = COMM.bcast(tmp_path_factory.mktemp("record") / "record")
    if COMM.rank == 0:
        records.write(path)
    COMM.barrier()
    return path


def cycles(series: TimeSeries, name: str) -> list[int]:
    return [entry.summary.cycle for entry in series.entries(name)]


def test_a_record_is_a_time_series(path: Path) -> None:
    record = open_record(path)
    assert record.names == ["density", "height", "velocity"]
    assert cycles(record, "velocity") == [0, 5]
    window = Window(2)
    for entry in record.entries("density"):
        window.append(entry.open())
    last, held = record.entries("density")[-1], window.entries("density")[-1]
    np.testing.assert_array_equal(last.summary.bounds, held.summary.bounds)
    np.testing.assert_array_equal(last.summary.range, held.summary.range)
    for key in ("cycle", "time", "n_blocks", "metrics"):
        assert getattr(last.summary, key) == getattr(held.summary, key), key
    assert last.summary.nbytes < sum(block.nbytes for block in last.open().fields)  # a difference
    for series in (record, window):
        assert [step.cycle for step in newest(series, ["density"], 2)] == [5, 10]
    with pytest.raises(KeyError, match="recorded: density, height, velocity"):
        record.entries("densty")


def test_the_past_ends_at_the_present(path: Path) -> None:
    past = UpTo(open_record(path), steps=2)
    assert past.names == []
    past.move_to(0, 0.0)
    assert cycles(past, "height") == [0]
    past.move_to(10, 1.0)
    assert cycles(past, "height") == [5, 10]
    assert cycles(past, "velocity") == [0, 5]
    assert past.names == ["density", "height", "velocity"]
    whole = UpTo(open_record(path))
    whole.move_to(10, 1.0)
    assert cycles(whole, "height") == [0, 5, 10]
    with pytest.raises(KeyError, match="there are: density, height, velocity"):
        past.entries("densty")


@pytest.mark.parallel([1, 3])
def test_ranks_share_a_record(path: Path) -> None:
    record = open_record(path)
    series = SharedSeries(COMM, record)
    assert series.kinds == {
        "density": ("element", 1),
        "height": ("vertex", 1),
        "velocity": ("vertex", 3),
    }
    mine = {name: series.entries(name)[0].open().fields for name in series.names}
    boxes = {name: [block.bounds for block in blocks] for name, blocks in mine.items()}
    np.testing.assert_array_equal(boxes["density"], boxes["velocity"])
    assert COMM.allreduce(len(mine["density"])) == 8
    assert min(COMM.allgather(len(mine["density"]))) >= 2
    assert series.entries("density")[0].open().fields[0] is mine["density"][0]  # still open
    frames = COMM.allgather([block.to_bytes() for block in mine["density"]])
    assert sorted(chain(*frames)) == sorted(
        block.to_bytes() for block in record.load("density", 0).fields
    )
    with pytest.raises(ConfigError, match="no field 'densty'; did you mean 'density'"):
        SharedSeries(COMM, record, ["densty"])
    assert SharedSeries(COMM, record, ["height"]).names == ["height"]


def test_domains_that_ranks_counted_alike_get_numbers_of_their_own(path: Path) -> None:
    blocks = open_record(path).blocks("density", 0)
    assert [block.domain_id for block in share(blocks, 0, 1)] == list(range(8))
    for block in blocks:
        block.domain_id %= 2
    assert [block.domain_id for block in share(blocks, 0, 1)] == list(range(8))


@pytest.mark.parallel([1, 3])
def test_an_insitu_file_is_a_series_of_one_step(folder: Path) -> None:
    values = waves((20, 16, 12))
    if COMM.rank == 0:
        insitu.compress(values, psnr=35, block=10).save(folder / "w.insitu")
    COMM.barrier()
    array = insitu.load(folder / "w.insitu")
    series = SharedSeries(COMM, ArraySeries(array))
    [name] = series.names
    assert cycles(series, name) == [0] and series.kinds == {name: ("element", 1)}
    step = TimeStep(series, 0, 0.0)
    field = step.open(name)
    assert field.summary.n_blocks == COMM.allreduce(len(field.fields)) == 8
    assert field.summary.psnr_db == array.psnr_db
    np.testing.assert_allclose(field.summary.range, [[values.min(), values.max()]])
    boxes = np.array(list(chain(*COMM.allgather([block.bounds for block in field.fields]))))
    np.testing.assert_allclose(np.prod(boxes[:, 1] - boxes[:, 0], axis=1).sum(),
                               np.prod(np.subtract(*array.bounds[::-1])))  # fmt: skip
    with pytest.raises(KeyError, match="there are"):
        series.entries("other")
