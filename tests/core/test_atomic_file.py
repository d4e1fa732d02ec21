"""A file is whole or as it was, whatever happens while it is written."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from insitu.core.atomic_file import atomic_file, atomic_folder, replace_folder, temporary


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@contextmanager
def full_disk(nbytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that: writing fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic_file(path) as tmp:
        assert tmp.parent == tmp_path and tmp.suffix == ".txt" and tmp.name.startswith(".")
        tmp.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one" and names(tmp_path) == ["a.txt"]
    with atomic_file(path) as tmp:
        tmp.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two" and names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_half_way_leaves_what_was_there(
    tmp_path: Path, before: str | None, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    if before:
        path.write_text(before)
    with pytest.raises(error), atomic_file(path) as tmp:
        tmp.write_text("half")
        raise error
    assert (path.read_text() if path.exists() else None) == before
    assert names(tmp_path) == (["a"] if before else [])


def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(OSError), full_disk(4096), atomic_file(path) as tmp:
        tmp.write_bytes(bytes(8192))
    with pytest.raises(OSError), full_disk(4096), atomic_folder(tmp_path / "f") as folder:
        (folder / "small").write_bytes(b"1")
        (folder / "large").write_bytes(bytes(8192))
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a"]


def test_a_file_that_cannot_have_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError), atomic_file(tmp_path / "a") as tmp:
        tmp.write_text("one")
    assert names(tmp_path) == ["a"]
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "none" / "a") as tmp:
        tmp.write_text("one")
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "b"):
        pass  # nothing was written
    assert names(tmp_path) == ["a"]


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    path = tmp_path / "new" / "f"
    for text in ("one", "two"):
        with atomic_folder(path) as tmp:
            (tmp / text).write_text(text)
            assert not (path / text).exists()
        assert names(path) == [text]
    with pytest.raises(ZeroDivisionError), atomic_folder(path) as tmp:
        (tmp / "three").write_text("three")
        1 / 0  # noqa: B018
    assert names(path) == ["two"] and names(path.parent) == ["f"]


def test_the_old_folder_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(FileNotFoundError):
        replace_folder(temporary(path), path)  # which nobody has made
    assert names(path) == ["old"] and names(tmp_path) == ["f"]


def test_ranks_agree_on_a_name(tmp_path: Path) -> None:
    assert temporary(tmp_path / "a.vtr", 7) == tmp_path / ".a.7.part.vtr"
    assert temporary(tmp_path / "a.vtr") != temporary(tmp_path / "a.vtr", 7)
