"""The window forgets the oldest step; the record gives every complete step back, bit for bit."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI

from insitu.codecs.frame import FrameError
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError
from insitu.fields.distributed_field import DistributedField
from insitu.store import record_files
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Entry, Window
from insitu.training.job import TrainingJob
from insitu.training.options import Target
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import blob, partition
from tests.support.windows import FAST, TINY, field_at


def test_the_oldest_step_goes() -> None:
    window = Window(3)
    for cycle in range(0, 25, 5):
        window.append(field_at(MPI.COMM_SELF, cycle))
    entries = window.entries("density")
    assert [e.summary.cycle for e in entries] == [10, 15, 20]
    assert 0 < window.nbytes < sum(len(f) for e in entries for f in e.frames)
    window.clear()
    assert window.nbytes == 0


def test_a_repeated_cycle_replaces_its_step() -> None:
    window = Window(3)
    for cycle in (0, 5, 5):
        window.append(field_at(MPI.COMM_SELF, cycle))
    assert [e.summary.cycle for e in window.entries("density")] == [0, 5]


def test_a_step_opens_as_it_was() -> None:
    window, field = Window(2), field_at(MPI.COMM_SELF, 5)
    window.append(field)
    again = window.entries("density")[0].open()
    assert again.summary is field.summary
    np.testing.assert_array_equal(again.fields[0].decode(), field.fields[0].decode())


def test_unknown_fields_are_named() -> None:
    window = Window(1)
    with pytest.raises(KeyError, match="held are: none"):
        window.entries("density")
    window.append(field_at(MPI.COMM_SELF, 0))
    with pytest.raises(KeyError, match="held are: density"):
        window.entries("desnity")
    with pytest.raises(ValueError, match=r"window.steps: 0 is not >= 1"):
        Window(0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One folder for all ranks."""
    return MPI.COMM_WORLD.bcast(tmp_path / "record")


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("empty_rank", [False, True])
def test_record_round_trip(folder: Path, empty_rank: bool) -> None:
    comm = MPI.COMM_WORLD
    empty_rank = empty_rank and comm.size > 1
    window, writer = Window(4), RecordWriter(comm, folder)
    for cycle in (0, 5):
        for name in ("density", "energy"):
            window.append(field_at(comm, cycle, name, empty_rank))
    for name in window.names:
        writer.append(window.entries(name))
    window.append(field_at(comm, 10, "density", empty_rank))
    writer.append(window.entries("density"))  # the two older steps are there already
    comm.barrier()

    record = open_record(folder)
    assert record.fields == ["density", "energy"] and record.n_ranks == comm.size
    assert [s["cycle"] for s in record.steps["density"]] == [0, 5, 10]
    last = record.load("density", -1)  # every process reads all ranks' blocks
    assert last.summary.cycle == 10 and last.summary.time == 1.0
    assert len(last.fields) == comm.size - int(empty_rank)
    entry = window.entries("density")[-1]
    written = [folder / f"rank_{rank:05d}.frames" for rank in range(comm.size - int(empty_rank))]
    own = sum(path.stat().st_size for path in written)  # a rank without blocks adds a header alone
    assert own == sum(step["nbytes"] for steps in record.steps.values() for step in steps)
    for block in entry.open().fields:
        twin = next(f for f in last.fields if np.array_equal(f.nodes[0], block.nodes[0]))
        np.testing.assert_array_equal(twin.decode(), block.decode())


def test_a_torn_tail_loses_the_torn_group_only(tmp_path: Path) -> None:
    writer, window = RecordWriter(MPI.COMM_SELF, tmp_path), Window(3)
    for cycle in (0, 5):
        window.append(field_at(MPI.COMM_SELF, cycle))
        writer.append(window.entries("density"))
    frames = tmp_path / "rank_00000.frames"
    whole = frames.read_bytes()
    for cut in (1, 20, 100):
        frames.write_bytes(whole[:-cut])
        record = open_record(tmp_path)
        assert record.load("density", 0).summary.cycle == 0
        with pytest.raises(FrameError, match="0 of its 1 blocks"):
            record.load("density", 1)
    frames.write_bytes(whole)
    _, [second] = record_files.read(tmp_path).blocks.values()
    altered = bytearray(whole)
    altered[second.at] ^= 1
    frames.write_bytes(bytes(altered))
    record = open_record(tmp_path)
    with pytest.raises(FrameError, match=f"byte {second.at}: checksum"):
        record.load("density", 1)(np.array([[0.5, 0.5, 0.5]]))
    assert np.isfinite(record.load("density", 0).decode()).all()
    altered[0] ^= 1
    frames.write_bytes(bytes(altered))
    record = open_record(tmp_path)
    words = "cycle 0 has 0 of its 1 blocks; rank_00000.frames, byte 0: starts with"
    with pytest.raises(FrameError, match=words):
        record.load("density", 0)
    with pytest.raises(FrameError, match="cycle 5 has 0 of its 1 blocks"):
        record.load("density", 1)
    assert any("continues steps that are damaged" in text for text in record.problems)


