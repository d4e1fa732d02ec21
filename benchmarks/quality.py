"""Time to quality on one core: seconds and steps until a volume is kept at 30, 35, 40 and 45 dB.

In: volumes; each is one partition on one rank. Out: tables (Markdown), figures (JSON), a plot.

    python benchmarks/quality.py [--data FOLDER] [--json FILE] [--plot FILE] [--seeds 0 1 2]

`psnr` is the user's way: a target, with the defaults of `training.options`; cold, and warm from
the step before, which was trained to the same target. `ladder` is what no user can know in
advance: the shortest schedule, each rung 1.25 times as long, whose end reaches the target.

Seconds are CPU time of training (median over the seeds; weights kept in half precision, so that no
codec takes part) without measuring the quality, which takes
about as long as is said and is done once or twice. CloverLeaf is run as well: without the data, and
for steps as close as they are in situ. The plot needs matplotlib (the extra `bench`).
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from volumes import DATA, Series, cloverleaf, partition, volumes

from insitu.codecs.options import Compression
from insitu.fields.model_field import ModelField
from insitu.models.hash_grid.model import HashGrid
from insitu.training import trial
from insitu.training.job import TrainingJob
from insitu.training.options import Target, TrainingOptions
from insitu.training.train import train

TARGETS = (30.0, 35.0, 40.0, 45.0)
WAYS = ("cold", "warm")
LARGE = 14
"""log2 of the table where the default one does not reach a target."""


@dataclass(frozen=True)
class Run:
    """What one training came to."""

    field: ModelField
    psnr: float
    steps: int
    seconds: float
    measuring: float


class Measuring:
    """CPU seconds spent in measuring quality, which is not training."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._measure = trial.measure
        trial.measure = self

    def __call__(self, *arguments: Any) -> Any:
        start = process_time()
        errors = self._measure(*arguments)
        self.seconds += process_time() - start
        return errors


measuring = Measuring()


def run(
    volume: np.ndarray, target: Target, seed: int, large: bool, before: ModelField | None = None
) -> Run:
    """One training of `volume` (nz, ny, nx) as the product does it."""
    block = partition(volume)
    usual = HashGrid().for_domain(volume.size)
    network = replace(usual, log2_hashmap_size=LARGE) if large else usual
    measured, start = measuring.seconds, process_time()
    field = train(
        TrainingJob.of(
            block,
            network,
            options=TrainingOptions(seed=seed),
            target=target,
            previous=before,
            compression=Compression(compression="half"),
        )
    )
    seconds, measured = process_time() - start, measuring.seconds - measured
    psnr = field.metrics.psnr_db([float(np.ptp(volume))])
    return Run(field, psnr, field.metrics.iterations, seconds - measured, measured)


def median(runs: list[Run], target: float) -> dict[str, Any]:
    return {
        "seconds": statistics.median(r.seconds for r in runs),
        "steps": statistics.median(r.steps for r in runs),
        "psnr": statistics.median(r.psnr for r in runs),
        "measuring": statistics.median(r.measuring for r in runs),
        "reached": statistics.median(r.psnr for r in runs) >= target,
    }


def to_target(series: Series, psnr: float, seeds: list[int], large: bool) -> list[dict[str, Any]]:
    """Cold and warm figures of every step of a series, warm from the cold step before."""
    cold: list[list[Run]] = []
    rows = []
    for i, volume in enumerate(series.volumes):
        row: dict[str, Any] = {"series": series.name, "step": series.steps[i], "target": psnr}
        row |= {"table": LARGE if large else None, "shape": list(volume.shape)}
        cold.append([run(volume, Target(psnr=psnr), seed, large) for seed in seeds])
        row["cold"] = median(cold[i], psnr)
        if i:
            warm = [
                run(volume, Target(psnr=psnr), seed, large, before.field)
                for seed, before in zip(seeds, cold[i - 1], strict=True)
            ]
            row["warm"] = median(warm, psnr) | {"used": all(r.field.metrics.warm for r in warm)}
        rows.append(row)
    return rows


def ladder(volume: np.ndarray, seeds: list[int], large: bool) -> Iterator[dict[str, Any]]:
    """The end of each schedule, until the highest target or the default's length is reached."""
    steps, last = 16, TrainingOptions().iterations(volume.size)
    while steps <= last:
        rung = median([run(volume, Target(iterations=steps), s, large) for s in seeds], TARGETS[-1])
        yield rung
        if rung["reached"]:
            return
        steps = int(np.ceil(steps * 1.25))


