"""What a step has of the fields that something reads, the same answer on every rank.

In: this rank's published step. Out: cycle and time, which fields are there and can be read, which
are made of cells; on the step itself, the layer that stands for a plane, and the cells that finer
domains cover. One reduction at a step; more only where something has changed or is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from insitu.core.arrays import Array
from insitu.core.parallel import RemoteError, agree
from insitu.mesh import MeshError, PublishedStep, levels
from insitu.mesh.cells import CELL_TOPOLOGIES, plane_spacing, topology_kind
from insitu.mesh.published_domain import PublishedDomain, published_components

if TYPE_CHECKING:
    from mpi4py import MPI

_FAILED, _CYCLE, _TIME, _SPACING, _MOVED, _FIELDS = range(6)
_GRID, _CELLS, _WRONG = range(3)


@dataclass(frozen=True)
class Contents:
    """What a step has, on any rank."""

    cycle: int | None
    time: float | None
    present: frozenset[str]
    """The fields that are published and can be read."""
    cells: Mapping[str, int]
    """Those that are made of cells, with the number of their topology (`levels.name_number`)."""
    unreadable: Mapping[str, RemoteError]
    """The fields that are published and cannot be read, and why."""


class Survey:
    """Surveys successive steps, and remembers what stays."""

    def __init__(self, comm: MPI.Comm, parts: Mapping[str, Sequence[str]]) -> None:
        """Not collective. parts: all fields that may be read -> the published fields that are their
        components; the same on every rank."""
        self.comm, self.parts = comm, dict(parts)
        self._thickness: float | None = None
        self._digest = b""
        self._boxes = np.empty((0, 8))

    def of(self, published: PublishedStep, error: BaseException | None = None) -> Contents:
        """The contents of a step. Collective. error: why this rank has none.

        Raises RemoteError on every rank if a rank's tree, cycle or time is wrong.
        """
        from mpi4py import MPI

        names = list(self.parts)
        mine = np.full(_FIELDS + 3 * len(names), -np.inf)
        every = np.empty_like(mine)
        fields = mine[_FIELDS:].reshape(-1, 3)
        wrong: dict[str, str] = {}
        topologies: list[str] = []
        spacings: list[float] = []
        boxes = np.empty((0, 8))
        try:
            if error is None:
                published.thickness = self._thickness
                state = published.state
                known = (state.cycle, state.time)
                mine[[_CYCLE, _TIME]] = [-np.inf if value is None else value for value in known]
                for row, name in zip(fields, names, strict=True):
                    try:
                        topologies += self._look(published, name, row, spacings)
                    except MeshError as trouble:
                        wrong[name], row[_WRONG] = str(trouble), 1
                if self._thickness is None:
                    mine[_SPACING] = -min(spacings, default=np.inf)
                boxes = levels.owned_boxes(published.domains_read, topologies)
                mine[_MOVED] = float(levels.digest(boxes) != self._digest)
        except BaseException as caught:
            error = caught
        if error is not None:
            mine[_FAILED] = 1
        self.comm.Allreduce(mine, every, op=MPI.MAX)
        if every[_FAILED] > 0:
            agree(self.comm, error, "mesh")
        if self._thickness is None and np.isfinite(every[_SPACING]):
            self._thickness = -float(every[_SPACING])
            published.thickness = self._thickness
        if every[_MOVED] > 0:
            self._digest = levels.digest(boxes)
            self._boxes = np.concatenate(self.comm.allgather(boxes))
        published.hide_covered(topologies, self._boxes)
        fields = every[_FIELDS:].reshape(-1, 3)
        return self._contents(every, fields, self._reasons(fields, wrong))

    def _look(
        self, published: PublishedStep, name: str, row: Array, spacings: list[float]
    ) -> list[str]:
        """Note what this rank has of a field -> the grids that it is on. As long as it is not known
        how thick a layer stands for a plane, add the spacing of meshes in one. MeshError."""
        grids: list[str] = []
        parts = self.parts[name]

        def look(domain: PublishedDomain) -> None:
            if not domain.has(parts):
                return
            topology = _topology(domain, parts)
            spacing: float | None = None
            if topology_kind(domain.tree, topology) in CELL_TOPOLOGIES:
                row[_CELLS] = max(row[_CELLS], levels.name_number(topology))
                if self._thickness is None:
                    spacing = plane_spacing(domain.tree, topology)
            else:
                domain.check(parts)
                row[_GRID] = 1
                grids.append(topology)
                grid = domain.grid(topology)
                if grid.dimension == 2:
                    spacing = min(float(np.diff(line).min()) for line in grid.nodes[:2])
            if spacing is not None:
                spacings.append(spacing)

        published.each(look)
        return grids

    def _reasons(self, fields: Array, wrong: Mapping[str, str]) -> dict[str, RemoteError]:
        """Why fields cannot be read, of the lowest rank that cannot. Collective where there is one;
        all ranks know which."""
        if not (fields[:, _WRONG] > 0).any():
            return {}
        reasons: dict[str, RemoteError] = {}
        for rank, theirs in enumerate(self.comm.allgather(wrong)):
            for name, text in theirs.items():
                error = RemoteError(f"mesh: rank {rank}: MeshError: {text}", rank)
                reasons.setdefault(name, error)
        return reasons

    def _contents(
        self, every: Array, fields: Array, reasons: Mapping[str, RemoteError]
    ) -> Contents:
        present, cells = set(), {}
        unreadable = dict(reasons)
        for name, (grid, topology, _) in zip(self.parts, fields, strict=True):
            if grid > 0 and topology > 0:
                text = f"fields/{name}: some domains are grids, others are made of cells"
                unreadable.setdefault(name, RemoteError(f"mesh: {text}", 0))
            if name in unreadable:
                continue
            if topology > 0:
                cells[name] = int(topology)
            if grid > 0 or topology > 0:
                present.add(name)
        cycle, time = (n if np.isfinite(n) else None for n in every[[_CYCLE, _TIME]].tolist())
        return Contents(
            None if cycle is None else int(cycle), time, frozenset(present), cells, unreadable
        )


def _topology(domain: PublishedDomain, parts: Sequence[str]) -> str:
    return domain.topology_of(published_components(domain.tree, parts[0])[0])
