"""A file system without room for a record: what was written stays, the rest comes when there is."""

import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.store import frame_file
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from tests.support.windows import field_at


@pytest.fixture
def limit() -> Iterator[Callable[[int], None]]:
    """Limits the size of files: the kernel refuses to write, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda nbytes: resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("room", [0, 100, 300])
def test_a_write_that_did_not_fit_leaves_what_was_there(
    tmp_path: Path, limit: Callable[[int], None], room: int
) -> None:
    """At several points of the write."""
    window, writer = Window(99), RecordWriter(MPI.COMM_SELF, tmp_path)
    window.append(field_at(MPI.COMM_SELF, 0))
    writer.append(window.entries("density"))
    for cycle in range(5, 30, 5):
        window.append(field_at(MPI.COMM_SELF, cycle))
    frames = tmp_path / "rank_00000.frames"
    limit(frames.stat().st_size + room)
    with pytest.raises(RemoteError, match="File too large"):
        writer.append(window.entries("density"))
    assert open_record(tmp_path)["density"].cycles.tolist()[0] == 0
    assert open_record(tmp_path).problems == []
    limit(1 << 30)
    writer.append(window.entries("density"))
    writer.close()
    record = open_record(tmp_path)
    assert record["density"].cycles.tolist() == list(range(0, 30, 5)) and not record.problems
    assert [record.load("density", i).summary.cycle for i in range(6)] == list(range(0, 30, 5))


def test_a_manifest_that_does_not_fit_is_written_by_the_next(
    tmp_path: Path, limit: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, writer = Window(99), RecordWriter(MPI.COMM_SELF, tmp_path)
    for cycle in (0, 5):
        window.append(field_at(MPI.COMM_SELF, cycle))
    append = frame_file.append

    def fill(path: Path, at: int, frames: Iterable[bytes]) -> int:
        end = append(path, at, frames)
        limit(100)  # full from now on
        return end

    monkeypatch.setattr(frame_file, "append", fill)
    with pytest.raises(RemoteError, match="File too large"):
        writer.append(window.entries("density"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rank_00000.frames", "writer.lock"]
    assert open_record(tmp_path)["density"].cycles.tolist() == [0, 5]
    limit(1 << 30)
    writer.close()
    record = open_record(tmp_path)
    assert record["density"].cycles.tolist() == [0, 5] and not record.problems
