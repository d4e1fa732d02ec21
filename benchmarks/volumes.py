"""The volumes that benchmarks measure on.

In: a folder, or nothing. Out: series of volumes, axes z, y, x; a volume as one rank's partition.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from insitu.mesh.partition import NO_LAYERS, Partition

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "cloverleaf"
DATA = ROOT.parent / "shared" / "data"
"""Where volumes are looked for; not part of the repository."""


@dataclass(frozen=True)
class Series:
    """One field at successive steps."""

    name: str
    steps: tuple[str, ...]
    volumes: tuple[np.ndarray, ...]


def cloverleaf(cells: int, cycles: tuple[int, ...]) -> list[Series]:
    """Density, energy and velocity along x of the example, at the cell centres."""
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    simulation = CloverLeaf(EXAMPLE / "clover.in", cells=(cells,) * 3)
    kept: dict[str, list[np.ndarray]] = {"density": [], "energy": [], "velocity_x": []}
    while simulation.cycle < cycles[-1]:
        simulation.step()
        if simulation.cycle not in cycles:
            continue
        fields = simulation.mesh()["fields"]
        for name in ("density", "energy"):
            padded = fields[name]["values"].reshape((cells + 4,) * 3)
            kept[name].append(padded[2:-2, 2:-2, 2:-2].astype(np.float32))
        padded = fields["velocity"]["values"]["x"].reshape((cells + 5,) * 3)
        kept["velocity_x"].append(padded[2:-3, 2:-3, 2:-3].astype(np.float32))
    steps = tuple(str(cycle) for cycle in cycles)
    return [Series(f"example {name}", steps, tuple(v)) for name, v in kept.items()]


def volumes(folder: Path) -> list[Series]:
    """NAME_STEP.npz with an array `values`, as series in the order of their steps."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*_*.npz")):
        found.setdefault(path.stem.rpartition("_")[0], []).append(path)
    return [
        Series(
            name,
            tuple(path.stem.rpartition("_")[2] for path in paths),
            tuple(np.load(path)["values"] for path in paths),
        )
        for name, paths in found.items()
    ]


def partition(values: np.ndarray) -> Partition:
    """The whole of `values` (nz, ny, nx) as the one partition of a field "volume"."""
    return Partition(
        field="volume",
        association="element",
        components=(values,),
        ghost_layers=NO_LAYERS,
        nodes=tuple(np.linspace(0.0, 1.0, n + 1) for n in values.shape[::-1]),
        domain_id=0,
    )


def middle(values: np.ndarray, cells: int) -> np.ndarray:
    """The middle block of at most `cells` along each axis."""
    starts = [max(0, (n - cells) // 2) for n in values.shape]
    return np.ascontiguousarray(values[tuple(slice(start, start + cells) for start in starts)])
