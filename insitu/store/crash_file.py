"""One rank's steps in a memory-mapped file that outlives the process.

In: frames as they are made. Out: those that were complete when the process ended or was killed.

    header, 4 KiB: a frame that identifies the run, then zeros
    entries, each at a multiple of 64 bytes:
        state 8 (being written, or complete) | length u64 | a frame: description, and the frames

The state "complete" is written after the last byte. If the process is killed, the kernel keeps the
mapped pages; if the machine goes down, they are lost with /dev/shm. Space is allocated before it
is written, so that a full file system raises an error instead of SIGBUS.
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import mmap
import os
import stat
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from insitu.codecs import frame
from insitu.codecs.frame import FrameError
from insitu.store.liveness import Process
from insitu.store.manifest import Units

SUFFIX = ".crash"
HEADER_NBYTES = 4096
_ALIGN = 64
_HEAD = struct.Struct("<8sQ")
_COMPLETE, _WRITING, _FREE = b"INSITUCE", b"INSITUCW", bytes(8)
_LEAST_GROWTH = 1 << 16


@dataclass(frozen=True)
class Owner:
    """The run and rank that a file belongs to."""

    run: str
    """Identifier of the run: the same in all its files, and unique to it."""
    job: str
    """Job number of the batch system; empty without one."""
    rank: int
    n_ranks: int
    record: str
    """Full path of the record that the run wrote to."""
    units: Units
    process: Process

    @property
    def file_name(self) -> str:
        host = self.process.host.partition(".")[0]
        job = f"{self.job}." if self.job else ""
        return f"{job}{host}.{self.process.pid}.rank_{self.rank:05d}{SUFFIX}"


class CrashFile:
    """Entries of any size, added and released in any order. Not collective."""

    def __init__(self, path: Path, owner: Owner) -> None:
        """Create the file. Raises OSError if it exists or cannot be created."""
        self.path = path
        # For this user alone, and never through a link that somebody has put there.
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            header = frame.pack({"kind": "crash file", **dataclasses.asdict(owner)}, [])
            if len(header) > HEADER_NBYTES:
                raise OSError(f"{path}: its header has {len(header)} bytes: a path is too long")
            os.posix_fallocate(self._file.fileno(), 0, HEADER_NBYTES)
            self._map = mmap.mmap(self._file.fileno(), HEADER_NBYTES)
            self._map[: len(header)] = header
        except BaseException:
            self._file.close()
            path.unlink()
            raise
        self._used: dict[int, tuple[int, int]] = {}  # sequence number -> first byte, end

    @property
    def nbytes(self) -> int:
        """Size of the file in bytes."""
        return len(self._map)

    @property
    def gone(self) -> bool:
        """Whether the file was removed or cannot be reached, or another is under its name."""
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), self.path.lstat())
        except OSError:
            return True

    def append(self, sequence: int, what: Mapping[str, Any], frames: Sequence[bytes]) -> None:
        """Add an entry: `what` (JSON-able) and frames. Once this returns, it survives a crash.

        Raises: OSError if the file system is full; earlier entries are unharmed.
        """
        head = {"kind": "crash entry", **what, "sequence": sequence}
        data = frame.pack(head, frames)
        at, end = self._room(_HEAD.size + len(data))
        _HEAD.pack_into(self._map, at, _WRITING, len(data))
        self._map[at + _HEAD.size : at + _HEAD.size + len(data)] = data
        self._map[at : at + len(_COMPLETE)] = _COMPLETE
        self._used[sequence] = at, end

    def release(self, sequence: int) -> None:
        """Free an entry, if it exists; later entries reuse its space."""
        if sequence in self._used:
            at, _ = self._used.pop(sequence)
            self._map[at : at + len(_FREE)] = _FREE

    def close(self, *, remove: bool) -> None:
        """Close the file, and delete it if asked to."""
        self._map.close()
        if remove:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _room(self, nbytes: int) -> tuple[int, int]:
        """The first gap of that size; the file grows if there is none."""
        nbytes = -(-nbytes // _ALIGN) * _ALIGN
        at = HEADER_NBYTES
        for first, end in sorted(self._used.values()):
            if first - at >= nbytes:
                break
            at = end
        if at + nbytes > len(self._map):
            self._grow(at + nbytes)
        return at, at + nbytes

    def _grow(self, least: int) -> None:
        now = len(self._map)
        more = max(least - now, now // 2, _LEAST_GROWTH)
        try:
            os.posix_fallocate(self._file.fileno(), now, more)
        except OSError as error:
            with suppress(OSError):  # give back what was allocated
                os.ftruncate(self._file.fileno(), now)
            raise OSError(error.errno, f"{error.strerror}: {self.path}") from None
        self._map.close()
        self._map = mmap.mmap(self._file.fileno(), now + more)


@dataclass(frozen=True)
class Saved:
    """A complete entry."""

    sequence: int
    name: str
    cycle: int
    n_blocks: int
    """Number of blocks on all ranks."""
    frames: tuple[bytes, ...]
    """The frames of this rank."""


@dataclass
class Salvage:
    """The readable content of a file."""

    path: Path
    owner: Owner
    entries: list[Saved] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    """Descriptions of what is incomplete."""


class NotOwnError(FrameError):
    """Not a regular file of this user: in a folder of everybody, the files of others."""


def open_own(path: Path) -> BinaryIO:
    """Open a file to read it, if it is a regular file of this user.

    Never follows a link, and never waits, as for a writer of a FIFO. Raises NotOwnError, OSError.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES, errno.ENXIO):
            raise NotOwnError(f"{path}: {error.strerror}") from None
        raise
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(number)
        raise NotOwnError(f"{path}: not a regular file of this user")
    return os.fdopen(number, "rb")