def cell(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return "-"
    if not figures["reached"]:
        return f"not reached: {figures['psnr']:.1f} dB"
    return f"{figures['seconds']:.3f} ({figures['steps']:.0f})"


def print_targets(rows: list[dict[str, Any]]) -> None:
    """One line per volume and table, cold / warm for each target; warm's gain at the end."""
    heads = " | ".join(f"{t:g} dB cold | warm" for t in TARGETS)
    print(f"\n| volume | {heads} | cold / warm at {TARGETS[2]:g} dB |")
    print("|---" * (2 * len(TARGETS) + 2) + "|")
    for key in dict.fromkeys((r["series"], r["step"], r["table"]) for r in rows):
        mine = {r["target"]: r for r in rows if (r["series"], r["step"], r["table"]) == key}
        cells = [cell(mine[t].get(w)) if t in mine else "" for t in TARGETS for w in WAYS]
        gain = ""
        if (at := mine.get(TARGETS[2])) and "warm" in at and at["warm"]["reached"]:
            gain = f"{at['cold']['seconds'] / at['warm']['seconds']:.1f}"
        label = f"{key[0]} {key[1]}" + (f", table 2^{key[2]}" if key[2] else "")
        print(f"| {label} | " + " | ".join(cells) + f" | {gain} |")


def print_ladders(ladders: dict[str, list[dict[str, Any]]], rows: list[dict[str, Any]]) -> None:
    print("\n| volume | " + " | ".join(f"{t:g} dB ladder | psnr" for t in TARGETS) + " |")
    print("|---" * (2 * len(TARGETS) + 1) + "|")
    for name, rungs in ladders.items():
        cells = []
        for target in TARGETS:
            best = next((r for r in rungs if r["psnr"] >= target), None)
            cells.append(cell(best and best | {"reached": True}))
            cells += [
                cell(r["cold"])
                for r in rows
                if f"{r['series']} {r['step']}" == name and r["target"] == target and not r["table"]
            ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def plot(path: Path, ladders: dict[str, list[dict[str, Any]]], rows: list[dict[str, Any]]) -> None:
    """dB over seconds: the ladders as lines, `psnr` cold (filled) and warm (hollow) as dots."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for i, (name, rungs) in enumerate(ladders.items()):
        color = f"C{i}"
        series = name.rpartition(" ")[0]
        seconds, decibel = [r["seconds"] for r in rungs], [r["psnr"] for r in rungs]
        axes.plot(seconds, decibel, color=color, lw=1, label=f"{name}, ladder")
        for way, face in (("cold", color), ("warm", "white")):
            points = [
                r[way]
                for r in rows
                if r["series"] == series and not r["table"] and way in r and r[way]["reached"]
            ]
            axes.plot(
                [p["seconds"] for p in points], [p["psnr"] for p in points], "o", color=color,
                markerfacecolor=face, label=f"{series}, {way}",
            )  # fmt: skip
    axes.set(xscale="log", xlabel="CPU seconds of training, one core", ylabel="PSNR (dB)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cells", type=int, default=96, help="of CloverLeaf, per axis")
    parser.add_argument(
        "--cycles", type=int, nargs="+", default=[95, 96, 100], help="of CloverLeaf that are kept"
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="write a picture (png, svg) to this file")
    arguments = parser.parse_args()

    given = volumes(arguments.data)
    made = cloverleaf(arguments.cells, tuple(arguments.cycles))
    rows, ladders = [], {}
    for series in given + made:
        for large in (False, True):
            for target in TARGETS:
                short = [r for r in rows if r["series"] == series.name and r["target"] == target]
                if large and all(r["cold"]["reached"] for r in short):
                    continue
                rows += to_target(series, target, arguments.seeds, large)
    for series in given or made:
        if series.name.startswith(("tgv_vely", "tgv_velz")):
            continue  # like the component along x
        rungs = ladder(series.volumes[0], arguments.seeds[:1], False)
        ladders[f"{series.name} {series.steps[0]}"] = list(rungs)

    options = TrainingOptions()
    print(f"batch {options.batch}; seconds (steps), medians of {len(arguments.seeds)} seeds")
    print_targets(rows)
    print_ladders(ladders, rows)
    print("\nMeasuring the quality, seconds per training beside these:")
    for series in given + made:
        mine = [r["cold"]["measuring"] for r in rows if r["series"] == series.name]
        print(f"  {series.name} {series.volumes[0].shape}: {statistics.median(mine):.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"targets": rows, "ladders": ladders}, indent=1))
    if arguments.plot:
        plot(arguments.plot, ladders, rows)


if __name__ == "__main__":
    main()
