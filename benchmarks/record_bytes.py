"""What the bytes of a record are: payloads, headers, manifest.

In: records of any version; or the CloverLeaf example, which is recorded first. Out: a table.

    python benchmarks/record_bytes.py out/cloverleaf/record ...
    mpiexec -n 4 python benchmarks/record_bytes.py [--cells 96] [--cycles 100] [--key-every 8]

The example has every 5th cycle, in writes of 8 steps; a row for each model, and for a write at
every step. Headers are all bytes of the frame files but the payloads: weights, masks, grid lines.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from model_compression import EXAMPLE
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField
from insitu.mesh import partitions
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions

COMM = MPI.COMM_WORLD
FIELDS = {"density": 45.0, "energy": 45.0, "velocity": 42.0}
MODELS: dict[str, Model] = {"sparse_grid": SparseGrid(), "hash_grid": HashGrid()}


def example(model: Model, cells: int, cycles: int) -> list[dict[str, DistributedField]]:
    """The fields of every 5th cycle, each trained from the one before."""
    sys.path.insert(0, str(EXAMPLE))
    from cloverleaf import CloverLeaf

    specs = {
        name: FieldSpec(model, TrainingOptions(), Target(psnr=psnr), automatic=True)
        for name, psnr in FIELDS.items()
    }
    simulation = CloverLeaf(EXAMPLE / "clover.in", COMM, cells=(cells,) * 3)
    steps: list[dict[str, DistributedField]] = []
    while simulation.cycle < cycles:
        simulation.step()
        if simulation.cycle % 5 == 0:
            mesh = simulation.mesh()
            blocks = {name: partitions(mesh, name, ghosts="ignore") for name in FIELDS}
            time = 0.1 * simulation.cycle
            before = steps[-1] if steps else {}
            made = train_fields(COMM, blocks, specs, before, cycle=simulation.cycle, time=time)
            assert made is not None
            steps.append(made)
    return steps


def record(
    folder: Path, steps: list[dict[str, DistributedField]], key_every: int, every: int
) -> int:
    """Write a record -> bytes of the blocks as whole frames, of all ranks."""
    window, writer, whole = Window(len(steps)), RecordWriter(COMM, folder, key_every=key_every), 0
    for number, step in enumerate(steps, 1):
        for field in step.values():
            window.append(field)
            whole += field.summary.nbytes
        if number % every == 0 or number == len(steps):
            writer.append([entry for name in window.names for entry in window.entries(name)])
    writer.close()
    COMM.barrier()
    return whole


def row(label: str, folder: Path, whole: int | None = None) -> str:
    """whole: bytes of the blocks as frames of their own, if known."""
    found = open_record(folder)
    blocks = [
        block
        for name in found
        for step in range(len(found.steps[name]))
        for block in found.blocks(name, step)
    ]
    steps = sum(len(found.steps[name]) for name in found)
    payload = sum(block.payload_nbytes for block in blocks)
    files = sum(path.stat().st_size for path in folder.glob("*.frames"))
    manifest = (folder / "manifest.json").stat().st_size
    cells = [label, str(len(blocks)), "" if whole is None else f"{whole / len(blocks):.0f}"]
    cells += [f"{payload / len(blocks):.0f}", f"{(files - payload) / len(blocks):.1f}"]
    return f"| {' | '.join([*cells, f'{manifest / steps:.0f}'])} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("records", type=Path, nargs="*")
    parser.add_argument("--cells", type=int, default=96, help="of the example, per axis")
    parser.add_argument("--cycles", type=int, default=100, help="of the example")
    parser.add_argument("--key-every", type=int, default=8, help="steps of which one is whole")
    arguments = parser.parse_args()
    if COMM.rank == 0:
        print("| record | blocks | whole frame, B a block | payload | headers ", end="")
        print("| manifest, B a field and step |\n|---|---|---|---|---|---|")
        for path in arguments.records:
            print(row(str(path), path), flush=True)
    if arguments.records:
        return
    with tempfile.TemporaryDirectory() as root:
        top = Path(COMM.bcast(root))
        for kind, model in MODELS.items():
            steps = example(model, arguments.cells, arguments.cycles)
            for every in (8, 1):
                folder = top / f"{kind}_{every}"
                whole = record(folder, steps, arguments.key_every, every)
                if COMM.rank == 0:
                    print(row(f"{kind}, a write every {every} steps", folder, whole), flush=True)
                COMM.barrier()


if __name__ == "__main__":
    main()
