"""One writer per record: a lock file in its folder.

In: the folder of a record. Out: the lock, held until it is released or the process ends; or words
about who holds it.

The kernel's lock on the file (flock) decides, so a writer that died holds nothing; what is in the
file is for those who are refused. On a file system without flock, the process named in it decides.
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from insitu.core.errors import ConfigError
from insitu.store.liveness import Process

LOCK = "writer.lock"

_NO_FLOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class RecordLock:
    """A held lock. Not collective: one rank holds it for all."""

    def __init__(self, folder: Path) -> None:
        """Take the lock of the record in `folder`, which is created if it is missing.

        Raises ConfigError if a running process holds it, naming host and process; OSError if the
        folder cannot be created or written.
        """
        self.folder, self.path = folder, folder / LOCK
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            # No link: a file elsewhere would be overwritten.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(self.path, flags, 0o644)
            try:
                self._take()
                # Who held it before may have removed the file in the meantime.
                if os.path.samestat(os.fstat(self._file), os.stat(self.path)):
                    break
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(self._file)
                raise
            os.close(self._file)
        try:
            text = json.dumps(dataclasses.asdict(Process.this()))
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, text.encode(), 0)
        except BaseException:
            os.close(self._file)
            raise
        self._held = True

    def release(self) -> None:
        """Release the lock, once; removes the folder if nothing was written into it. Raises OSError
        if the lock file cannot be removed; it is released all the same."""
        if self._held:
            self._held = False
            try:
                self.path.unlink(missing_ok=True)
            finally:
                os.close(self._file)
            with suppress(OSError):
                self.folder.rmdir()

    def __del__(self) -> None:
        if getattr(self, "_held", False):  # a session that was never closed
            os.close(self._file)

    def _take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = self._holder()
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            holder = self._holder()
            if holder is None or holder.runs() is False:
                return
        raise ConfigError([f"record.path: {self.folder}: {_refusal(holder, self.path)}"])

    def _holder(self) -> Process | None:
        try:
            return Process(**json.loads(os.pread(self._file, 4096, 0)))
        except (ValueError, TypeError):
            return None


def _refusal(holder: Process | None, path: Path) -> str:
    if holder is None:
        who = "another run"
    elif holder.pid == os.getpid() and holder.system == Process.this().system:
        who = "another session of this process, which must be closed first,"
    else:
        who = f"process {holder.pid} on {holder.host}"
    text = f"{who} writes to this record; give each run a path of its own"
    if holder is not None and holder.runs() is None:
        text += f" (if that run is over, remove {path})"
    return text


def find_problem(folder: Path | str) -> str:
    """Why a record cannot be written to `folder`, or "". Creates nothing. Not collective."""
    place = Path(folder).absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        return f"{place} is a file" if place.exists() else f"{place} is a link to nothing"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"no permission to write to {place}"
    return ""
