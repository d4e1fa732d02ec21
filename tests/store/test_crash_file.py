"""A crash file keeps what was complete, whatever happens to the bytes of the rest."""

import errno
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.store import crash_file
from insitu.store.crash_file import CrashFile, Owner
from insitu.store.liveness import Process
from insitu.store.manifest import Units
from tests.support.crash_entries import add, frames_of


def owner(rank: int = 0) -> Owner:
    return Owner("run", "job", rank, 1, "/there/record", Units("m"), Process.this())


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    file = CrashFile(tmp_path / "f", owner())
    for number in range(100):
        add(file, number)
        if number >= 10:
            file.release(number - 10)
    found = crash_file.read(tmp_path / "f")
    assert found.owner == owner()
    assert [entry.sequence for entry in found.entries] == list(range(90, 100))
    assert all(list(e.frames) == frames_of(e.sequence) for e in found.entries)
    assert found.torn == []
    # Room is used again: ten entries of 9 KiB on average, and the gaps between them.
    assert file.nbytes < 4 * sum(len(f) for n in range(90, 100) for f in frames_of(n)) + (1 << 17)
    assert (tmp_path / "f").stat().st_size == file.nbytes
    file.close(remove=True)
    assert not (tmp_path / "f").exists()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_altered_byte_is_accepted(tmp_path_factory: pytest.TempPathFactory, data) -> None:
    path = tmp_path_factory.mktemp("altered") / "f"
    file = CrashFile(path, owner())
    for number in range(1, 6):
        add(file, number)
    file.close(remove=False)
    size = path.stat().st_size
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, size - 1))
        raw[at] ^= data.draw(st.integers(1, 255))
    raw = raw[: data.draw(st.one_of(st.just(size), st.integers(0, size)))]
    path.write_bytes(raw)
    try:
        found = crash_file.read(path)
    except FrameError:
        return  # the header was hit
    for entry in found.entries:
        assert list(entry.frames) == frames_of(entry.sequence)
        assert entry.cycle == entry.sequence


def test_what_was_being_written_is_told(tmp_path: Path) -> None:
    """A process that dies within the copy leaves the state "being written"."""
    path = tmp_path / "f"
    file = CrashFile(path, owner())
    add(file, 1)
    add(file, 2)
    raw = path.read_bytes()
    at = raw.rindex(b"INSITUCE")
    path.write_bytes(raw[:at] + b"INSITUCW" + raw[at + 8 : at + 400] + bytes(len(raw) - at - 400))
    found = crash_file.read(path)
    assert [entry.sequence for entry in found.entries] == [1]
    assert len(found.torn) == 1 and "was being written" in found.torn[0]
    path.write_bytes(raw[: at + 400] + bytes(len(raw) - at - 400))
    found = crash_file.read(path)
    assert [entry.sequence for entry in found.entries] == [1]
    assert "checksum" in found.torn[0]


def test_a_full_file_system_is_an_error_and_not_a_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands in for a full disk: the kernel refuses either way."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = CrashFile(tmp_path / "f", owner())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 17, before[1]))
        with pytest.raises(OSError) as caught:
            for number in range(1, 200):
                add(file, number)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.errno == errno.EFBIG
    assert str(tmp_path / "f") in str(caught.value)
    held = [entry.sequence for entry in crash_file.read(tmp_path / "f").entries]
    assert held == list(range(1, number))
    add(file, number)  # there is room again
    assert len(crash_file.read(tmp_path / "f").entries) == number


def test_headers_are_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for data in (b"", bytes(5000), frame.pack({"kind": "neural_field"}, [])):
        path.write_bytes(data)
        with pytest.raises(FrameError):
            crash_file.read(path)
    path.write_bytes(frame.pack({"kind": "crash file", "run": 3}, []))
    with pytest.raises(FrameError, match="wrong entries"):
        crash_file.read_owner(path)


def test_a_file_in_use_is_known_by_its_process_or_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "f"
    file = CrashFile(path, owner())
    assert crash_file.in_use(path, crash_file.read_owner(path))
    gone = Process("there", "another machine", 1, 1)
    elsewhere = Owner("run", "", 0, 1, "r", Units(), gone)
    assert crash_file.in_use(path, elsewhere)  # only the lock can tell
    file.close(remove=False)
    assert not crash_file.in_use(path, elsewhere)
    child = os.fork()
    if child == 0:
        CrashFile(tmp_path / "g", owner())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert not crash_file.in_use(tmp_path / "g", crash_file.read_owner(tmp_path / "g"))
