"""The extract xray: a radiograph of an absorbing and glowing volume.

In: recorded steps, a field of absorption and perhaps one of emission. Out: a picture in greys for
each step, and the intensities themselves beside it (`.npz`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from insitu.actions.extracts.of_fields import OfFields
from insitu.core.atomic_file import atomic_file
from insitu.core.parallel import together
from insitu.filters.pipeline import Results, VolumeData
from insitu.filters.schema import DataSchema
from insitu.render.camera import CameraSettings
from insitu.render.picture.image import write_png
from insitu.render.picture.view import file_stem
from insitu.render.volume.radiography import radiograph
from insitu.store.timestep import TimeStep

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True, kw_only=True)
class Xray(OfFields):
    """An xray extract; its fields are the absorption and, if there are two, the emission."""

    path: str
    """Of the picture without its ending; a %d pattern takes the cycle, which else is appended."""
    camera: CameraSettings | None = None
    size: tuple[int, int]
    """Width and height, pixels."""
    unit: float = 1.0
    """Factor of the absorption."""
    ends: tuple[float, float] | None = None
    """Intensities of black and white; None: the least and the greatest of the picture."""
    log_scale: bool = False

    def check(self, fields: DataSchema) -> None:
        super().check(fields)
        for name in self.fields:
            self.pipeline.outline(fields).scalar(name)

    def run(self, comm: MPI.Comm, steps: Sequence[TimeStep], folder: Path) -> list[Path]:
        """Write these steps -> the pictures, on all ranks. Collective: RemoteError or ValueError on
        every rank."""
        written = []
        for step in steps:
            data = Results(comm, step).of(self.pipeline, frozenset(self.fields))
            assert isinstance(data, VolumeData)
            settings = self.camera or CameraSettings()
            camera = settings.camera(data.bounds, *self.size)
            dark, *bright = (data.fields[name] for name in self.fields)
            found = radiograph(comm, dark, bright[0] if bright else None, camera, self.unit)
            stem = folder / file_stem(self.path, step.cycle)
            path = stem.with_name(f"{stem.name}.png")
            with together(comm, f"write {path}"):
                if found is not None:
                    light, share = found
                    # Without emission, what is seen is a source behind it, of intensity 1.
                    self._write(path, light if bright else share, share, step)
            written.append(path)
        return written

    def _write(self, path: Path, intensity: np.ndarray, share: np.ndarray, step: TimeStep) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path.with_suffix(".npz")) as tmp, tmp.open("wb") as out:
            np.savez(
                out,
                intensity=intensity,
                transmitted=share,
                cycle=step.cycle,
                time=step.time,
            )
        grey = np.repeat((255 * self._shown(intensity) + 0.5).astype(np.uint8)[..., None], 3, 2)
        write_png(path, grey)

    def _shown(self, intensity: np.ndarray) -> np.ndarray:
        """In 0..1."""
        low, high = self.ends or (float(intensity.min()), float(intensity.max()))
        values = intensity.astype(np.float64)
        if self.log_scale:
            low = low if low > 0 else max(high, 1e-300) * 1e-6
            values = np.log(np.maximum(values, low))
            low, high = np.log(low), np.log(max(high, low))
        share: np.ndarray = (values - low) / (high - low) if high > low else 0 * values
        return np.clip(share, 0, 1)
