"""Bytes at equal quality: networks against ZFP, SZ3, SPERR and TTHRESH, on one core.

In: a folder of volumes (NAME_STEP.npz, an array `values`, axes z, y, x), or without one the
CloverLeaf example. Out: a table (Markdown), figures (JSON), a plot.

    python benchmarks/rate_distortion.py [--data FOLDER] [--volumes NAME ...] [--targets 30 40 ...]
        [--tables] [--peers-only] [--json FILE] [--plot FILE]

Ratio is bytes of the raw values over compressed bytes; of a network, its whole frame, header
included; of SPERR, the chunk without the HDF5 file. PSNR is against the range of the values, by
decoding those bytes. Peers get the tolerance whose PSNR is closest to the target from above
(`equal_quality`). `sparse grid` is what a run file with nothing but `psnr` keeps, `hash grid` what
one with `model: hash_grid` keeps; with --tables, `best table` is the smallest frame among tables of
2^8 to 2^18 entries, in steps of 4 times, that nobody knows in advance: its seconds are those of
that table alone. Seconds are CPU time, in (compress) and out (decompress the whole volume), of the
run that gave the bytes.

The peers and the plot need the extra `bench`; a peer that does not import is named as missing.
"""

from __future__ import annotations

# ruff: noqa: E402
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy starts its threads

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import zip_longest
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from compressors import NoResult, available
from equal_quality import Outcome, Tolerances
from mpi4py import MPI
from volumes import DATA, cloverleaf, partition, volumes

from insitu.config import FieldConfig, NetworkConfig
from insitu.metrics import psnr
from insitu.models.choice import ModelChoice
from insitu.training.distributed import train_fields

TARGETS = (30.0, 40.0, 50.0, 60.0)
TABLES = tuple(range(8, 19, 2))
CYCLE = 95
"""Of the example, where there is no data."""
ROUNDING_DB = 0.005
"""What decoding in the field's own precision may cost."""
BEYOND_DB = 0.5
"""More above the target than this is said in the table."""
OURS, BEST, SPARSE = "hash grid", "best table", "sparse grid"
HASH_GRID = ModelChoice("hash_grid")


def network(values: np.ndarray, target: float, table: int | None = None) -> Outcome:
    """`values` as a hash grid for a target of PSNR; table: log2 of its entries."""
    shape = NetworkConfig(log2_hashmap_size=table)
    outcome, field = compressed(values, FieldConfig(psnr=target, model=HASH_GRID, network=shape))
    size = field.model and field.model.log2_hashmap_size  # none for a constant
    return replace(outcome, setting=size)


def sparse_grid(values: np.ndarray, target: float) -> Outcome:
    """`values` as the product keeps them, a sparse grid, for a target of PSNR."""
    return compressed(values, FieldConfig(psnr=target))[0]


def compressed(values: np.ndarray, config: FieldConfig) -> tuple[Outcome, Any]:
    """`values` as the product keeps them, and the field as it is read."""
    recipe, block = config.recipe, partition(values)
    start = process_time()
    trained = train_fields(
        MPI.COMM_SELF, {"volume": [block]}, {"volume": recipe}, {}, cycle=0, time=0.0
    )
    (field,) = trained["volume"].fields
    packed = field.to_bytes()
    middle = process_time()
    read = type(field).from_bytes(packed)
    decoded = read.decode()
    end = process_time()
    return Outcome(len(packed), psnr(decoded, values), middle - start, end - middle, 0), read


def reached(outcome: Outcome, target: float) -> bool:
    return outcome.psnr >= target - ROUNDING_DB


