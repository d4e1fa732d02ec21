"""A file of frames, one after the other: written to its end, read in spite of damage.

In: frames. Out: the position and header of every frame that is there; what is damaged, in words.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insitu.codecs import frame
from insitu.codecs.frame import FrameError


@dataclass(frozen=True)
class FoundFrame:
    """A frame in a file; only its header was read and verified."""

    at: int
    nbytes: int
    header: dict[str, Any]


@dataclass(frozen=True)
class Damage:
    """Bytes of a file that are no frame."""

    at: int
    text: str


def scan(path: Path) -> Iterator[FoundFrame | Damage]:
    """The frames of a file in order, from their headers alone, and the damage between them.

    After bytes that are no frame, reading goes on at the next one. Raises OSError.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        at = 0
        while at < size:
            file.seek(at)
            try:
                found = _read(file.read(frame.PREFIX_NBYTES), file.read, at)
                if at + found.nbytes > size:
                    yield Damage(at, f"torn: {size - at} bytes of a frame of {found.nbytes}")
                    return
                yield found
                at += found.nbytes
            except FrameError as error:
                yield Damage(at, str(error))
                after = frame.next_frame(file, at + 1)
                if after is None:
                    return
                at = after


def _read(prefix: bytes, read: Any, at: int) -> FoundFrame:
    nbytes = frame.frame_nbytes(prefix)
    header = frame.read_header(prefix, read(frame.header_nbytes(prefix)))
    return FoundFrame(at, nbytes, header)


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
