"""Bytes per step of series at in situ cadence, against the best temporal form of compressors.

In: the examples CloverLeaf, S3D and nekRS, or a folder of volumes (NAME_STEP.npz, an array
`values`, axes z, y, x). Out: a table (Markdown).

    python benchmarks/series.py [--cases cloverleaf s3d nekrs] [--targets 40 50]
    mpiexec -n 4 python benchmarks/series.py --cases cloverleaf    # a block per rank
    python benchmarks/series.py --data FOLDER [--volumes NAME ...]

Every step is kept at the target in dB. Ours are all bytes of a record's folder over its steps:
headers, manifest, and the steps that are whole, one in `--key-every`; `all fields` is the record
of all of them. Each peer compresses the same blocks, at the same PSNR over all of them
(its tolerance bisected), payloads alone and without whole steps in between, in three forms: every
step alone; differences from the decoded step before (closed loop); whichever is smaller at each
step. The smallest of the three is told, and which it was.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import importlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from compressors import Compressor, NoResult, available
from mpi4py import MPI
from volumes import ROOT, partition, volumes

from insitu.config import FieldConfig
from insitu.fields.distributed_field import DistributedField
from insitu.mesh import Resampler, exchange, partitions
from insitu.mesh.partition import Partition
from insitu.metrics import psnr_db
from insitu.models.choice import ModelChoice
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.distributed import train_fields

COMM = MPI.COMM_WORLD
STEPS = 12
MODELS = ("sparse_grid", "hash_grid")
PEERS = ("SPERR", "SZ3", "ZFP")
TRIALS, CLOSE_DB, CLOSE = 12, 0.05, 1.01
Blocks = list[Partition]
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Step:
    cycle: int
    fields: dict[str, Blocks]
    """This rank's blocks."""

    @staticmethod
    def of(cycle: int, fields: dict[str, Blocks]) -> Step:
        """Of blocks that the simulation will overwrite."""
        kept = {
            name: [replace(b, components=tuple(c.copy() for c in b.components)) for b in blocks]
            for name, blocks in fields.items()
        }
        return Step(cycle, kept)


def advanced(simulation: Any, first: int, every: int) -> Iterator[Any]:
    """The simulation at `STEPS` cycles."""
    last = first + (STEPS - 1) * every
    while simulation.cycle < last:
        simulation.step()
        if simulation.cycle >= first and (simulation.cycle - first) % every == 0:
            yield simulation


def example(name: str, module: str) -> Any:
    sys.path.insert(0, str(ROOT / "examples" / name))
    return importlib.import_module(module)


def component(blocks: Blocks, name: str) -> Blocks:
    """The first component, as a field of its own."""
    return [replace(block, field=name, components=block.components[:1]) for block in blocks]


def cloverleaf(cells: int) -> Iterator[Step]:
    deck = ROOT / "examples" / "cloverleaf" / "clover.in"
    made = example("cloverleaf", "cloverleaf").CloverLeaf(deck, COMM, cells=(cells,) * 3)
    for simulation in advanced(made, first=40, every=5):
        tree = simulation.mesh()
        found = {
            name: exchange(COMM, partitions(tree, name, ghosts="exchange"))
            for name in ("density", "energy", "velocity")
        }
        found["velocity_x"] = component(found.pop("velocity"), "velocity_x")
        yield Step.of(simulation.cycle, found)