def test_reading_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no manifest.json"):
        open_record(tmp_path)
    writer, window = RecordWriter(MPI.COMM_SELF, tmp_path), Window(1)
    window.append(field_at(MPI.COMM_SELF, 0))
    writer.append(window.entries("density"))
    record = open_record(tmp_path)
    with pytest.raises(KeyError, match="recorded: density"):
        record.load("pressure")
    with pytest.raises(IndexError, match=r"no step 3; .* has 1 steps"):
        record.load("density", 3)
    (tmp_path / "manifest.json").write_text('{"format": "other", "version": 1}')
    with pytest.raises(FrameError, match="expected 'insitu record' version 1, 2, 3"):
        open_record(tmp_path)


@pytest.mark.parallel([1, 3])
def test_a_write_that_fails_on_one_rank_leaves_no_trace(folder: Path) -> None:
    comm = MPI.COMM_WORLD
    window, writer = Window(3), RecordWriter(comm, folder)
    window.append(field_at(comm, 0))
    writer.append(window.entries("density"))
    window.append(field_at(comm, 5))
    good = window.entries("density")
    broken = list(good)
    if comm.rank == comm.size - 1:  # half of what is to be written, then something that cannot be
        nothing = SimpleNamespace(to_bytes=lambda: None)
        broken[-1] = Entry(good[-1].summary, lambda: (*good[-1].blocks(), nothing))
    with pytest.raises(RemoteError, match="record"):
        writer.append(broken)
    writer.append(good)
    comm.barrier()
    record = open_record(folder)
    assert [s["cycle"] for s in record.steps["density"]] == [0, 5]
    assert [record.load("density", i).summary.cycle for i in range(2)] == [0, 5]


def test_the_manifest_is_strict_json(tmp_path: Path) -> None:
    block = partition(lambda x, y, z: np.full_like(x, 0.5), cells=(2, 2, 2))  # exact: infinite PSNR
    field = train(
        TrainingJob.of(
            block,
            TINY,
            options=FAST,
            target=Target(),
            whole=GlobalRange(8, np.array([[0.5, 0.5]])),
        )
    )
    window, writer = Window(1), RecordWriter(MPI.COMM_SELF, tmp_path)
    window.append(DistributedField.join([field]))
    writer.append(window.entries("density"))

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    manifest = json.loads((tmp_path / "manifest.json").read_text(), parse_constant=refuse)
    assert manifest["fields"] == {"density": "1 steps, cycles 0 to 0"}
    assert open_record(tmp_path).steps["density"][0]["psnr_db"] is None


@pytest.mark.parallel([1, 3])
def test_a_folder_that_cannot_be_made_fails_on_all_ranks(folder: Path) -> None:
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("a file in the way")
    comm.barrier()
    with pytest.raises(ConfigError, match=r"record.path: cannot write to .*: File exists"):
        RecordWriter(comm, folder)


def test_a_partition_s_figures_survive(tmp_path: Path) -> None:
    whole = GlobalRange(8, np.array([[0.0, 1.0]]))
    block = partition(blob, cells=(2, 2, 2))
    field = train(
        TrainingJob.of(block, TINY, options=FAST, target=Target(), whole=whole, cycle=3, time=0.25)
    )
    window, writer = Window(1), RecordWriter(MPI.COMM_SELF, tmp_path)
    gathered = DistributedField.gather(MPI.COMM_SELF, [field])
    window.append(gathered)
    writer.append(window.entries("density"))
    assert open_record(tmp_path).load("density").summary.metrics == gathered.summary.metrics
