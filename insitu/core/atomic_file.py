"""Files and folders that are whole or not there: written under a temporary name, then renamed.

In: where a file or folder is to be. Out: a name to write under; after a failure whatever was there
before, and nothing temporary.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary name; the file written under it becomes `path` if the body ends well. Not
    collective.

    A file that is there is replaced in one step: readers see the old one or the new one. The name
    ends as the path does, for writers that choose the format by it. The folder must exist.

    Raises OSError where the file cannot be renamed, such as onto a folder.
    """
    tmp = temporary(path)
    try:
        yield tmp
        os.replace(tmp, path)
    finally:
        discard(tmp)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A new temporary folder, which becomes `path` if the body ends well, in place of what is
    there. Missing folders above it are made. Not collective. Raises OSError."""
    tmp = temporary(path)
    try:
        tmp.mkdir(parents=True)
        yield tmp
        replace_folder(tmp, path)
    finally:
        discard(tmp)


def temporary(path: Path, tag: object = None) -> Path:
    """A hidden name in the same folder, with the same ending.

    tag: what tells it from others for the same path, by default the number of this process. Ranks
    that write into one folder must agree on it.
    """
    tag = os.getpid() if tag is None else tag
    return path.with_name(f".{path.stem}.{tag}.part{path.suffix}")


def replace_folder(tmp: Path, path: Path) -> None:
    """Give a folder its name; the folder of that name, if any, is removed. Raises OSError, and then
    the old one is in its place."""
    old = temporary(path, f"{os.getpid()}.old")
    with suppress(FileNotFoundError):
        os.rename(path, old)
    try:
        os.rename(tmp, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.rename(old, path)
        raise
    discard(old)


def discard(tmp: Path) -> None:
    """Remove a temporary file or folder, if it is there."""
    if tmp.is_dir():
        shutil.rmtree(tmp, ignore_errors=True)
    else:
        tmp.unlink(missing_ok=True)
