"""A record is never removed or overwritten unless asked, and has one writer at a time."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from mpi4py import MPI

from insitu.codecs.frame import FrameError
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError
from insitu.store import manifest as manifests
from insitu.store import record_lock, record_writer
from insitu.store.manifest import MANIFEST, Manifest, Units, _checksum
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from tests.support.windows import field_at

COMM = MPI.COMM_WORLD


def write(
    folder: Path, *cycles: int, comm: MPI.Comm = COMM, name: str = "density", **options: object
) -> tuple[Path, str]:
    """A run that records these cycles -> the record that it wrote, what it told."""
    comm.barrier()  # all ranks have looked at what was there before
    window, writer = Window(100), RecordWriter(comm, folder, **options)  # type: ignore[arg-type]
    for cycle in cycles:
        window.append(field_at(comm, cycle, name))
    told = writer.append(window.entries(name)) if cycles else ""
    writer.close()
    comm.barrier()
    return writer.path, told


def cycles(folder: Path, name: str = "density") -> list[int]:
    record = open_record(folder)
    assert not record.problems
    for step in range(len(record[name])):
        assert record.load(name, step).summary.cycle == record[name].cycles[step]
    return record[name].cycles.tolist()


@pytest.mark.parallel([1, 3])
def test_a_restart_continues_the_record(folder: Path) -> None:
    path = folder / "record"
    assert write(path, 0, 10, 20) == (path, "")
    before = open_record(path).load("density", 0).blocks[0].read()
    _, told = write(path, 10, 20, 30)
    assert told == f"{path}: continued at cycle 10; replaces its cycles 10 to 20"
    assert cycles(path) == [0, 10, 20, 30]
    assert open_record(path).load("density", 0).blocks[0].read() == before
    assert write(path, 40) == (path, "")  # nothing was lost, so there is nothing to tell
    assert cycles(path) == [0, 10, 20, 30, 40]
    assert sorted(p.name for p in path.parent.iterdir()) == ["record"]


@pytest.mark.parallel([3])
def test_a_restart_may_have_other_ranks(folder: Path) -> None:
    path = folder / "record"
    write(path, 0, 5)
    if COMM.rank == 0:
        # One rank has the first of three blocks: the same domain if it is told alike.
        assert open_record(path).n_ranks == 3
    COMM.barrier()
    alone = COMM.Split(COMM.rank == 0, COMM.rank)
    if COMM.rank == 0:
        window, writer = Window(9), RecordWriter(alone, path)
        for step in (0, 1):
            window.append(open_record(path).load("density", step).share(alone))
        window.append(_moved(open_record(path).load("density", 1).share(alone), 7))
        writer.append(window.entries("density")[1:])
        writer.close()
        assert cycles(path) == [0, 5, 7]
        record = open_record(path)
        assert record.n_ranks == 1 and len(record.load("density", 2).blocks) == 3
        assert {b.path.name for b in record.blocks("density", 1)} == {"rank_00000.run2.frames"}
        assert len({b.path.name for b in record.blocks("density", 0)}) == 3
    COMM.barrier()


def _moved(field: object, cycle: int) -> object:
    """The same field at another cycle."""
    from insitu.fields.distributed_field import DistributedField

    assert isinstance(field, DistributedField)
    return DistributedField.join([replace(b, cycle=cycle, _bytes=None) for b in field.fields])


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("second", "options", "reason"),
    [
        ((0, 10), {}, "it begins at cycle 0, this run at 0"),
        ((10,), {"name": "energy"}, "it has the fields density"),
        ((10,), {"units": Units("m")}, "its units differ"),
    ],
)
def test_any_other_run_is_written_beside(
    folder: Path, second: tuple[int, ...], options: dict[str, object], reason: str
) -> None:
    path, beside = folder / "record", folder / "record.2"
    write(path, 0, 5)
    written, told = write(path, *second, **options)  # type: ignore[arg-type]
    assert written == beside and f"stays ({reason}); this run writes to {beside}" in told
    assert cycles(path) == [0, 5]
    assert cycles(beside, str(options.get("name", "density"))) == list(second)
    if not options:  # the newest is the one that is continued
        assert write(path, 15)[0] == beside
        assert cycles(beside) == [0, 10, 15]
        assert write(path, 0)[0] == folder / "record.3"


@pytest.mark.parametrize("unit", [1, 1e-9])
def test_domains_are_told_apart_in_any_unit_of_length(unit: float) -> None:
    at = field_at(MPI.COMM_SELF, 0).summary
    low, high = (unit * corner for corner in at.bounds)
    there = Manifest(steps={"density": [manifests.step(replace(at, bounds=(low, high)), 1)]})
    later = replace(at, cycle=5, bounds=(low, high * (1 + 1e-12)))
    assert record_writer._unlike(there, [later], Units()) == ""
    other = replace(at, cycle=5, bounds=(low, 1.5 * high))
    assert "domain of its density differs" in record_writer._unlike(there, [other], Units())


@pytest.mark.parallel([1, 3])
def test_a_record_of_a_newer_insitu_stays(folder: Path) -> None:
    path = folder / "record"
    write(path, 0, 5)
    if COMM.rank == 0:
        manifest = json.loads((path / MANIFEST).read_text())
        manifest["version"] = 99
        del manifest["checksum"]
        (path / MANIFEST).write_text(json.dumps({**manifest, "checksum": _checksum(manifest)}))
    COMM.barrier()
    written, told = write(path, 10)
    assert written == folder / "record.2" and "version 99" in told
    assert cycles(written) == [10]


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("lacks", ["frame_file.append", "record_writer.read_manifest"])
def test_what_is_to_be_told_is_told_though_the_first_attempt_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    """And the attempt leaves no lock that stands in the way of the next."""

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path, beside = folder / "record", folder / "record.2"
    write(path, 0)
    assert write(path, 0)[0] == beside  # so that the next run locks another record than its own
    window, writer = Window(9), RecordWriter(COMM, path)
    window.append(field_at(COMM, 5))
    with monkeypatch.context() as patch:
        patch.setattr(f"insitu.store.{lacks}", fails)
        with pytest.raises(RemoteError, match="No space left"):
            writer.append(window.entries("density"))
    assert writer.append(window.entries("density")) == f"{beside}: continued at cycle 5"
    assert writer.append(window.entries("density")) == ""
    writer.close()
    COMM.barrier()
    assert cycles(beside) == [0, 5]


@pytest.mark.parallel([1, 3])
def test_a_lock_that_cannot_be_removed_is_the_same_failure_on_every_rank(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    writer = RecordWriter(COMM, folder / "record")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", fails)
        with pytest.raises(RemoteError, match="Read-only file system"):
            writer.close()
    RecordWriter(COMM, folder / "record").close()  # it was released


@pytest.mark.parallel([1, 3])
def test_a_run_that_records_nothing_changes_nothing(folder: Path) -> None:
    path = folder / "record"
    write(path)
    assert not path.exists()
    write(path, 0, 5)
    write(path)
    write(path, overwrite=True)
    assert cycles(path) == [0, 5]


@pytest.mark.parallel([1, 3])
def test_overwriting_has_to_be_asked_for(folder: Path) -> None:
    path = folder / "record"
    write(path, 0, 5)
    assert write(path, 0, overwrite=True) == (path, "")
    assert cycles(path) == [0] and not (folder / "record.2").exists()


@pytest.mark.parallel([1, 3])
def test_a_cycle_that_repeats_or_goes_back_replaces_what_was_later(folder: Path) -> None:
    """Within one run: the record was written in between, as by a trigger."""
    path = folder / "record"
    window, writer = Window(9), RecordWriter(COMM, path)
    for cycle in (0, 5, 10):
        window.append(field_at(COMM, cycle))
    writer.append(window.entries("density"))
    window.append(again := field_at(COMM, 10))
    writer.append(window.entries("density"))
    COMM.barrier()
    assert cycles(path) == [0, 5, 10]
    assert open_record(path).load("density", 2).blocks[COMM.rank].read() == (
        again.fields[0].to_bytes()
    )
    COMM.barrier()
    for cycle in (5, 8):
        window.append(field_at(COMM, cycle))
    assert [e.summary.cycle for e in window.entries("density")] == [0, 5, 8]
    writer.append(window.entries("density"))
    writer.close()
    COMM.barrier()
    assert cycles(path) == [0, 5, 8]


@pytest.mark.parallel([1, 3])
def test_a_second_writer_is_refused(folder: Path) -> None:
    path = folder / "record"
    first = RecordWriter(COMM, path)
    with pytest.raises(ConfigError, match="another session of this process"):
        RecordWriter(COMM, path)
    first.close()
    RecordWriter(COMM, path).close()
    COMM.barrier()
    assert not path.exists()


def test_the_holder_is_named_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    told, child = os.pipe(), os.fork()
    if child == 0:
        held = record_lock.RecordLock(tmp_path / "record")
        os.write(told[1], str(held.path.name).encode())
        signal.pause()
    try:
        assert os.read(told[0], 99) == record_lock.LOCK.encode()
        with pytest.raises(ConfigError, match=f"process {child} on {os.uname().nodename} writes"):
            record_lock.RecordLock(tmp_path / "record")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert json.loads((tmp_path / "record" / record_lock.LOCK).read_text())["pid"] == child
    lock = record_lock.RecordLock(tmp_path / "record")
    lock.release()
    lock.release()
    assert not (tmp_path / "record").exists()


def test_a_lock_is_never_taken_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    (tmp_path / "record").mkdir()
    (tmp_path / "record" / record_lock.LOCK).symlink_to(precious)
    with pytest.raises(ConfigError, match="cannot write"):
        RecordWriter(MPI.COMM_SELF, tmp_path / "record")
    assert precious.read_text() == "data"


def test_where_no_record_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert record_lock.find_problem(tmp_path / "a" / "b") == ""
    assert "file is a file" in record_lock.find_problem(tmp_path / "file" / "b")
    assert "is a link to nothing" in record_lock.find_problem(tmp_path / "link")
    assert not (tmp_path / "a").exists()


@pytest.mark.parallel([3])
def test_a_missing_file_of_a_rank_is_named_and_costs_its_steps_alone(folder: Path) -> None:
    path = folder / "record"
    write(path, 0, 5)
    write(path, 10)
    if COMM.rank == 0:
        (path / "rank_00001.frames").unlink()
        record = open_record(path)
        assert record["density"].cycles.tolist() == [0, 5, 10]
        assert len(record.load("density", 2).blocks) == 3
        words = "cycle 5 has 2 of its 3 blocks; missing: rank_00001.frames"
        with pytest.raises(FrameError, match=words):
            record.load("density", 1)
        (path / "manifest.json").unlink()
        record = open_record(path)
        assert len(record.load("density", 2).blocks) == 3
        with pytest.raises(FrameError, match=words):
            record.load("density", 1)
    COMM.barrier()


def test_frames_are_on_the_disk_before_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(number: int) -> None:
        done.append(Path(os.readlink(f"/proc/self/fd/{number}")).name)
        sync(number)

    def replaced(old: Path, new: Path) -> None:
        done.append(f"-> {new.name}")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    window, writer = Window(9), RecordWriter(MPI.COMM_SELF, tmp_path / "record")
    for cycle in (0, 5):
        window.append(field_at(MPI.COMM_SELF, cycle))
        writer.append(window.entries("density"))
    writer.append(window.entries("density"))
    writer.close()
    written = f".manifest.{os.getpid()}.part.json"
    first = ["rank_00000.frames", "record", written, "-> manifest.json", "record"]
    assert done == [*first, "rank_00000.frames", written, "-> manifest.json", "record"]
