"""Ensembles: a model per block against one model at equal bytes; ghost layers against seams; and a
volume that is larger than memory.

In: volumes as NAME_STEP.npz, axes z, y, x; by default those of ../shared/data, else the CloverLeaf
example's. Out: dB for each number of blocks at one ratio; dB and seams for each number of ghost
layers. With --large a file of 4 GiB is made (most of it holes of the file system: a value that is
constant), compressed on 1 and on 4 ranks: largest memory of a rank, seconds, whether bytes agree.

    OMP_NUM_THREADS=1 python benchmarks/ensembles.py [FOLDER] [--ratio 100]
    OMP_NUM_THREADS=1 python benchmarks/ensembles.py --large FOLDER_WITH_5_GB
"""

from __future__ import annotations

import argparse
import filecmp
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from volumes import DATA, cloverleaf, volumes

from insitu import models
from insitu.fields.block_field import BlockField
from insitu.io.array_source import ArrayVolume
from insitu.io.chunk_grid import ChunkGrid
from insitu.mesh.partition import Partition
from insitu.metrics import psnr, seam_error
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.ranges import GlobalRange, MeasuredBlock, local_ranges
from insitu.training.train import train

PARTS = (1, 2, 4)
GHOSTS = (0, 1, 2, 4, 8)


def block(
    volume: ArrayVolume, grid: ChunkGrid, number: int, ghosts: int
) -> tuple[Partition, tuple]:
    """A block with ghost layers: one to interpolate through, the others to be trained on as well;
    and where its own samples lie in it."""
    whole, own = volume.grid_shape, grid.box(number)
    wide = max(ghosts - 1, 0)
    inner = [
        slice(max(axis.start - wide, 0), min(axis.stop + wide, n))
        for axis, n in zip(own, whole, strict=True)
    ]
    edge = 1 if ghosts else 0
    layers = tuple(
        (min(axis.start, edge), min(n - axis.stop, edge))
        for axis, n in zip(inner, whole, strict=True)
    )
    z, y, x = (
        slice(axis.start - low, axis.stop + high)
        for axis, (low, high) in zip(inner, layers, strict=True)
    )
    nodes = tuple(
        lines[axis.start : axis.stop + 1]
        for lines, axis in zip(volume.nodes, inner[::-1], strict=True)
    )
    part = Partition(
        field=volume.name, association="element", components=(volume.read((z, y, x)),),
        ghost_layers=layers, nodes=nodes, domain_id=number,
    )  # fmt: skip
    mine = tuple(
        slice(axis.start - all_.start, axis.stop - all_.start)
        for axis, all_ in zip(own, inner, strict=True)
    )
    return part, mine


def trained(
    values: np.ndarray, parts: int, ghosts: int, target: Target, options: TrainingOptions
) -> tuple[np.ndarray, int, ChunkGrid]:
    """The decoded volume, its bytes, its blocks. Sizes scale with the blocks (DVNR III-B)."""
    volume = ArrayVolume(values)
    grid = ChunkGrid.into(values.shape, "element", (parts,) * 3)
    whole = local_ranges({"": [MeasuredBlock.of(block(volume, ChunkGrid.into(
        values.shape, "element", (1, 1, 1)), 0, 0)[0])]})[""]  # fmt: skip
    decoded, nbytes = np.empty_like(values), 0
    for number in range(len(grid)):
        part, mine = block(volume, grid, number, ghosts)
        field = one(part, whole, target, options)
        decoded[grid.box(number)] = field.decode()[mine]
        nbytes += field.nbytes
    return decoded, nbytes, grid


def one(
    part: Partition, whole: GlobalRange, target: Target, options: TrainingOptions
) -> BlockField:
    return train(
        TrainingJob.of(
            part, models.make("hash_grid", {}).for_domain(whole.n_voxels), whole=whole,
            target=target, options=options, sized_by_target=target.ratio is not None,
        )
    )  # fmt: skip


