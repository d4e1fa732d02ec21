"""The flatten extract: fields as tables, a row for each vertex or cell.

In: recorded steps, a path. Out: a folder for each step with `vertex_data.csv` and
`element_data.csv`, as far as there are fields of either.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.actions.extracts.of_fields import OfFields
from insitu.core.atomic_file import atomic_file
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.decomposition import samples
from insitu.filters.pipeline import Results, VolumeData
from insitu.render.picture.view import file_stem
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

Rows = list[list[float]]


@dataclass(frozen=True, kw_only=True)
class Flatten(OfFields):
    """A flatten extract."""

    path: str
    """Of the folder, without its ending .csv; a %d pattern takes the cycle, else appended."""

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Write these steps -> the folders, on all ranks. Collective: RemoteError on every rank."""
        written = []
        for step in steps:
            data = Results(comm, step).of(self.pipeline, frozenset(self.fields))
            assert isinstance(data, VolumeData)
            stem = folder / file_stem(self.path, step.cycle)
            path = stem.with_name(f"{stem.name}.csv")
            for association in ("vertex", "element"):
                self._table(comm, path / f"{association}_data.csv", data, association)
            written.append(path)
        return written

    def _table(self, comm: MPI.Comm, path: Path, data: VolumeData, association: str) -> None:
        """One table, if any rank has fields for it. Collective."""
        columns: list[str] = []
        rows: Rows = []
        with together(comm, f"write {path}"):
            columns, rows = _rows(data, association, comm.rank)
        everyone = comm.gather((columns, rows))
        with together(comm, f"write {path}"):
            if everyone is None:
                return
            titles = next((names for names, _ in everyone if names), None)
            if titles is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_file(path) as tmp, tmp.open("w", newline="") as out:
                    table = csv.writer(out)
                    table.writerow(titles)
                    for _, theirs in everyone:
                        table.writerows(theirs)


def _rows(data: VolumeData, association: str, rank: int) -> tuple[list[str], Rows]:
    """Titles and rows of this rank: places, values, rank and number within the block."""
    names = [n for n, b in data.fields.items() if b and b[0].association == association]
    if not names:
        return [], []
    titles = list("xyz")
    pieces = []
    for part in zip(*(data.fields[name] for name in names), strict=True):
        columns = list(places(part[0]).T)
        titles = list("xyz")
        for name, block in zip(names, part, strict=True):
            values = np.asarray(samples(block), np.float64).reshape(len(columns[0]), -1)
            columns += list(values.T)
            letters = "xyz" if values.shape[1] <= 3 else "0123456789"
            ends = [""] if values.shape[1] == 1 else [f"/{c}" for c in letters]
            titles += [f"{name}{end}" for end in ends[: values.shape[1]]]
        pieces.append(np.column_stack(columns))
    whole = np.concatenate(pieces)
    numbers = np.concatenate([np.arange(len(piece)) for piece in pieces])
    rows = [[*row, rank, n] for row, n in zip(whole.tolist(), numbers.tolist(), strict=True)]
    return [*titles, "rank", f"{association}_id"], rows


def places(block: SampledBlock) -> np.ndarray:
    """World coordinates (n, 3) of a block's samples, x fastest."""
    vertex = block.association == "vertex"
    lines = [n if vertex else 0.5 * (n[1:] + n[:-1]) for n in block.nodes]
    z, y, x = np.meshgrid(*reversed(lines), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