def best_tables(values: np.ndarray, targets: list[float], limits: list[float]) -> Iterator[Outcome]:
    """The smallest frame over the tables, for targets in rising order.

    A higher target needs no smaller table, so each begins where the last one ended. A table that
    needs more bytes than the one before ends it, and so does one that takes more than the target's
    limit and misses it. Where no table reaches the target, the one that comes closest; where even
    the largest does not, higher targets are not tried any more.
    """
    first = 0
    for target, limit in zip(targets, limits, strict=True):
        best: tuple[int, Outcome] | None = None
        missed: list[Outcome] = []
        for i in range(first, len(TABLES)):
            outcome = network(values, target, TABLES[i])
            if not reached(outcome, target):
                missed.append(outcome)
                if outcome.nbytes > limit:
                    break
            elif best is None or outcome.nbytes < best[1].nbytes:
                best = i, outcome
            else:
                break
        if best is not None:
            first = best[0]
            yield best[1]
            continue
        yield max(missed, key=lambda outcome: outcome.psnr)
        if first + len(missed) == len(TABLES):
            return


def figures(outcome: Outcome, values: np.ndarray, target: float) -> dict[str, Any]:
    return asdict(outcome) | {
        "ratio": values.nbytes / outcome.nbytes,
        "reached": reached(outcome, target),
    }


def measure(values: np.ndarray, targets: list[float], ours: list[str]) -> list[dict[str, Any]]:
    """One row per target: by the compressor's name its figures, or why there are none. ours: which
    of `OURS`, `BEST` and `SPARSE`."""
    values = np.ascontiguousarray(values)
    rows: list[dict[str, Any]] = [{"target": target} for target in targets]
    limits: list[float] = []
    if OURS in ours:
        for row in rows:
            outcome = network(values, row["target"])
            row[OURS] = figures(outcome, values, row["target"])
            limits.append(outcome.nbytes if reached(outcome, row["target"]) else math.inf)
    if BEST in ours:
        last: dict[str, Any] = {}
        for row, best in zip_longest(rows, best_tables(values, targets, limits)):
            # Beyond the first target that no table reaches, what came closest to that one stands.
            if best is not None:
                last = figures(best, values, row["target"])
            row[BEST] = last
    for row in rows:
        row[SPARSE] = figures(sparse_grid(values, row["target"]), values, row["target"])
    for compressor in available()[0]:
        tolerances = Tolerances(compressor, values)
        for row in rows:
            try:
                outcome = tolerances.reach(row["target"])
            except NoResult as error:
                row[compressor.name] = {"reached": False, "no result": str(error)}
                continue
            if outcome is None:
                closest = max(tolerances.trials, key=lambda trial: trial.psnr)
                row[compressor.name] = figures(closest, values, row["target"])
            else:
                row[compressor.name] = figures(outcome, values, row["target"])
    return rows


def ratio(given: dict[str, Any] | None, target: float, best: float) -> str:
    if given is None:
        return "missing"
    if "no result" in given:
        return "no result"
    if not given["reached"]:
        return f"not reached: {given['psnr']:.1f} dB"
    text = f"{given['ratio']:.3g}" if given["ratio"] < 1000 else f"{given['ratio']:.0f}"
    if given["ratio"] == best:
        text = f"**{text}**"
    return text + (f" ({given['psnr']:.1f} dB)" if given["psnr"] > target + BEYOND_DB else "")


def seconds(given: dict[str, Any] | None) -> str:
    if given is None or "no result" in given:
        return "-"
    return f"{given['encode_seconds']:.3f} / {given['decode_seconds']:.3f}"


def print_table(rows: list[dict[str, Any]], names: list[str], timed: list[str]) -> None:
    """Ratios, in bold the best of what one gets without a sweep; then seconds in / out."""
    times = " | ".join(f"{name}, s in / out" for name in timed)
    print(f"\n| volume | dB | {' | '.join(names)} | {times} |")
    print("|---" * (2 + len(names) + len(timed)) + "|")
    for row in rows:
        target = row["target"]
        given = {name: row.get(name) for name in names}
        best = max(
            (g["ratio"] for name, g in given.items() if g and g["reached"] and name != BEST),
            default=0.0,
        )
        cells = [ratio(g, target, best) for g in given.values()]
        if BEST in names and (chosen := row[BEST])["reached"]:
            cells[names.index(BEST)] += f", 2^{chosen['setting']:.0f}"
        cells += [seconds(row.get(name)) for name in timed]
        print(f"| {row['volume']} | {target:g} | {' | '.join(cells)} |")


