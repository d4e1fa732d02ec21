"""Pictures from networks against pictures of the raw data, and N ranks against one.

In: the CloverLeaf example, on as many ranks as mpiexec gives.
Out: PSNR in dB of each picture (pixels in [0,1]), after the compression of the example's run file.

    mpiexec -n 4 python benchmarks/pictures.py [--cells 96] [--steps 92] [--size 512]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

from insitu import config
from insitu.fields.distributed_field import DistributedField
from insitu.fields.raw_block import RawBlock
from insitu.mesh import exchange, partitions
from insitu.metrics import psnr
from insitu.render.camera import Camera
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.histogram import histogram
from insitu.render.volume.march import RenderBlock
from insitu.render.volume.volume import render_volume
from insitu.training.distributed import train_fields

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "cloverleaf"
sys.path.insert(0, str(EXAMPLE))

from cloverleaf import CloverLeaf  # noqa: E402


def compressed(
    comm: MPI.Comm, steps: int, cells: int, name: str
) -> tuple[DistributedField, list[RenderBlock]]:
    """The field after `steps` as networks, and its raw blocks. Collective."""
    simulation = CloverLeaf(EXAMPLE / "clover.in", comm, cells=(cells,) * 3)
    while simulation.cycle < steps:
        simulation.step()
    mesh = simulation.mesh()
    blocks = exchange(comm, partitions(mesh, name, ghosts="exchange"))
    field = config.broadcast(comm, lambda: config.load(EXAMPLE / "run.yaml")).fields[name]
    fields = train_fields(
        comm, {name: blocks}, {name: field.recipe}, {}, cycle=simulation.cycle, time=simulation.time
    )
    return fields[name], [RenderBlock.of(RawBlock(b)) for b in blocks]


def neural(field: DistributedField) -> list[RenderBlock]:
    return [RenderBlock.of(block) for block in field.fields]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=96)
    parser.add_argument("--steps", type=int, default=92)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--field", default="density")
    arguments = parser.parse_args()

    comm = MPI.COMM_WORLD
    field, raw = compressed(comm, arguments.steps, arguments.cells, arguments.field)
    domain = (float(field.summary.range[0, 0]), float(field.summary.range[0, 1]))
    counts, edges = histogram(comm, raw, domain)
    colors = TransferFunction.default(domain).with_opacity_from_histogram(counts, edges)
    camera = Camera.default(field.summary.bounds, arguments.size, arguments.size)
    from_networks = render_volume(comm, neural(field), camera, colors)
    from_raw = render_volume(comm, raw, camera, colors)
    if comm.rank != 0:
        return
    one = MPI.COMM_SELF
    alone, raw_alone = compressed(one, arguments.steps, arguments.cells, arguments.field)
    networks_alone = render_volume(one, neural(alone), camera, colors)
    whole = render_volume(one, raw_alone, camera, colors)
    rows = [
        (f"networks on {comm.size} ranks / raw data", from_networks, from_raw),
        (f"networks on {comm.size} ranks / network on 1 rank", from_networks, networks_alone),
        ("network on 1 rank / raw data", networks_alone, whole),
        (f"raw data on {comm.size} ranks / raw data on 1 rank", from_raw, whole),
    ]
    print(f"{arguments.field}, {arguments.cells}^3 cells, cycle {arguments.steps}")
    print(f"field: {field.summary.psnr_db:.1f} dB on {comm.size} ranks, ", end="")
    print(f"{alone.summary.psnr_db:.1f} dB on 1 rank")
    for label, a, b in rows:
        print(f"{label:<50} {psnr(np.clip(a, 0, 1), np.clip(b, 0, 1), 1.0):6.1f} dB")


if __name__ == "__main__":
    main()
