"""What the coder of sparse grids knows before its first number, from the CloverLeaf example.

In: volumes of the example, or a folder of series (NAME_STEP.npz, an array `values`). Out:
insitu/models/sparse_grid/start.txt. Writing another one changes the format of payloads: it needs a
new version of these (`insitu.fields.sparse_grid`).

    python benchmarks/coder_start.py [--cells 96] [--data FOLDER]

Density, energy and velocity along x, every five cycles from 20 to 100: each at 40 dB, alone and
with the step before as context; every fourth also at 30 and 50 dB. None of the volumes that other
benchmarks measure on is among them, but for the example itself. Needs a C++ compiler (`CXX`, else
c++), for `coder_start.cpp`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from mpi4py import MPI
from volumes import ROOT, cloverleaf, partition, volumes

from insitu.engines.sparse_kernels import Numbers
from insitu.fields import sparse_grid
from insitu.fields.model_field import ModelField
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions

CYCLES = tuple(range(20, 101, 5))
PSNR, OTHERS, EVERY = 40.0, (30.0, 50.0), 4


def coded(values: np.ndarray, psnr: float) -> tuple[Numbers, list[int]] | None:
    """Numbers and splits of a volume; None of a constant one."""
    spec = FieldSpec(SparseGrid(), TrainingOptions(), Target(psnr=psnr))
    blocks = {"volume": [partition(values)]}
    found = train_fields(MPI.COMM_SELF, blocks, {"volume": spec}, {}, cycle=0, time=0.0)
    assert found is not None
    (field,) = found["volume"].fields
    if not isinstance(field, ModelField):
        return None
    components, splits = sparse_grid.unpack(field.weights.payload, field.shape, 1)
    return components[0].numbers, splits


def write(path: Path, numbers: Numbers, splits: list[int], before: Numbers | None) -> None:
    """int32: nx ny nz, how many levels, whether there is a step before; the axes of each level;
    the numbers; those before."""
    head = [*numbers.shape[::-1], len(splits), int(before is not None), *splits]
    arrays = [np.array(head, "<i4"), numbers.astype("<i4")]
    arrays += [] if before is None else [before.astype("<i4")]
    path.write_bytes(b"".join(array.tobytes() for array in arrays))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, default=96, help="of the example, along an axis")
    parser.add_argument("--data", type=Path, help="series instead of the example's")
    args = parser.parse_args()
    series = volumes(args.data) if args.data else cloverleaf(args.cells, CYCLES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in series:
            last: tuple[Numbers, list[int]] | None = None
            for k, values in enumerate(one.volumes):
                path = folder / f"{one.name} {one.steps[k]}"
                for psnr in OTHERS if k % EVERY == EVERY // 2 else ():
                    if (found := coded(values, psnr)) is not None:
                        write(path.with_suffix(f".{psnr:.0f}"), *found, None)
                if (found := coded(values, PSNR)) is None:
                    continue
                write(path.with_suffix(".alone"), *found, None)
                if last is not None and last[1] == found[1]:
                    write(path.with_suffix(".after"), *found, last[0])
                last = found
        source, program = ROOT / "benchmarks" / "coder_start.cpp", folder / "program"
        compiler = shlex.split(os.environ.get("CXX", "c++"))
        include = f"-I{ROOT / 'insitu/engines/cpu/cpp'}"
        subprocess.run([*compiler, "-std=c++17", "-O2", include, source, "-o", program], check=True)
        files = sorted(path for path in folder.iterdir() if path != program)
        text = subprocess.run([program, *files], check=True, stdout=subprocess.PIPE).stdout
    (ROOT / "insitu" / "models" / "sparse_grid" / "start.txt").write_bytes(text)
    print(f"{len(files)} files of numbers: {len(text)} bytes")


if __name__ == "__main__":
    main()
