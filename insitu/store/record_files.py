"""The frame files of a record: one per rank of every run that wrote to it.

In: a folder. Out: the blocks by write, field and cycle; the manifest as the frames tell it.

    rank_00000.frames, ...        of the first run
    rank_00000.run2.frames, ...   of the run that continued it

A run writes to its own files, to their end: groups (`insitu.store.step_group`), which have the
number of their write (counted through all runs), rank and number of ranks; on rank 0 also the
units. Every block says of how many its field's step consists. So the frames say all that the
manifest does, and which of two steps of the same cycle is the later one.

In records of version 2, and where a run continued one (`insitu.store.frame_encoder`), every write
begins with a frame of kind "record_write": its number, rank and number of ranks; on rank 0 also the
manifest's entries of the steps that follow, and the units. Then come the blocks, each a frame.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from insitu.codecs.frame import FrameError
from insitu.fields import header as head
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.store import frame_file
from insitu.store.frame_encoder import KIND
from insitu.store.frame_file import Damage, FoundGroup
from insitu.store.group_decoder import GroupDecoder
from insitu.store.manifest import (
    FRAMES,
    MANIFEST,
    VERSION,
    Manifest,
    Units,
    checked_steps,
    step,
)
from insitu.store.step_table import Step, Steps
from insitu.store.stored_block import StoredBlock

_NAME = re.compile(r"rank_(\d+)(?:\.run(\d+))?\.frames")

Key = tuple[int, str, int]
"""Number of the write, name and cycle of a field."""


def file_name(rank: int, run: int = 1) -> str:
    """run: from 1 on."""
    return f"rank_{rank:05d}.frames" if run == 1 else f"rank_{rank:05d}.run{run}.frames"


def paths(folder: Path) -> list[Path]:
    """The frame files of a record, by run and rank. Raises OSError."""
    return [path for _, _, path in _files(folder)]


def is_record(folder: Path) -> bool:
    """Whether a folder holds the record of a run, with a manifest or without."""
    return folder.is_dir() and ((folder / MANIFEST).is_file() or bool(_files(folder)))


@dataclass(frozen=True)
class ToldWrite:
    """What rank 0 says of a write."""

    steps: Steps
    units: Units


@dataclass
class Contents:
    """What the frame files of a record hold; made by `read`."""

    folder: Path
    blocks: dict[Key, list[StoredBlock]] = field(default_factory=dict)
    """By write, field and cycle; in the order of the writer's ranks."""
    told: dict[int, ToldWrite] = field(default_factory=dict)
    """By number of the write."""
    n_blocks: dict[Key, int] = field(default_factory=dict)
    """How many blocks there should be, as the blocks of groups say."""
    runs: dict[int, int] = field(default_factory=dict)
    """Number of ranks of each run, by its number."""
    damage: list[str] = field(default_factory=list)
    """What is no frame of a record, one line each: file, byte, reason."""

    def of(self, name: str, at: Step) -> list[StoredBlock]:
        """The blocks of a step of the manifest, as far as they are there."""
        return self.blocks.get((at.get("write", 0), name, at["cycle"]), [])

    def lacking(self, manifest: Manifest) -> list[str]:
        """The steps of a manifest that have not all their blocks, one line each."""
        return [
            f"{name} at cycle {at['cycle']} has {len(self.of(name, at))} of its "
            f"{at['n_blocks']} blocks"
            for name, steps in manifest.steps.items()
            for at in steps
            if len(self.of(name, at)) != at["n_blocks"]
        ]

    @property
    def newest_write(self) -> int:
        """Number of the last write that anything is from; 0 if there is none."""
        return max([*self.told, *(key[0] for key in self.blocks)], default=0)

    def unlisted(self, manifest: Manifest) -> Steps:
        """The complete steps of writes that a manifest knows nothing of: their run died first."""
        found: Steps = {}
        for _, steps in self._told_steps(manifest.newest_write):
            for name, listed in steps.items():
                whole = [at for at in listed if len(self.of(name, at)) == at["n_blocks"]]
                found.setdefault(name, []).extend(whole)
        return {name: steps for name, steps in found.items() if steps}

    @property
    def has_groups(self) -> bool:
        """Whether it has groups, as records from version 3 on have."""
        return bool(self.n_blocks)

    def all_runs(self, listed: Sequence[int]) -> list[int]:
        """The numbers of ranks of all runs, as a manifest lists them, or as the files tell."""
        n_runs = max([len(listed), *self.runs])
        known = dict(enumerate(listed, 1))
        return [known.get(run) or self.runs.get(run, 0) for run in range(1, n_runs + 1)]

    def missing_files(self) -> list[str]:
        """Ranks without a file, one line for each run that has such; a rank may have no blocks."""
        there = {(run, rank) for run, rank, _ in _files(self.folder)}
        lines = []
        for run, n_ranks in sorted(self.runs.items()):
            ranks = [rank for rank in range(min(n_ranks, _SHOWN)) if (run, rank) not in there]
            n_missing = n_ranks - sum(1 for one, rank in there if one == run and rank < n_ranks)
            if n_missing:
                named = ", ".join(file_name(rank, run) for rank in ranks[:_NAMED])
                more = n_missing - len(ranks[:_NAMED])
                lines.append(f"missing: {named}" + (f" and {more} more" if more else ""))
        return lines

    def manifest(self) -> Manifest:
        """The manifest as the frames tell it: steps as rank 0 wrote them with their blocks, or as
        their blocks say where that is lost."""
        made = Manifest(runs=self.all_runs(()), version=VERSION if self.has_groups else FRAMES)
        for number, steps in self._told_steps(0, lost=True):
            made.add(steps)
            if number in self.told:
                made.units = self.told[number].units
        return made

    def _told_steps(self, after: int, *, lost: bool = False) -> list[tuple[int, Steps]]:
        """The steps of each write after one, in order of the writes: as rank 0 wrote them, or as
        their blocks say; `lost`: also of blocks of which nothing says how many there should be."""
        steps = {n: dict(told.steps) for n, told in self.told.items() if n > after}
        for (number, name, cycle), blocks in self.blocks.items():
            listed = steps.get(number, {}).get(name, [])
            n_blocks = self.n_blocks.get((number, name, cycle))
            known = any(at["cycle"] == cycle for at in listed)
            if 0 < number <= after or known or not (lost or n_blocks):
                continue
            try:
                whole = DistributedField.join(cast("Sequence[BlockField]", blocks)).summary
            except (FrameError, ValueError) as error:  # blocks that do not belong together
                self.damage.append(f"{name} at cycle {cycle}: {error}")
                continue
            made = step(whole, number) | ({"n_blocks": n_blocks} if n_blocks else {})
            steps.setdefault(number, {})[name] = [*listed, made]
        return sorted(steps.items())