def read_owner(path: Path) -> Owner:
    """The run and rank of a file. Raises FrameError if it is not a crash file, or not one's own."""
    with open_own(path) as file:
        header, _ = frame.unpack(file.read(HEADER_NBYTES))
    if header.pop("kind", None) != "crash file":
        raise FrameError(f"{path}: a frame, but not the header of a crash file")
    try:
        process = Process(**header.pop("process"))
        units = Units(**header.pop("units"))
        owner = Owner(**header, units=units, process=process)
        texts = (owner.run, owner.job, owner.record, process.host, process.system)
        numbers = (owner.rank, owner.n_ranks, process.pid, process.start)
        sound = all(isinstance(value, str) for value in (*texts, units.length, units.time))
        sound &= isinstance(units.fields, dict) and all(
            isinstance(value, str) for value in units.fields.values()
        )
        sound &= all(type(value) is int for value in numbers)
    except (KeyError, TypeError):
        sound = False
    if not sound or not 0 <= owner.rank < owner.n_ranks:
        raise FrameError(f"{path}: the header of a crash file with wrong entries")
    return owner


def read(path: Path) -> Salvage:
    """All complete entries of a file, in the order of writing. The file is untrusted input.

    Raises FrameError if the header is invalid; any other damage is described in `torn`.
    """
    found = Salvage(path, read_owner(path))
    with open_own(path) as file:
        data = file.read()
    words = np.frombuffer(data, "S8", len(data) // 8)[:: _ALIGN // 8]
    starts = np.flatnonzero((words == _COMPLETE) | (words == _WRITING)) * _ALIGN
    end = HEADER_NBYTES
    for at in map(int, starts):
        if at < end:  # inside the entry before: the bytes of a network
            continue
        state, nbytes = _HEAD.unpack_from(data, at)
        if state == _WRITING:
            found.torn.append(f"byte {at}: an entry of {nbytes} bytes was being written")
            continue
        try:
            found.entries.append(_entry(memoryview(data)[at + _HEAD.size :][:nbytes]))
            end = at + _HEAD.size + nbytes
        except FrameError as error:
            found.torn.append(f"byte {at}: {error}")
    found.entries.sort(key=lambda entry: entry.sequence)
    return found


def _entry(data: memoryview) -> Saved:
    header, frames = frame.unpack(data)
    numbers = [header.get(key) for key in ("sequence", "cycle", "n_blocks")]
    name = header.get("name")
    sound = header.get("kind") == "crash entry" and isinstance(name, str)
    if not sound or not all(type(number) is int for number in numbers):
        raise FrameError("an entry without name, cycle, sequence and number of blocks")
    for part in frames:
        frame.unpack(part)  # raises if it is incomplete
    sequence, cycle, n_blocks = numbers
    return Saved(sequence, name, cycle, n_blocks, tuple(frames))  # type: ignore[arg-type]


def in_use(path: Path, owner: Owner) -> bool:
    """Whether the process that writes the file still runs, on any node."""
    runs = owner.process.runs()
    if runs is not None:
        return runs
    with open_own(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
