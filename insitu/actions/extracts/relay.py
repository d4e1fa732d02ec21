"""The relay extract: fields, or what a pipeline makes of them, written to files.

In: recorded steps, a path and a protocol. Out: volumes as one file for each block in a folder,
surfaces and lines as one file or one for each rank; the cycle stands in the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from insitu.actions.extracts.of_fields import OfFields
from insitu.core.geometry import Lines, Surface
from insitu.core.parallel import together
from insitu.filters.pipeline import Results, VolumeData
from insitu.filters.schema import LINES, POINTS, SURFACE, VOLUME, DataSchema
from insitu.io import volume_files
from insitu.io.blueprint_files import write_blueprint
from insitu.io.write_geometry import write_lines, write_surface
from insitu.render.picture.view import file_stem
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI

BLUEPRINT = "blueprint/mesh/hdf5"
_HOLDS = {
    VOLUME: ("vtk", "hdf5", "numpy", BLUEPRINT),
    SURFACE: ("vtk", "ply", "obj", BLUEPRINT),
    LINES: ("vtk",),
    POINTS: ("vtk",),
}
PROTOCOLS = tuple(dict.fromkeys(name for names in _HOLDS.values() for name in names))
"""`vtk`, `hdf5` and Blueprint's need the extras `vtk` and `hdf5`."""


@dataclass(frozen=True, kw_only=True)
class Relay(OfFields):
    """A relay extract."""

    path: str
    """File name without ending; a %d pattern takes the cycle, which else is appended."""
    protocol: str = "vtk"
    """One of PROTOCOLS."""
    fields: tuple[str, ...] = ()

    def check(self, fields: DataSchema) -> None:
        """ValueError, "key: text", where there is nothing to save, or not by this protocol."""
        data = self.pipeline.outline(fields)
        for name in self.fields:
            data.field(name, "fields")
        if self.protocol not in _HOLDS[data.kind]:
            valid = ", ".join(_HOLDS[data.kind])
            raise ValueError(
                f"protocol: {self.protocol} cannot store {data.kind}; expected one of {valid}"
            )

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Write these steps -> the files, or folders, on all ranks. Collective.

        Raises the same on every rank: RemoteError, or ValueError.
        """
        files = []
        for step in steps:
            data = Results(comm, step).of(self.pipeline, frozenset(self.fields))
            path = folder / file_stem(self.path, step.cycle)
            if self.protocol == BLUEPRINT and not isinstance(data, Lines):
                name = self.path if "%" in self.path else f"{self.path}.cycle_%06d"
                path = folder / file_stem(name, step.cycle)
                files.append(write_blueprint(comm, path, data, step))
                continue
            if isinstance(data, VolumeData):
                files.append(_OF_VOLUMES[self.protocol](comm, path, data, step))
            else:
                files.append(_write(comm, path, data, self.protocol, step.time))
        return files


_OF_VOLUMES: dict[str, volume_files.Write] = {
    "vtk": volume_files.write_vtk,
    "hdf5": volume_files.write_hdf5,
    "numpy": volume_files.write_numpy,
}


def _write(comm: MPI.Comm, path: Path, data: Surface | Lines, protocol: str, time: float) -> Path:
    """Surfaces for VTK as a file of each rank and an index, all else as one file. Collective."""
    with together(comm, f"folder of {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, Lines):
        path = path.with_name(f"{path.name}.vtp")
        write_lines(comm, path, data, time)
    else:
        path = path.with_name(f"{path.name}{'.pvtp' if protocol == 'vtk' else f'.{protocol}'}")
        write_surface(comm, path, data, time)
    return path
