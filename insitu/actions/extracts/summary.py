"""The extracts statistics and histogram: a field in a few numbers.

In: recorded steps, a field. Out: a JSON file for each step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.actions.extracts.of_fields import OfFields
from insitu.core.atomic_file import atomic_file
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.decomposition import samples
from insitu.filters.pipeline import Results, VolumeData
from insitu.filters.ranges import magnitudes
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True, kw_only=True)
class Summary(OfFields):
    """A summary of its only field; for a vector, of its magnitude. Finite samples count, those on
    faces between blocks once."""

    bins: int = 0
    """Of a histogram from the least to the greatest value; 0: statistics instead."""

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Write these steps -> the files, on all ranks. Collective: RemoteError on every rank."""
        written = []
        for step in steps:
            data = Results(comm, step).of(self.pipeline, frozenset(self.fields))
            assert isinstance(data, VolumeData)
            values = np.empty(0)
            with together(comm, f"extract {self.name}"):
                upper = np.asarray(data.bounds[1])
                blocks = data.fields[self.fields[0]]
                values = np.concatenate([values, *(_owned(block, upper) for block in blocks)])
            found = _histogram(comm, values, self.bins) if self.bins else _statistics(comm, values)
            entry = {"field": self.fields[0], "cycle": step.cycle, "time": step.time, **found}
            path = folder / f"{self.name}_{step.cycle:06d}.json"
            with together(comm, f"write {path}"):
                if comm.rank == 0:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with atomic_file(path) as tmp:
                        tmp.write_text(json.dumps(entry, indent=1) + "\n")
            written.append(path)
        return written


def _owned(block: SampledBlock, upper: np.ndarray) -> np.ndarray:
    """The finite values at the samples that no block above has."""
    values = np.asarray(samples(block), np.float64)
    if block.association == "vertex":
        ends = [
            None if line[-1] >= end - 0.5 * (line[-1] - line[-2]) else -1
            for line, end in zip(block.nodes, upper, strict=True)
        ]
        x, y, z = (slice(None, end) for end in ends)
        values = values[z, y, x]
    found = magnitudes(values.reshape(-1, block.n_components)) if block.n_components > 1 else values
    found = found.ravel()
    return found[np.isfinite(found)]


def _ends(comm: MPI.Comm, values: np.ndarray) -> tuple[float, float]:
    from mpi4py import MPI

    mine = np.array([values.max(), -values.min()]) if values.size else np.full(2, -np.inf)
    found = np.empty_like(mine)
    comm.Allreduce(mine, found, op=MPI.MAX)
    return -float(found[1]), float(found[0])


def _histogram(comm: MPI.Comm, values: np.ndarray, bins: int) -> dict[str, Any]:
    low, high = _ends(comm, values)
    counts = np.zeros(bins, np.int64)
    if low <= high:
        last = high if high > low else low + 1
        counts = np.histogram(values, bins, (low, last))[0].astype(np.int64)
    everywhere = comm.allreduce(counts)
    ends = {"min": low, "max": high} if low <= high else {"min": None, "max": None}
    return {**ends, "bins": bins, "counts": everywhere.tolist()}


def _statistics(comm: MPI.Comm, values: np.ndarray) -> dict[str, Any]:
    """Moments about the mean, by two passes."""
    low, high = _ends(comm, values)
    count, total = comm.allreduce(np.array([values.size, values.sum()]))
    if not count:
        return {"count": 0}
    away = values - total / count
    second, third, fourth = comm.allreduce(np.array([(away**k).sum() for k in (2, 3, 4)])) / count
    deviation = np.sqrt(second)
    shape = {"skewness": None, "kurtosis": None}
    if deviation > 0:
        shape = {"skewness": third / deviation**3, "kurtosis": fourth / second**2}
    return {
        "count": int(count),
        "min": low,
        "max": high,
        "sum": float(total),
        "mean": float(total / count),
        "variance": float(second),
        "standard_deviation": float(deviation),
        **{name: None if value is None else float(value) for name, value in shape.items()},
    }
