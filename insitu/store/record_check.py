"""Verifying a record, byte by byte, and making its manifest anew.

In: the folder of a record. Out: what is damaged or missing; a manifest of the steps that are whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from insitu.codecs.frame import FrameError
from insitu.store import record_files
from insitu.store.manifest import MANIFEST, Manifest
from insitu.store.record import read_manifest
from insitu.store.record_files import Contents
from insitu.store.record_lock import RecordLock
from insitu.store.step_table import Step


@dataclass
class Checked:
    """The state of a record."""

    folder: Path
    n_steps: int = 0
    """Steps of all fields that are whole."""
    n_blocks: int = 0
    """Blocks whose checksums were verified."""
    problems: list[str] = field(default_factory=list)
    """Of the manifest and the steps that it lists, one line each; empty: the record is sound."""
    notes: list[str] = field(default_factory=list)
    """What no listed step needs, such as the frame that was being written when a run died."""
    whole: Manifest = field(default_factory=Manifest)
    """The manifest with the steps that are whole, and no others."""


def check(folder: Path) -> Checked:
    """Read and verify all of a record. Not collective.

    Raises FileNotFoundError if there is none, FrameError if its format version is not supported.
    """
    if not record_files.is_record(folder):
        raise FileNotFoundError(2, f"no {MANIFEST} and no frames: not a record", str(folder))
    manifest, problems = read_manifest(folder)
    contents = record_files.read(folder, manifest)
    found = Checked(folder, problems=problems)
    if manifest is None:
        manifest = contents.manifest()
    runs = contents.all_runs(manifest.runs)
    found.whole = Manifest(manifest.units, runs, version=manifest.version)
    for name, at in _steps(manifest):
        blocks, lost = contents.of(name, at), _problem(contents, name, at)
        found.n_blocks += len(blocks)
        if lost:
            found.problems.append(lost)
        else:
            found.n_steps += 1
            found.whole.add({name: [at]})
    for name, steps in contents.unlisted(manifest).items():
        cycles = ", ".join(str(at["cycle"]) for at in steps)
        found.problems.append(f"{name} at cycle {cycles}: written, but not listed")
        whole = [at for at in steps if not _problem(contents, name, at)]
        found.whole.add({name: whole})
    lines = [*contents.damage, *contents.missing_files()]
    (found.problems if found.problems else found.notes).extend(lines)
    return found


def repair(checked: Checked) -> None:
    """Write the manifest with the steps that are whole. Frames are not touched.

    Raises ConfigError if a run writes to the record, OSError.
    """
    lock = RecordLock(checked.folder)
    try:
        checked.whole.write(checked.folder)
    finally:
        lock.release()


def _steps(manifest: Manifest) -> Iterator[tuple[str, Step]]:
    for name, steps in manifest.steps.items():
        for at in steps:
            yield name, at


def _problem(contents: Contents, name: str, at: Step) -> str:
    """What is wrong with a step, or ""."""
    blocks = contents.of(name, at)
    what = f"{name} at cycle {at['cycle']}"
    if len(blocks) != at["n_blocks"]:
        return f"{what} has {len(blocks)} of its {at['n_blocks']} blocks"
    for block in blocks:
        try:
            block.open()
        except FrameError as error:
            return f"{what}: {error}"
    return ""