def tables(folder: Path, ratio: float, epochs: int, most: int) -> None:
    found = volumes(folder) if folder.is_dir() else cloverleaf(96, (100,))
    options = TrainingOptions(epochs=epochs)
    least = options.n_min
    print(f"hash_grid, ratio {ratio:g}, {epochs} passes, at least {least} steps of a block")
    print(
        "| volume | blocks | bytes | dB | largest error of range | CPU s |\n"
        "|---|---|---|---|---|---|"
    )
    for series in found[:most]:
        values = series.volumes[-1]
        for parts in PARTS:
            start = time.process_time()
            decoded, nbytes, _ = trained(values, parts, 1, Target(ratio=ratio), options)
            seconds = time.process_time() - start
            worst = np.abs(decoded - values).max() / np.ptp(values)
            quality = f"{psnr(decoded, values):.1f} | {worst:.3f} | {seconds:.1f}"
            print(f"| {series.name} | {parts**3} | {nbytes} | {quality} |", flush=True)


def seams(folder: Path, epochs: int, most: int) -> None:
    found = volumes(folder) if folder.is_dir() else cloverleaf(96, (100,))
    options = TrainingOptions(epochs=epochs, n_min=1)
    print("8 blocks, sizes by their voxels; error at faces over that elsewhere: 1 is no seam")
    print(
        "| volume | ghost layers | bytes | dB | error at faces / elsewhere |\n|---|---|---|---|---|"
    )
    for series in found[:most]:
        values = series.volumes[-1]
        for ghosts in GHOSTS:
            decoded, nbytes, grid = trained(values, 2, ghosts, Target(), options)
            seam = seam_error(decoded, values, grid.cuts)
            quality = f"{psnr(decoded, values):.1f} | {seam.ratio:.2f}"
            print(f"| {series.name} | {ghosts} | {nbytes} | {quality} |", flush=True)


def large(folder: Path, cells: int, filled: int) -> None:
    """filled: cells along an axis of the corner that is not constant."""
    path, shape = folder / "large.npy", (cells,) * 3
    values = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    at = np.linspace(0, 12, filled, dtype=np.float32)
    for z in range(filled):
        values[z, :filled, :filled] = np.sin(at[z] + at[:, None]) * np.cos(at - 0.3 * at[z])
    del values
    print(f"{path.stat().st_size / 2**30:.2f} GiB, of which {filled}^3 samples vary")
    print("| ranks | blocks | seconds | largest memory of a rank, MiB |\n|---|---|---|---|")
    made = []
    for ranks in (1, 4):
        made.append(folder / f"large{ranks}.insitu")
        start = time.perf_counter()
        done = subprocess.run(
            ["mpiexec", "-n", str(ranks), sys.executable, __file__, "--rank", str(path),
             str(made[-1])],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        peaks = [float(word) for word in done.stdout.splitlines()[-1].split()]
        seconds = time.perf_counter() - start
        blocks = -((-cells // 128) ** 3)
        print(f"| {ranks} | {blocks} | {seconds:.0f} | {max(peaks):.0f} |", flush=True)
    same = filecmp.cmp(*made, shallow=False)
    print(
        f"bytes: {made[0].stat().st_size}, {'the same' if same else 'DIFFERENT'} on 1 and 4 ranks"
    )
    for file in (path, *made):
        file.unlink()


def rank(source: str, target: str) -> None:
    """Compress on all ranks of the world, print this one's peak of resident memory in MiB."""
    from mpi4py import MPI

    from insitu.cli.command_line import main as insitu

    insitu(["compress", source, target, "--iterations", "100", "--plateau", "500", "--json"])
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    peaks = MPI.COMM_WORLD.gather(int(peak.split()[1]) / 1024)
    if peaks is not None:
        print(*peaks)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--tables", nargs="+", default=["bytes", "seams"])
    parser.add_argument("--ratio", type=float, default=100.0)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--most", type=int, default=3, help="volumes")
    parser.add_argument("--large", type=Path, help="folder for a file of 4 GiB")
    parser.add_argument("--cells", type=int, default=1024, help="of that file, along an axis")
    parser.add_argument("--filled", type=int, default=384)
    parser.add_argument("--rank", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.rank:
        rank(*given.rank)
    elif given.large:
        large(given.large, given.cells, given.filled)
    else:
        if "bytes" in given.tables:
            tables(given.folder, given.ratio, given.epochs, given.most)
        if "seams" in given.tables:
            seams(given.folder, given.epochs, given.most)


if __name__ == "__main__":
    main()