def plot(path: Path, rows: list[dict[str, Any]], names: list[str]) -> None:
    """Ratio over PSNR, one small picture per volume, one line per compressor."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    titles = list(dict.fromkeys(row["volume"] for row in rows))
    columns = min(4, len(titles))
    lines = -(-len(titles) // columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(3 * columns, 2.4 * lines + 0.4), sharex=True, sharey=True,
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for panel in axes.flat[len(titles) :]:
        panel.set_visible(False)
    for panel, title in zip(axes.flat, titles, strict=False):
        for i, compressor in enumerate(names):
            points = [row[compressor] for row in rows if row["volume"] == title]
            points = sorted((p["psnr"], p["ratio"]) for p in points if p["reached"])
            style = {"lw": 2.2} if compressor == SPARSE else {"lw": 1.2}
            panel.plot(
                [p[0] for p in points], [p[1] for p in points], marker="o", ms=3, color=f"C{i}",
                label=compressor, ls="--" if compressor == BEST else "-", **style,
            )  # fmt: skip
        panel.set_title(title, fontsize=8)
        panel.set_yscale("log")
        panel.grid(alpha=0.3)
        panel.tick_params(labelsize=7, labelbottom=True)
    figure.supxlabel("PSNR (dB)", fontsize=9)
    figure.supylabel("compression ratio", fontsize=9)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(names), fontsize=8)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of volumes")
    parser.add_argument("--volumes", nargs="+", default=[""], help="those with this in their name")
    parser.add_argument("--targets", type=float, nargs="+", default=TARGETS, help="dB")
    parser.add_argument("--cells", type=int, default=96, help="of CloverLeaf, where no data is")
    parser.add_argument("--tables", action="store_true", help="also the best of all tables")
    parser.add_argument("--peers-only", action="store_true", help="without the hash grids")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--plot", type=Path, help="write a picture (svg, png) to this file")
    arguments = parser.parse_args()

    compressors, missing = available()
    for peer, reason in missing.items():
        print(f"missing: {peer} ({reason})", file=sys.stderr)
    found = volumes(arguments.data) or cloverleaf(arguments.cells, (CYCLE,))
    chosen = [
        (f"{series.name} {step}", values)
        for series in found
        for step, values in zip(series.steps, series.volumes, strict=True)
        if any(part in f"{series.name}_{step}" for part in arguments.volumes)
    ]
    if not chosen:
        parser.error(f"--volumes: none of {', '.join(s.name for s in found)} matches")
    networks = [] if arguments.peers_only else [OURS, BEST] if arguments.tables else [OURS]
    ours = [SPARSE, *networks]
    rows: list[dict[str, Any]] = []
    for i, (title, values) in enumerate(chosen):
        start = process_time()
        measured = measure(values, sorted(arguments.targets), ours)
        rows += [{"volume": title, "shape": list(values.shape)} | row for row in measured]
        spent = process_time() - start
        print(f"{i + 1}/{len(chosen)} {title}: {spent:.0f} s of CPU time", file=sys.stderr)
        if arguments.json:  # as far as it has come
            aside = arguments.json.with_suffix(".part")
            aside.write_text(json.dumps({"missing": missing, "rows": rows}, indent=1))
            aside.replace(arguments.json)
    names = ours + [compressor.name for compressor in compressors]
    timed = ours + [compressor.name for compressor in compressors if compressor.native]
    print_table(rows, names + list(missing), timed)
    for peer, reason in missing.items():
        print(f"\n{peer} is missing: {reason}")
    if arguments.plot:
        plot(arguments.plot, rows, names)


if __name__ == "__main__":
    main()
