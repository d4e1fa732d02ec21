"""The front of the demo's shock, drawn from models and from the raw data: what the eye sees.

In: the CloverLeaf example, on as many ranks as mpiexec gives. Out: a table (Markdown).

    mpiexec -n 4 python benchmarks/shell.py [--psnr 52 55 58 60] [--cells 96] [--cycle 90]

Density and energy are kept as the example's run file says, but for `psnr`, and the scene `shell` is
drawn from them: the surface of density 0.26, coloured by energy from 1.05 to 1.2, lit. Bytes are of
whole frames on all ranks. The picture's PSNR is over the pixels that the surface covers in either
picture, in [0,1]; that of colours alone is of the same pictures without light. Normals are the mean
angle at the vertices of the raw data's surface, to those of the nearest vertex of the models'.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from scipy.spatial import cKDTree

from insitu import config
from insitu.core.geometry import Surface
from insitu.fields.raw_block import RawBlock
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.isosurface import block_isosurfaces
from insitu.filters.geometry.join import join
from insitu.mesh import exchange, partitions
from insitu.metrics import psnr
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.default_view import best_side
from insitu.render.surface.raster import StyledGeometry
from insitu.render.surface.surfaces import render_surfaces
from insitu.training.distributed import train_fields

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"
sys.path.insert(0, str(EXAMPLE))

from cloverleaf import CloverLeaf  # noqa: E402

ISOVALUE, COLOURS = 0.26, (1.05, 1.2)
NAMES = ("density", "energy")

Blocks = dict[str, Sequence[SampledBlock]]


def surfaces(comm: MPI.Comm, blocks: Blocks) -> list[Surface]:
    """The front on this rank's blocks, coloured by energy. Collective."""
    return block_isosurfaces(
        comm, blocks["density"], ISOVALUE, color_by={"energy": blocks["energy"]}
    )


def picture(
    comm: MPI.Comm, found: Sequence[Surface], boxes: Sequence, camera: Camera, lit: bool
) -> np.ndarray | None:
    """Premultiplied RGBA on rank 0. Collective."""
    colors = TransferFunction.default(COLOURS)
    styled = [
        (box, [StyledGeometry(one, values="energy", transfer_function=colors, lit=lit)])
        for box, one in zip(boxes, found, strict=True)
    ]
    return render_surfaces(comm, styled, camera)


def shown_db(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR of the colours, over the pixels that something covers in either picture."""
    covered = (a[..., 3] > 0) | (b[..., 3] > 0)
    return psnr(np.clip(a[covered][:, :3], 0, 1), np.clip(b[covered][:, :3], 0, 1), 1.0)


def angle_deg(comm: MPI.Comm, found: Sequence[Surface], raw: Sequence[Surface]) -> float:
    """Mean angle between normals over all ranks. Collective."""
    given, true = join(list(found)), join(list(raw))
    total = np.zeros(2)
    if len(given.points) and len(true.points):
        assert given.normals is not None and true.normals is not None
        _, nearest = cKDTree(given.points).query(true.points)
        cosine = np.clip((given.normals[nearest] * true.normals).sum(axis=1), -1, 1)
        total += np.arccos(cosine).sum(), len(cosine)
    total = comm.allreduce(total)
    return float(np.degrees(total[0] / total[1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--psnr", type=float, nargs="+", default=[52.0, 55.0, 58.0, 60.0])
    parser.add_argument("--cells", type=int, default=96)
    parser.add_argument("--cycle", type=int, default=90)
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()

    comm = MPI.COMM_WORLD
    simulation = CloverLeaf(EXAMPLE / "clover.in", comm, cells=(arguments.cells,) * 3)
    while simulation.cycle < arguments.cycle:
        simulation.step()
    mesh = simulation.mesh()
    parts = {name: exchange(comm, partitions(mesh, name, ghosts="exchange")) for name in NAMES}
    run = config.broadcast(comm, lambda: config.load(EXAMPLE / "run.yaml"))
    raw: Blocks = {name: [RawBlock(block) for block in parts[name]] for name in NAMES}
    true = surfaces(comm, raw)
    boxes = [block.bounds for block in parts["density"]]
    drawn = None
    if comm.rank == 0:
        print("| psnr | density, B | dB | energy, B | dB | picture, dB | colours, dB | normals |")
        print("|---" * 8 + "|")
    for target in arguments.psnr:
        recipes = {n: replace(run.fields[n], psnr=target, quality=None).recipe for n in NAMES}
        fields = train_fields(
            comm, parts, recipes, {}, cycle=simulation.cycle, time=simulation.time
        )
        assert fields is not None
        found = surfaces(comm, {name: fields[name].fields for name in NAMES})
        if drawn is None:
            bounds = fields["density"].summary.bounds
            side = best_side(comm, raw["density"], bounds, TransferFunction.default((0.2, 0.4)))
            camera = Camera.default(bounds, arguments.size, arguments.size, side=side)
            drawn = [picture(comm, true, boxes, camera, lit) for lit in (True, False)]
        shown = [picture(comm, found, boxes, camera, lit) for lit in (True, False)]
        angle = angle_deg(comm, found, true)
        if comm.rank == 0:
            cells = [f"{target:g}"]
            for name in NAMES:
                summary = fields[name].summary
                cells += [str(summary.nbytes), f"{summary.psnr_db:.1f}"]
            cells += [f"{shown_db(a, b):.1f}" for a, b in zip(shown, drawn, strict=True)]
            print(f"| {' | '.join([*cells, f'{angle:.2f}'])} |", flush=True)


if __name__ == "__main__":
    main()
