"""What boundary loss, weight caching and model compression are worth, each switched off.

In: a folder of volumes (NAME_STEP.npz, an array `values`, axes z, y, x), or without one the
CloverLeaf example. Out: three tables (Markdown), figures (JSON). One core.

    python benchmarks/ablations.py [--data FOLDER] [--parts boundary caching compression]
        [--seeds 0 1 2] [--json FILE]

After Wu et al. (DVNR, doi:10.1109/TVCG.2024.3432710). `boundary` (Fig. 14): the first volume of
every series in 2 x 2 x 2 partitions with one ghost layer, trained to the last step, for shares
lambda of the batch next to the faces. `caching` (Fig. 7): each series, with and without the weights
of the step before, at equal training steps and to a target; one table, weights in half precision.
`compression` (Table II): the weights in half precision, or coded.

PSNR is against the range of the whole volume. Seconds are CPU time of training, coding and
measuring. Medians over the seeds.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from mpi4py import MPI
from volumes import DATA, Series, cloverleaf, partition, volumes

from insitu.config import FieldConfig, NetworkConfig
from insitu.fields.distributed_field import DistributedField
from insitu.mesh.partition import Partition
from insitu.metrics import psnr_db
from insitu.models.choice import ModelChoice
from insitu.training.distributed import train_fields
from insitu.training.options import TrainingOptions

LAMBDAS = (0.0, 0.05, 0.15, 0.3)
STEPS = 200
TARGET = 40.0
TABLE = 14
"""log2 of the table in `caching`: large enough for the target, and not searched for."""
CYCLES = (60, 61, 62, 63, 64)
"""Of the example: successive steps, as close as they are in situ."""
CELLS = 64
DEEP = 3
"""Cells between a shared face and what counts as inside."""
HASH_GRID = ModelChoice("hash_grid")
CODECS = ("half", "quantized", "sz3_zfp")


def train(
    blocks: Sequence[Partition], config: FieldConfig, before: DistributedField | None = None
) -> tuple[DistributedField, float]:
    """The blocks of one volume as the product trains them; CPU seconds."""
    previous = {} if before is None else {"volume": before}
    start = process_time()
    trained = train_fields(
        MPI.COMM_SELF, {"volume": blocks}, {"volume": config.recipe}, previous, cycle=0, time=0.0
    )
    return trained["volume"], process_time() - start


# ---- boundary loss


def split(values: np.ndarray) -> list[Partition]:
    """2 x 2 x 2 blocks with one ghost layer where another block is; world units are cells."""
    spans = [((0, n // 2), (n // 2, n)) for n in values.shape]
    blocks = []
    for place in np.ndindex(2, 2, 2):
        owned = [spans[axis][side] for axis, side in enumerate(place)]
        layers = tuple((side, 1 - side) for side in place)
        box = tuple(
            slice(start - low, stop + high)
            for (start, stop), (low, high) in zip(owned, layers, strict=True)
        )
        blocks.append(
            Partition(
                field="volume",
                association="element",
                components=(values[box],),
                ghost_layers=layers,
                nodes=tuple(np.arange(a, b + 1, dtype=np.float64) for a, b in reversed(owned)),
                domain_id=len(blocks),
            )
        )
    return blocks


def face_errors(values: np.ndarray, field: DistributedField) -> tuple[np.ndarray, np.ndarray]:
    """On the shared faces, at the middle of each cell's side: errors of both sides' networks
    against the trilinear values of `values`, and the jumps from one side to the other."""
    errors, jumps = [], []
    blocks = dict(zip(np.ndindex(2, 2, 2), field.fields, strict=True))
    for place, block in blocks.items():
        for axis in range(3):  # z, y, x
            if place[axis] == 1:
                continue
            beyond = blocks[(*place[:axis], 1, *place[axis + 1 :])]
            cut = values.shape[axis] // 2
            spans = [(int(nodes[0]), int(nodes[-1])) for nodes in reversed(block.nodes)]
            lines = [np.arange(a, b) + 0.5 for a, b in spans]
            lines[axis] = np.array([float(cut)])
            z, y, x = np.meshgrid(*lines, indexing="ij")
            points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
            beside = [slice(a, b) for a, b in spans]
            beside[axis] = slice(cut - 1, cut + 1)
            truth = values[tuple(beside)].astype(np.float64).mean(axis=axis).ravel()
            sides = [side(points).astype(np.float64) for side in (block, beyond)]
            errors += [side - truth for side in sides]
            jumps.append(sides[1] - sides[0])
    return np.concatenate(errors), np.concatenate(jumps)


def decoded(values: np.ndarray, field: DistributedField) -> np.ndarray:
    whole = np.empty(values.shape, np.float64)
    for block in field.fields:
        box = tuple(slice(int(nodes[0]), int(nodes[-1])) for nodes in reversed(block.nodes))
        whole[box] = block.decode()
    return whole


def boundary(found: list[Series], seeds: list[int]) -> Iterator[dict[str, Any]]:
    for series in found:
        values = np.ascontiguousarray(series.volumes[0])
        extent = float(np.ptp(values))
        inside = np.ones(values.shape, bool)
        for axis, n in enumerate(values.shape):
            away = np.abs(np.arange(n) + 0.5 - n // 2) > DEEP
            inside &= np.expand_dims(away, tuple({0, 1, 2} - {axis}))

        def db(errors: np.ndarray, extent: float = extent) -> float:
            return psnr_db(float(np.mean(np.square(errors))), extent)

        for share in LAMBDAS:
            runs = []
            for seed in seeds:
                options = TrainingOptions(lambda_boundary=share, seed=seed)
                config = FieldConfig(model=HASH_GRID, training=options, compression="half")
                field, seconds = train(split(values), config)
                errors = decoded(values, field) - values
                at_faces, jumps = face_errors(values, field)
                runs.append([db(errors), db(errors[inside]), db(at_faces), db(jumps), seconds])
            keys = ("volume", "inside", "faces", "jump", "seconds")
            medians = (statistics.median(run) for run in zip(*runs, strict=True))
            yield {
                "series": f"{series.name} {series.steps[0]}",
                "lambda": share,
                **dict(zip(keys, medians, strict=True)),
            }
        progress(f"boundary: {series.name}")


def print_boundary(rows: list[dict[str, Any]]) -> None:
    print("\n| volume | lambda | volume dB | inside dB | shared faces dB | jump across dB | s |")
    print("|---" * 7 + "|")
    for r in rows:
        print(
            f"| {r['series']} | {r['lambda']:g} | {r['volume']:.2f} | {r['inside']:.2f} | "
            f"{r['faces']:.2f} | {r['jump']:.2f} | {r['seconds']:.2f} |"
        )


# ---- weight caching


def chain(series: Series, config: FieldConfig) -> list[tuple[float, float, int]]:
    """dB, CPU seconds and training steps of each time step, each after the one before."""
    before: DistributedField | None = None
    figures = []
    for values in series.volumes:
        before, seconds = train([partition(np.ascontiguousarray(values))], config, before)
        figures.append((before.summary.psnr_db, seconds, before.summary.metrics.iterations))
    return figures


def caching(found: list[Series], seeds: list[int]) -> Iterator[dict[str, Any]]:
    """Medians over the time steps after the first, then over the seeds."""
    for series in found:
        if len(series.volumes) < 2:
            continue
        row: dict[str, Any] = {"series": series.name, "steps": series.steps}
        for warm in (False, True):
            to_steps, to_target = [], []
            for seed in seeds:
                options = TrainingOptions(warm_start=warm, seed=seed)
                shape = NetworkConfig(log2_hashmap_size=TABLE)
                given = {"training": options, "network": shape, "compression": "half"}
                to_steps.append(chain(series, FieldConfig(**given, iterations=STEPS))[1:])
                to_target.append(chain(series, FieldConfig(**given, psnr=TARGET))[1:])

            def middle(runs: list[list[tuple[float, float, int]]], i: int) -> float:
                return statistics.median(statistics.median(step[i] for step in run) for run in runs)

            row["on" if warm else "off"] = {
                "psnr": middle(to_steps, 0),
                "seconds": middle(to_target, 1),
                "iterations": middle(to_target, 2),
                "reached": min(step[0] for run in to_target for step in run),
            }
        yield row
        progress(f"caching: {series.name}")


def print_caching(rows: list[dict[str, Any]]) -> None:
    print(f"\n| series | steps | dB after {STEPS} training steps, off | on | gain | ", end="")
    print(f"s (training steps) to {TARGET:g} dB, off | on | off / on |")
    print("|---" * 8 + "|")
    for r in rows:
        off, on = r["off"], r["on"]
        steps = f"{r['steps'][0]} to {r['steps'][-1]}"
        print(
            f"| {r['series']} | {steps} | {off['psnr']:.1f} | {on['psnr']:.1f} | "
            f"{on['psnr'] - off['psnr']:+.1f} | {to_target(off)} | {to_target(on)} | "
            f"{off['seconds'] / on['seconds']:.1f} |"
        )


def to_target(figures: dict[str, Any]) -> str:
    text = f"{figures['seconds']:.3f} ({figures['iterations']:.0f})"
    if figures["reached"] < TARGET - 0.005:
        text += f", not always: {figures['reached']:.1f} dB"
    return text


# ---- model compression


def compression(found: list[Series], seeds: list[int]) -> Iterator[dict[str, Any]]:
    """Trained to the last step and to a target, by codec: ratio, dB, seconds."""
    for series in found:
        block = partition(np.ascontiguousarray(series.volumes[0]))
        for target in (None, TARGET):
            row: dict[str, Any] = {"series": f"{series.name} {series.steps[0]}", "target": target}
            for codec in CODECS:
                runs = []
                for seed in seeds:
                    options = TrainingOptions(seed=seed)
                    config = FieldConfig(
                        model=HASH_GRID, training=options, psnr=target, compression=codec
                    )
                    field, seconds = train([block], config)
                    runs.append((field.summary.ratio, field.summary.psnr_db, seconds))
                medians = (statistics.median(run) for run in zip(*runs, strict=True))
                row[codec] = dict(zip(("ratio", "psnr", "seconds"), medians, strict=True))
            yield row
        progress(f"compression: {series.name}")


def print_compression(rows: list[dict[str, Any]]) -> None:
    print("\n| volume | trained to | ", end="")
    print(" | ".join(f"{codec}: ratio | dB | s" for codec in CODECS), "|")
    print("|---" * (2 + 3 * len(CODECS)) + "|")
    for r in rows:
        end = "the last step" if r["target"] is None else f"{r['target']:g} dB"
        cells = [
            f"{c['ratio']:.0f} | {c['psnr']:.2f} | {c['seconds']:.3f}" for c in map(r.get, CODECS)
        ]
        print(f"| {r['series']} | {end} | {' | '.join(cells)} |")


def progress(text: str) -> None:
    print(text, file=sys.stderr)


PARTS: dict[str, tuple[Callable[..., Iterator[dict[str, Any]]], Callable[..., None]]] = {
    "boundary": (boundary, print_boundary),
    "caching": (caching, print_caching),
    "compression": (compression, print_compression),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of volumes")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    given = volumes(arguments.data)
    made = cloverleaf(CELLS, CYCLES)
    results = {}
    for part in arguments.parts:
        measure, show = PARTS[part]
        # The example's steps are close together; the volumes of the folder are far apart.
        series = given + made if part == "caching" else given or made
        results[part] = list(measure(series, arguments.seeds))
        show(results[part])
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