def s3d(cells: int) -> Iterator[Step]:
    made = example("s3d", "s3d").FlameKernel(COMM, points=(cells // 2,) * 3)
    names = ("temperature", "heat_release", "Y_OH")
    for simulation in advanced(made, first=150, every=10):
        tree = simulation.mesh()
        yield Step.of(simulation.cycle, {name: partitions(tree, name) for name in names})


def nekrs(cells: int) -> Iterator[Step]:
    n = cells * 2 // 3
    made = example("nekrs", "taylor_green").TaylorGreen(COMM, n=n, elements=n // 8, dt=0.04)
    names, resampler = ("pressure", "velocity_x", "velocity_z"), Resampler(COMM, (n,) * 3)
    for simulation in advanced(made, first=80, every=5):
        boxes = resampler.to_boxes(simulation.mesh(), names)
        yield Step.of(simulation.cycle, {name: partitions(boxes, name) for name in names})


CASES = {"cloverleaf": cloverleaf, "s3d": s3d, "nekrs": nekrs}


def stored(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, list[Step]]]:
    for series in volumes(folder):
        if any(name in series.name for name in names):
            blocks = [replace(partition(values), field=series.name) for values in series.volumes]
            steps = zip(series.steps, blocks, strict=True)
            yield series.name, [Step(int(cycle), {series.name: [one]}) for cycle, one in steps]


# ---- ours


def recorded(steps: list[Step], names: Sequence[str], kind: str, psnr: float, key: int) -> float:
    """Bytes per step of a record of these fields. Collective."""
    recipes = {name: FieldConfig(psnr=psnr, model=ModelChoice(kind)).recipe for name in names}
    fields: dict[str, DistributedField] = {}
    memories: dict[tuple[str, int], AdaptiveState] = {}
    window = Window(len(steps), key_every=key)
    for step in steps:
        blocks = {name: step.fields[name] for name in names}
        found = train_fields(
            COMM,
            blocks,
            recipes,
            fields,
            memories=memories,
            cycle=step.cycle,
            time=0.1 * step.cycle,
        )
        assert found is not None
        fields = found
        for field in fields.values():
            assert field.summary.psnr_db >= psnr - 0.01, field.summary
            window.append(field)
    with tempfile.TemporaryDirectory() as root:
        folder = Path(COMM.bcast(root)) / "record"
        writer = RecordWriter(COMM, folder, key_every=key)
        writer.append([entry for name in window.names for entry in window.entries(name)])
        writer.close()
        COMM.barrier()
        nbytes = sum(path.stat().st_size for path in folder.iterdir()) if COMM.rank == 0 else 0
        COMM.barrier()
    return nbytes / len(steps)


# ---- peers


@dataclass(frozen=True)
class Coded:
    nbytes: int
    decoded: Arrays
    tolerance: float


class Peer:
    """A compressor on the blocks of a field, step by step."""

    def __init__(self, compressor: Compressor, target: float) -> None:
        self.compressor, self.target = compressor, target
        self.totals = {"alone": 0, "differences": 0, "either": 0}
        self._before: dict[str, Coded] = {}
        self._tolerances: dict[str, float] = {}

    def add(self, values: Arrays) -> None:
        """One step: `values` of each block."""
        alone = self._reach("alone", values, None)
        found = {"alone": alone, "differences": alone, "either": alone}
        if self._before:
            for form in ("differences", "either"):
                before = self._before[form]
                same = form == "either" and before is self._before["differences"]
                found[form] = (
                    found["differences"] if same else self._reach(form, values, before.decoded)
                )
            found["either"] = min(found["either"], alone, key=lambda coded: coded.nbytes)
        for form, coded in found.items():
            self.totals[form] += coded.nbytes
        self._before = found

    def _reach(self, form: str, values: Arrays, before: Arrays | None) -> Coded:
        """The fewest bytes at the target, by bisection from the tolerance of the step before."""
        extent = max(float(v.max()) for v in values) - min(float(v.min()) for v in values)
        tolerance = self._tolerances.get(form, 2 * extent * 10 ** (-self.target / 20))
        best: Coded | None = None
        good, bad = (0.0, 0.0), (math.inf, 0.0)  # tolerances, and dB
        for trial in range(TRIALS):
            coded = self._try(values, before, tolerance)
            pairs = zip(coded.decoded, values, strict=True)
            squares = sum(float(np.square(a - b).sum()) for a, b in pairs)
            db = min(psnr_db(squares / sum(v.size for v in values), extent), 300.0)
            if db >= self.target:
                good = max(good, (tolerance, db))
                if best is None or coded.nbytes < best.nbytes:
                    best = coded
                if db <= self.target + CLOSE_DB:
                    break
            else:
                bad = min(bad, (tolerance, db))
            if not good[0] or bad[0] == math.inf:
                # ZFP's dB are the same within a factor of two: farther with every trial.
                missing = self.target - db
                tolerance *= 10 ** (-(missing + math.copysign(0.3 * (trial + 1), missing)) / 20)
                if tolerance > 256 * extent:
                    break
                continue
            if bad[0] <= CLOSE * good[0]:
                break
            part = (good[1] - self.target) / (good[1] - bad[1])
            part = min(max(part, 0.2), 0.8)
            tolerance = good[0] * (bad[0] / good[0]) ** part
        assert best is not None, f"{self.compressor.name}: {self.target} dB not reached"
        self._tolerances[form] = best.tolerance
        return best

    def _try(self, values: Arrays, before: Arrays | None, tolerance: float) -> Coded:
        nbytes, decoded = 0, []
        for i, block in enumerate(values):
            given = block if before is None else block - before[i]
            if not np.ptp(given):  # compressors need no bytes to speak of for a constant
                decoded.append(block)
                continue
            packed = self.compressor.encode(given, tolerance)
            found = self.compressor.decode(packed, given.shape, given.dtype)
            nbytes += len(packed)
            decoded.append(found if before is None else before[i] + found)
        return Coded(nbytes, decoded, tolerance)


def gathered(blocks: Blocks) -> Arrays:
    """The blocks of all ranks, float32, on all ranks. Collective."""
    mine = [np.ascontiguousarray(block.owned[0], np.float32) for block in blocks]
    return [values for every in COMM.allgather(mine) for values in every]


def peers(steps: list[Step], names: Sequence[str], target: float) -> dict[str, dict[str, Any]]:
    """By peer and field, its totals; each peer by one of the ranks. Collective."""
    compressors = [one for one in available()[0] if one.name in PEERS]
    mine: dict[str, dict[str, Any]] = {}
    for name in names:
        volumes_of = [gathered(step.fields[name]) for step in steps]
        for compressor in compressors[COMM.rank :: COMM.size]:
            peer = Peer(compressor, target)
            try:
                for values in volumes_of:
                    peer.add(values)
                mine.setdefault(compressor.name, {})[name] = peer.totals
            except NoResult as error:
                mine.setdefault(compressor.name, {})[name] = str(error)
    done = COMM.Ibarrier()
    while not done.Test():  # without spinning: others compute
        time.sleep(0.05)
    return {peer: found for every in COMM.allgather(mine) for peer, found in every.items()}


def table(title: str, steps: list[Step], targets: Sequence[float], key: int) -> None:
    names, n = list(steps[0].fields), len(steps)
    for target in targets:
        others = peers(steps, names, target)
        rows = [[name] for name in names] + ([names] if len(names) > 1 else [])
        for row in rows:
            ours = [recorded(steps, row, kind, target, key) for kind in MODELS]
            label = row[0] if len(row) == 1 else "all fields"
            cells = [title, label, f"{target:g}", *(f"{nbytes:.0f}" for nbytes in ours)]
            best = math.inf
            for peer in PEERS:
                found = [others.get(peer, {}).get(name) for name in row]
                if not all(isinstance(one, dict) for one in found):
                    cells.append("no result")
                    continue
                forms = [min(one, key=one.__getitem__) for one in found]
                total = sum(one[form] for one, form in zip(found, forms, strict=True)) / n
                if peer == PEERS[0]:
                    best = total
                cells.append(f"{total:.0f}" + (f" ({forms[0]})" if len(row) == 1 else ""))
            cells.append(f"{ours[0] / best:.2f}")
            if COMM.rank == 0:
                print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", choices=tuple(CASES), default=list(CASES))
    parser.add_argument(
        "--cells", type=int, default=96, help="of CloverLeaf; S3D: a half, nekRS: two thirds"
    )
    parser.add_argument("--targets", type=float, nargs="+", default=[40.0, 50.0], help="dB")
    parser.add_argument("--key-every", type=int, default=8, help="steps of which one is whole")
    parser.add_argument("--data", type=Path, help="folder of volumes, instead of the examples")
    parser.add_argument("--volumes", nargs="+", default=[""], help="those with this in their name")
    arguments = parser.parse_args()
    if COMM.rank == 0:
        heads = ["series", "field", "dB", "sparse grid, B a step", "hash grid", *PEERS]
        print(f"| {' | '.join([*heads, 'sparse grid / SPERR'])} |\n" + "|---" * 9 + "|", flush=True)
    if arguments.data:
        for title, steps in stored(arguments.data, arguments.volumes):
            table(title, steps, arguments.targets, arguments.key_every)
        return
    for case in arguments.cases:
        title = f"{case}, {COMM.size} block{'s' if COMM.size > 1 else ''}"
        steps = list(CASES[case](arguments.cells))
        table(title, steps, arguments.targets, arguments.key_every)


if __name__ == "__main__":
    main()
