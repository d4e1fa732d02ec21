"""Recovery after a crash: the steps saved by a crashed run become a record.

In: crash files, from one node or gathered from several. Out: a record; what was incomplete.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from insitu.codecs.frame import FrameError
from insitu.core.atomic_file import atomic_folder
from insitu.fields.distributed_field import DistributedField, Summary
from insitu.fields.read import read_field
from insitu.store import crash_file, frame_file, record_files
from insitu.store.crash_file import SUFFIX, NotOwnError, Owner, Salvage, Saved
from insitu.store.crash_log import FOLDER
from insitu.store.group_encoder import KEY_EVERY, GroupEncoder
from insitu.store.manifest import Manifest, step
from insitu.store.window import Entry

_WRITE = 1  # a recovered record is one write
_NAMED = 8  # missing ranks that are named


@dataclass
class Run:
    """The crash files found of one run."""

    files: list[tuple[Path, Owner]]

    @property
    def owner(self) -> Owner:
        """Owner of the first file."""
        return self.files[0][1]

    @property
    def folders(self) -> list[Path]:
        return sorted({path.parent for path, _ in self.files})

    @property
    def nbytes(self) -> int:
        return sum(path.stat().st_size for path, _ in self.files)

    def in_use(self) -> bool:
        """Whether a rank of the run is still alive, as far as this node can tell."""
        return any(crash_file.in_use(path, owner) for path, owner in self.files)


@dataclass
class Recovered:
    """The result of a recovery."""

    path: Path
    steps: dict[str, list[int]] = field(default_factory=dict)
    """Cycles in the record, by field."""
    n_frames: int = 0
    """Number of complete frames found, including those of incomplete steps."""
    problems: list[str] = field(default_factory=list)
    """What was incomplete, corrupt or missing, one line each."""


def find(folders: Iterable[Path]) -> tuple[list[Run], list[str]]:
    """The runs with files in the folders or their run folders; descriptions of unreadable files.

    Only regular files of this user are looked at: anybody can put files into /dev/shm. Raises
    FileNotFoundError if a folder is missing.
    """
    runs: dict[str, Run] = {}
    problems = []
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(2, "no such folder", str(folder))
        inner = [path for path in folder.glob(f"{FOLDER}*") if _is_own_folder(path)]
        for path in sorted(p for place in (folder, *inner) for p in place.glob(f"*{SUFFIX}")):
            try:
                owner = crash_file.read_owner(path)
            except NotOwnError:
                continue
            except FrameError as error:
                # Killed while creating the file: it was still empty.
                problems.append(f"{path}: {error}")
                continue
            runs.setdefault(owner.run, Run([])).files.append((path, owner))
    for run in runs.values():
        run.files.sort(key=lambda item: item[1].rank)
    return sorted(runs.values(), key=lambda run: run.owner.run), problems


def discard(run: Run) -> None:
    """Remove the crash files of a run, and its folders where nothing else is left in them. Raises
    OSError."""
    for path, _ in run.files:
        path.unlink()
    for folder in run.folders:
        if not any(folder.iterdir()):
            folder.rmdir()


def _is_own_folder(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def recover(run: Run, path: Path, *, incomplete: bool = False) -> Recovered:
    """Write the steps of a run to a new record in folder `path`.

    If a step occurs twice, because a cycle was repeated, the last complete one is taken.

    Args:
        incomplete: also write steps of which some blocks are missing.

    Raises: FileExistsError if `path` exists; OSError if it cannot be written.
    """
    if path.exists():
        raise FileExistsError(17, "is there already; choose another output", str(path))
    found = Recovered(path)
    salvages = [crash_file.read(file) for file, _ in run.files]
    found.problems += [f"{s.path}: {text}" for s in salvages for text in s.torn]
    found.n_frames = sum(len(entry.frames) for s in salvages for entry in s.entries)
    there = {s.owner.rank for s in salvages}
    n_ranks = run.owner.n_ranks
    if n_missing := n_ranks - len(there):
        # n_ranks may be any number: what is done here is limited by what was found.
        missing = [rank for rank in range(min(n_ranks, len(there) + _NAMED)) if rank not in there]
        ranks = ", ".join(map(str, missing[:_NAMED]))
        more = n_missing - len(missing[:_NAMED])
        ranks += f" and {more} more" if more else ""
        found.problems.append(f"no file of rank {ranks} of {n_ranks}")
    with atomic_folder(path) as tmp:
        _write(_steps(salvages, found, incomplete), run.owner, tmp, found)
    return found


_Step = list[tuple[int, Saved]]
"""The entries of a field at one step, with their ranks."""


def _steps(salvages: Sequence[Salvage], found: Recovered, incomplete: bool) -> list[_Step]:
    """The steps to write, in the order in which the run made them."""
    steps: dict[tuple[str, int], _Step] = {}
    by_number: dict[int, _Step] = {}
    for salvage in salvages:
        for entry in salvage.entries:
            by_number.setdefault(entry.sequence, []).append((salvage.owner.rank, entry))
    for _, at in sorted(by_number.items()):
        name, cycle, expected = at[0][1].name, at[0][1].cycle, at[0][1].n_blocks
        blocks = sum(len(entry.frames) for _, entry in at)
        whole = blocks == expected
        if not whole:
            taken = "taken along" if incomplete and blocks else "left out"
            found.problems.append(
                f"{name} at cycle {cycle}: {blocks} of {expected} blocks; {taken}"
            )
        if whole or (incomplete and blocks and (name, cycle) not in steps):
            steps.pop((name, cycle), None)
            steps[name, cycle] = at
    return list(steps.values())


def _write(steps: Sequence[_Step], owner: Owner, folder: Path, found: Recovered) -> None:
    manifest = Manifest(owner.units, [owner.n_ranks])
    sound: dict[tuple[str, int], tuple[Summary, _Step]] = {}
    for at in steps:
        name, cycle = at[0][1].name, at[0][1].cycle
        try:
            blocks = [read_field(f) for _, entry in at for f in entry.frames]
            summary = DistributedField.join(blocks).summary
        except (FrameError, ValueError) as error:
            found.problems.append(f"{name} at cycle {cycle}: {error}; left out")
            continue
        sound[summary.name, summary.cycle] = summary, at
        manifest.add({name: [step(summary, _WRITE)]})
        found.steps.setdefault(name, []).append(cycle)
    kept = [sound[name, one["cycle"]] for name, listed in manifest.steps.items() for one in listed]
    nbytes: Counter[tuple[str, int]] = Counter()
    for rank in sorted({0, *(rank for _, at in kept for rank, _ in at)}):
        encoder = GroupEncoder(rank, owner.n_ranks, owner.units, KEY_EVERY)
        groups = encoder.groups(_WRITE, [_entry(summary, at, rank) for summary, at in kept])
        frame_file.append(folder / record_files.file_name(rank), 0, groups)
        nbytes.update(encoder.nbytes)
    for summary, _ in kept:
        name, cycle = summary.name, summary.cycle
        listed = manifest.steps[name]
        (place,) = [i for i, one in enumerate(listed) if one["cycle"] == cycle]
        listed[place] = step(summary, _WRITE, nbytes[name, cycle])
    manifest.write(folder)


def _entry(summary: Summary, at: _Step, rank: int) -> Entry:
    """What a rank has of a step."""
    own = [data for one, entry in at if one == rank for data in entry.frames]
    return Entry(summary, lambda: tuple(read_field(data) for data in own))
