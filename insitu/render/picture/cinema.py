"""Cinema databases: pictures from many directions at every step, to be explored in a viewer.

In: a render of type cinema. Out: a folder that follows Cinema's specification A, Astaire
(info.json and pictures named by its pattern), with data.csv of specification D, as written by
Ascent.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from insitu.core.atomic_file import atomic_file
from insitu.core.box import Bounds
from insitu.core.parallel import together
from insitu.render.camera import CameraSettings
from insitu.render.picture.view import View

if TYPE_CHECKING:
    from mpi4py import MPI

FOLDER = "cinema_databases"


@dataclass(frozen=True, kw_only=True)
class Cinema:
    """A database of pictures at every combination of phi and theta, at every step.

    Angles are as in Ascent: the eye starts on the z axis with y up, is rotated about x by theta
    and then about z by phi, and looks at the centre of the domain from 1.25 diagonals away.
    """

    db_name: str
    phi: tuple[float, ...]
    """Degrees."""
    theta: tuple[float, ...]
    """Degrees."""
    zoom: float = 1.0
    view: View = field(default_factory=View)
    """Size, background and annotations of the pictures."""

    def views(self, folder: Path, cycle: int, bounds: Bounds) -> Iterator[tuple[View, Path]]:
        """All views of a step and the paths of their pictures."""
        for phi in self.phi:
            for theta in self.theta:
                camera = _camera(phi, theta, self.zoom, bounds)
                path = self._folder(folder) / self._picture(cycle, phi, theta)
                yield replace(self.view, camera=camera), path

    def write_index(self, comm: MPI.Comm, folder: Path, cycles: Sequence[int]) -> Path:
        """Add steps whose pictures are written to the index -> info.json, on all ranks. Collective.

        Earlier entries are kept up to the first of the new steps; later ones are dropped, because
        a restarted run writes those steps again.
        """
        path = self._folder(folder) / "info.json"
        with together(comm, f"write {path}"):
            if comm.rank == 0:
                path.parent.mkdir(parents=True, exist_ok=True)
                earlier = [c for c in self._entered(path) if c < min(cycles)]
                everything = [*earlier, *sorted(cycles)]
                _write(path, json.dumps(self._index(everything), indent=2))
                _write(path.with_name("data.csv"), self._table(everything))
        return path

    def _folder(self, folder: Path) -> Path:
        return folder / FOLDER / self.db_name

    def _picture(self, cycle: int, phi: float, theta: float) -> str:
        return f"{cycle}/{phi:.1f}_{theta:.1f}_{self.db_name}.png"

    def _index(self, cycles: Sequence[int]) -> dict[str, Any]:
        arguments = {
            "time": [str(cycle) for cycle in cycles],
            "phi": [f"{angle:.1f}" for angle in self.phi],
            "theta": [f"{angle:.1f}" for angle in self.theta],
        }
        return {
            "type": "simple",
            "version": "1.1",
            "metadata": {"type": "parametric-image-stack"},
            "name_pattern": f"{{time}}/{{phi}}_{{theta}}_{self.db_name}.png",
            "arguments": {
                name: {"default": values[0], "label": name, "type": "range", "values": values}
                for name, values in arguments.items()
            },
        }

    def _table(self, cycles: Sequence[int]) -> str:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["phi", "theta", "time", "FILE"])
        for cycle in cycles:
            for phi in self.phi:
                for theta in self.theta:
                    picture = self._picture(cycle, phi, theta)
                    rows.writerow([f"{phi:.1f}", f"{theta:.1f}", cycle, picture])
        return text.getvalue()

    def _entered(self, path: Path) -> list[int]:
        """The cycles in an existing index with the same angles; empty if there is none."""
        try:
            index = json.loads(path.read_text(encoding="utf-8"))
            cycles = [int(cycle) for cycle in index["arguments"]["time"]["values"]]
            return cycles if index == self._index(cycles) else []
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return []


def _camera(phi: float, theta: float, zoom: float, bounds: Bounds) -> CameraSettings:
    """A camera on a sphere around the domain; phi and theta in degrees."""
    lo, hi = (np.asarray(b, np.float64) for b in bounds)
    center = (lo + hi) / 2
    p, t = np.radians(phi), np.radians(theta)
    about_z = np.array([[np.cos(p), -np.sin(p), 0], [np.sin(p), np.cos(p), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]])
    turn = about_z @ about_x
    position = center + 1.25 * np.linalg.norm(hi - lo) * turn[:, 2]
    return CameraSettings(
        position=tuple(position.tolist()),
        look_at=tuple(center.tolist()),
        up=tuple(turn[:, 1].tolist()),
        zoom=zoom,
    )


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as tmp:
        tmp.write_text(text, encoding="utf-8")
