"""A file of frames, one after the other: written to its end, read in spite of damage.

In: frames. Out: the position and header of every frame that is there; what is damaged, in words.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from insitu.codecs import frame, group_frame
from insitu.codecs.frame import FrameError

_MAGICS = (*frame.MAGICS, *group_frame.MAGICS)
_PREFIX_NBYTES = max(frame.PREFIX_NBYTES, group_frame.PREFIX_NBYTES)


@dataclass(frozen=True)
class FoundFrame:
    """A frame in a file; only its header was read and verified."""

    at: int
    nbytes: int
    header: dict[str, Any]


@dataclass(frozen=True)
class FoundGroup:
    """A frame of version 5 or 7 in a file; only its header was read and verified."""

    at: int
    nbytes: int
    header: group_frame.Header
    """Its entries are not decoded yet."""
    payload_nbytes: int

    @property
    def continues(self) -> bool:
        """Whether it continues the group before it in the file."""
        return self.header.continues != 0


@dataclass(frozen=True)
class Damage:
    """Bytes of a file that are no frame."""

    at: int
    text: str


def scan(path: Path) -> Iterator[FoundFrame | FoundGroup | Damage]:
    """The frames of a file in order, from their headers alone, and the damage between them.

    After bytes that are no frame, reading goes on at the next one. Raises OSError.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        at = 0
        while at < size:
            file.seek(at)
            try:
                found = _read(file, at)
                if at + found.nbytes > size:
                    yield Damage(at, f"torn: {size - at} bytes of a frame of {found.nbytes}")
                    return
                yield found
                at += found.nbytes
            except FrameError as error:
                yield Damage(at, str(error))
                after = frame.next_frame(file, at + 1, _MAGICS)
                if after is None:
                    return
                at = after


def _read(file: BinaryIO, at: int) -> FoundFrame | FoundGroup:
    prefix = file.read(_PREFIX_NBYTES)
    if prefix.startswith(group_frame.MAGICS):
        end, nbytes = group_frame.layout(prefix)
        return FoundGroup(at, nbytes, group_frame.verified(_header(file, at, end)), nbytes - end)
    nbytes = frame.frame_nbytes(prefix)
    header = frame.read_header(_header(file, at, frame.header_end(prefix)))
    return FoundFrame(at, nbytes, header)


def _header(file: BinaryIO, at: int, nbytes: int) -> bytes:
    """The first bytes of a frame. Raises FrameError where the file has not so many: a damaged
    length must not ask for memory."""
    there = os.fstat(file.fileno()).st_size - at
    if nbytes > there:
        raise FrameError(f"torn: {there} bytes of a header of {nbytes}")
    file.seek(at)
    return file.read(nbytes)


def append(path: Path, at: int, frames: Iterable[bytes]) -> int:
    """Write frames to a file from byte `at` on, where complete frames end, and to the disk.

    What is behind `at` is from a write that failed, and is cut off. Returns the new end. Raises
    OSError; then the file ends at `at` again.
    """
    with open(path, "r+b" if at else "wb") as file:
        try:
            file.truncate(at)
            file.seek(at)
            file.writelines(frames)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
        except BaseException:
            os.ftruncate(file.fileno(), at)
            raise
