"""The manifest of a record: which steps it has, and what is known of them without their blocks.

In: summaries of steps. Out: `manifest.json`, with a checksum; and its content, verified.

    format, version, n_ranks | units | fields: name -> its steps in words
    runs: number of ranks of every run that wrote to the record, oldest first
    steps: entries of all steps, see `step`, as a table (`insitu.store.step_table`)
    checksum: CRC-32 of the rest as compact JSON with sorted keys, in hexadecimal

Version 3 has the table in another form; a record that was begun in it becomes one of version 4
when it is continued. Version 2 has the entries as JSON, in `fields`; records that were begun in it
are continued in it.
Version 1 has neither runs nor a checksum; it stays readable. The manifest can be made anew from the
frames (`insitu.store.record_files`).
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from insitu.codecs.frame import FrameError
from insitu.core.atomic_file import atomic_file
from insitu.fields.distributed_field import Summary
from insitu.store import step_table
from insitu.store.step_table import Step, Steps

MANIFEST = "manifest.json"
FORMAT = "insitu record"
VERSION = 4
FRAMES = 2
"""Version of records in which every block is a frame of its own."""
READABLE = (1, 2, 3, 4)


class UnsupportedRecord(FrameError):
    """A sound manifest of a version that this insitu does not read."""


_NUMBERS = ("cycle", "n_blocks", "nbytes")


@dataclass(frozen=True)
class Units:
    """Units of the numbers in a record; empty if unknown."""

    length: str = ""
    time: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def labelled(self, name: str) -> str:
        """A field's name, with its unit if that is known."""
        unit = self.fields.get(name, "")
        return f"{name} ({unit})" if unit else name

    def to_dict(self) -> dict[str, Any]:
        return {"length": self.length, "time": self.time, "fields": dict(self.fields)}

    @staticmethod
    def from_dict(value: Any) -> Units:
        """Raises FrameError where it is anything else."""
        if not isinstance(value, dict) or not value.keys() <= {"length", "time", "fields"}:
            raise FrameError("units: expected length, time and fields")
        fields = value.get("fields", {})
        if not isinstance(fields, dict):
            raise FrameError("units: fields: expected names and units")
        texts = [value.get("length", ""), value.get("time", ""), *fields.values()]
        if not all(isinstance(text, str) for text in texts):
            raise FrameError("units: expected texts")
        return Units(**value)


@dataclass
class Manifest:
    """The content of a manifest."""

    units: Units = field(default_factory=Units)
    runs: list[int] = field(default_factory=list)
    """Number of ranks of every run that wrote to the record, oldest first."""
    steps: Steps = field(default_factory=dict)
    version: int = VERSION
    """In which it is written: `VERSION` or `FRAMES`."""

    @property
    def newest_write(self) -> int:
        """Number of the last write that a step is from; 0 if there is none."""
        return max((step.get("write", 0) for at in self.steps.values() for step in at), default=0)

    def add(self, steps: Mapping[str, Sequence[Step]]) -> None:
        """Add steps of fields. A step of an earlier or the same cycle as one that is there replaces
        it and all later ones: the simulation went back, or was continued from there."""
        for name, new in steps.items():
            there = self.steps.setdefault(name, [])
            for one in new:
                while there and there[-1]["cycle"] >= one["cycle"]:
                    there.pop()
                there.append(one)

    def write(self, folder: Path) -> None:
        """Write the file into `folder`, atomically and to the disk. Raises OSError."""
        body: dict[str, Any] = {
            "format": FORMAT,
            "version": self.version,
            "n_ranks": self.runs[-1] if self.runs else 0,
            "runs": self.runs,
            "units": self.units.to_dict(),
        }
        if self.version == FRAMES:
            body["fields"] = self.steps
        else:
            body["fields"] = {name: _in_words(at) for name, at in self.steps.items()}
            body["steps"] = step_table.pack(self.steps)
        whole = {**body, "checksum": _checksum(body)}
        with atomic_file(folder / MANIFEST, durable=True) as tmp:
            tmp.write_text(json.dumps(whole, indent=1, allow_nan=False))

    @staticmethod
    def read(folder: Path) -> Manifest:
        """Read and verify the file. Raises FileNotFoundError, FrameError for any damage, and
        UnsupportedRecord."""
        path = folder / MANIFEST
        try:
            whole = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise FrameError(f"{path}: not JSON: {error}") from None
        if not isinstance(whole, dict):
            raise FrameError(f"{path}: not an object")
        checksum, version = whole.pop("checksum", None), whole.get("version")
        sound = checksum == _checksum(whole) or (checksum is None and version == 1)
        if whole.get("format") != FORMAT or version not in READABLE:
            kind = UnsupportedRecord if sound else FrameError
            raise kind(
                f"{path}: {whole.get('format')!r} version {version}, "
                f"expected {FORMAT!r} version {', '.join(map(str, READABLE))}"
            )
        if not sound:
            raise FrameError(f"{path}: checksum does not match: it was altered")
        try:
            return _content(whole)
        except FrameError as error:
            raise FrameError(f"{path}: {error}") from None