_NAMED, _SHOWN = 4, 1 << 16  # missing files that are named, and looked for


def read(folder: Path, listed: Manifest | None = None) -> Contents:
    """Read the headers of all frames. Not collective. Raises OSError.

    listed: the manifest, if it is sound; with it, blocks behind a damaged beginning of a write are
    placed even if rank 0's file is lost.
    """
    found = Contents(folder)
    unplaced: list[_Unplaced] = []
    for run, rank, path in _files(folder):
        found.runs[run] = max(found.runs.get(run, 0), rank + 1)
        unplaced += _read_file(path, run, found)
    if unplaced:
        sources = [told.steps for told in found.told.values()]
        sources += [] if listed is None else [listed.steps]
        keys = {
            (at.get("write", 0), name, at["cycle"])
            for steps in sources
            for name, all_at in steps.items()
            for at in all_at
        }
        for one in unplaced:
            one.place(found, keys)
    return found


@dataclass(frozen=True)
class _Unplaced:
    """A block behind damage, which may have been the beginning of a later write than `first`."""

    block: StoredBlock
    first: int
    before: int | None
    """The write that begins after it; None at the end of a file."""

    def place(self, found: Contents, keys: set[Key]) -> None:
        name, cycle = self.block.name, self.block.cycle
        fitting = [
            write
            for write, *what in keys
            if what == [name, cycle]
            and self.first <= write
            and (self.before is None or write < self.before)
        ]
        number = fitting[0] if len(fitting) == 1 else self.first
        blocks = found.blocks.setdefault((number, name, cycle), [])
        blocks.append(self.block)
        blocks.sort(key=lambda block: (block.path.name, block.at))


def _read_file(path: Path, run: int, found: Contents) -> list[_Unplaced]:
    """Add a file's blocks to `found`; returns those behind damage, until the next write."""
    number, behind = 0, False
    waiting: list[tuple[StoredBlock, int]] = []
    placed: list[_Unplaced] = []
    groups = GroupDecoder(path)
    for item in frame_file.scan(path):
        try:
            if isinstance(item, Damage):
                groups.lose()
                raise FrameError(item.text)
            if isinstance(item, FoundGroup):
                _read_group(groups, item, run, found)
                continue
            if item.header.get("kind") == KIND:
                number, behind = _read_write(item.header, run, found), False
                placed += [_Unplaced(block, first, number) for block, first in waiting]
                waiting = []
                continue
            block = StoredBlock(path, item.at, item.nbytes, item.header)
        except FrameError as error:
            found.damage.append(f"{path.name}, byte {item.at}: {error}")
            behind = True
            continue
        if behind:
            waiting.append((block, number))
        else:
            found.blocks.setdefault((number, block.name, block.cycle), []).append(block)
    return placed + [_Unplaced(block, first, None) for block, first in waiting]


def _read_group(groups: GroupDecoder, item: FoundGroup, run: int, found: Contents) -> None:
    meta, blocks = groups.read(item)
    found.runs[run] = max(found.runs[run], meta.n_ranks)
    if meta.units is not None:
        found.told.setdefault(meta.write, ToldWrite({}, meta.units))
    for n_blocks, block in blocks:
        key = (meta.write, block.name, block.cycle)
        found.blocks.setdefault(key, []).append(block)
        found.n_blocks[key] = n_blocks


def _read_write(header: dict[str, Any], run: int, found: Contents) -> int:
    number = head.whole("write", header.get("write"), 0)
    n_ranks = head.whole("n_ranks", header.get("n_ranks"), 1)
    told = None
    if "steps" in header:
        units = Units.from_dict(header.get("units", {}))
        told = ToldWrite(checked_steps(header["steps"]), units)
    found.runs[run] = max(found.runs[run], n_ranks)
    if told is not None:
        found.told[number] = told
    return number


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """The frame files of a record: run (from 1 on), rank, path; in this order. Raises OSError."""
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir() if path.is_file()]
    return sorted((int(m[2] or 1), int(m[1]), path) for m, path in found if m)
