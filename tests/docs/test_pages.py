"""The documentation's examples, run as a reader would: files by their titles, then the commands."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

# A page goes on with the files of those before it.
PAGES = (("index.md", "tutorial.md"), ("mesh.md",))
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    files: dict[str, str]
    commands: list[str]


def example(page: Path) -> Example:
    """Blocks with a title are files; lines of console blocks that start with $ are commands."""
    files, commands = {}, []
    for language, title, text in FENCE.findall(page.read_text()):
        if title:
            files[title] = text
        elif language == "console":
            commands += [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    return Example(files, commands)


def environment() -> dict[str, str]:
    """A shell's, with the commands of this Python's environment and no MPI of an outer launch."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PMI", "MPI", "HYDRA", "OMPI"))
    }
    bin_folder = str(Path(sys.executable).parent)
    return {**inherited, "PATH": f"{bin_folder}:{inherited['PATH']}", "OMP_NUM_THREADS": "1"}


def run(commands: list[str], folder: Path) -> None:
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("pages", PAGES, ids=" ".join)
def test_the_examples_of_pages_run(pages: tuple[str, ...], root: Path, tmp_path: Path) -> None:
    for page in pages:
        found = example(root / "docs" / page)
        assert found.commands
        for name, text in found.files.items():
            (tmp_path / name).write_text(text)
        run(found.commands, tmp_path)


def test_every_page_with_commands_is_run(root: Path) -> None:
    with_commands = {p.name for p in (root / "docs").glob("*.md") if example(p).commands}
    assert with_commands == {page for pages in PAGES for page in pages}