def step(s: Summary, write: int, nbytes: int | None = None) -> Step:
    """The manifest's entry for a field at one step.

    write: number of the write that its blocks are in; nbytes: what they take in the record, default
    as frames.
    """
    nbytes = s.nbytes if nbytes is None else nbytes
    return {
        "cycle": s.cycle,
        "time": _json_number(s.time),
        "bounds": [s.bounds[0].tolist(), s.bounds[1].tolist()],
        "range": [[_json_number(value) for value in pair] for pair in s.range.tolist()],
        "n_blocks": s.n_blocks,
        "nbytes": nbytes,
        "psnr_db": _json_number(float(np.float32(s.psnr_db))),
        "ratio": s.metrics.raw_nbytes / nbytes,
        "write": write,
        **_fidelity(s),
    }


def _fidelity(s: Summary) -> dict[str, float]:
    """Largest error in units of the range, PSNR of the gradient in dB, mean angle between normals
    of surfaces in degrees; in half precision, which takes two bytes each. Of gradients and normals,
    as the run measured them: left out where it did not, as in entries that are made anew from the
    blocks, or where nothing differs."""
    extent = float(s.extents.max(initial=0.0))
    found = {"max_error_of_range": s.metrics.max_error / extent if extent > 0 else 0.0}
    if s.fidelity is not None:
        gradient = s.fidelity.gradient
        found |= {"gradient_db": gradient.psnr_db, "normals_deg": gradient.normals_deg}
    return {name: float(np.float16(value)) for name, value in found.items() if np.isfinite(value)}


def checked_steps(value: Any) -> Steps:
    """Steps of fields from untrusted JSON. Raises FrameError where they are anything else."""
    if not isinstance(value, dict) or not all(isinstance(at, list) for at in value.values()):
        raise FrameError("fields: expected names and lists of steps")
    for name, at in value.items():
        for one in at:
            if not isinstance(one, dict):
                raise FrameError(f"{name}: a step that is not an object")
            numbers = [one.get(key) for key in _NUMBERS] + [one.get("write", 0)]
            if not all(type(number) is int and abs(number) < 2**63 for number in numbers):
                raise FrameError(f"{name}: a step without whole {', '.join(_NUMBERS)}")
            if not _is_number(one.get("time")):
                raise FrameError(f"{name}: a time that is not a number")
            if not _is_pairs(one.get("range")) or not _is_pairs(_turned(one.get("bounds"))):
                raise FrameError(f"{name}: a range or bounds that are not pairs of numbers")
    return value


def _content(whole: dict[str, Any]) -> Manifest:
    runs = whole.get("runs", [whole.get("n_ranks")])
    if not isinstance(runs, list) or not all(type(n) is int and n >= 0 for n in runs):
        raise FrameError("runs: expected numbers of ranks")
    units = Units.from_dict(whole.get("units", {}))
    version = FRAMES if whole["version"] <= FRAMES else VERSION
    fields = whole.get("fields")
    if version == VERSION:
        if not isinstance(fields, dict):
            raise FrameError("fields: expected names")
        fields = {name: [] for name in fields} | step_table.unpack(
            whole.get("steps"), whole["version"]
        )
    return Manifest(units, runs, checked_steps(fields), version)


def _in_words(steps: Sequence[Step]) -> str:
    if not steps:
        return "no steps"
    return f"{len(steps)} steps, cycles {steps[0]['cycle']} to {steps[-1]['cycle']}"


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08x}"


def _is_number(value: Any) -> bool:
    return value is None or type(value) in (int, float)


def _is_pairs(value: Any) -> bool:
    """Whether it is a list of (low, high)."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in value
    )


def _turned(bounds: Any) -> Any:
    """Two corners of three coordinates as three pairs; None where they are not that."""
    corners = isinstance(bounds, list) and len(bounds) == 2
    if not corners or not all(isinstance(c, list) and len(c) == 3 for c in bounds):
        return None
    return [list(pair) for pair in zip(*bounds, strict=True)]


def _json_number(value: float) -> float | None:
    """JSON has neither infinity (PSNR of an exact field) nor NaN (range of no values): null."""
    return value if math.isfinite(value) else None
