"""Atomic writes of files and folders: written under a temporary name, then renamed.

In: the path of a file or folder. Out: a temporary path to write to. After a failure the previous
content is unchanged, and nothing temporary is left behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yields a temporary path; the file written there becomes `path` if the body succeeds. Not
    collective.

    An existing file is replaced atomically: readers see the old file or the new one. The temporary
    name has the same suffix, for writers that choose the format by it. The folder must exist.

    durable: return only when the file, and then its name in the folder, are on the disk, so that
    they survive a loss of power.

    Raises OSError where the file cannot be renamed, such as onto a folder.
    """
    tmp = temporary(path)
    try:
        yield tmp
        if durable:
            sync(tmp)
        os.replace(tmp, path)
        if durable:
            sync(path.parent)
    finally:
        discard(tmp)


def set_aside(path: Path) -> Path | None:
    """Rename a file that is to be kept to the next free `name.1.suffix`, `name.2.suffix` -> its new
    path; None where there is no such file. Not collective. Raises OSError."""
    if not path.is_file():
        return None
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    path.rename(aside)
    return aside


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk. Raises OSError."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields a new temporary folder, which becomes `path` if the body succeeds and replaces what
    exists there. Missing parent folders are created. Not collective. Raises OSError."""
    tmp = temporary(path)
    try:
        tmp.mkdir(parents=True)
        yield tmp
        replace_folder(tmp, path)
    finally:
        discard(tmp)


def temporary(path: Path, tag: object = None) -> Path:
    """A hidden path in the same folder, with the same suffix.

    tag: distinguishes temporary paths of the same `path`; by default the process ID. Ranks that
    write into one folder must pass the same tag.
    """
    tag = os.getpid() if tag is None else tag
    return path.with_name(f".{path.stem}.{tag}.part{path.suffix}")


def replace_folder(tmp: Path, path: Path) -> None:
    """Rename a folder to `path`, replacing the folder there, if any. Where it raises OSError, the
    old folder is back in place."""
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
    """Remove a temporary file or folder, if it exists."""
    if tmp.is_dir():
        import shutil

        shutil.rmtree(tmp, ignore_errors=True)
    else:
        tmp.unlink(missing_ok=True)
