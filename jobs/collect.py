"""Collects the runs of scaling series into a table and a plot.

In: the folder of JSON lines that the jobs wrote. Out: Markdown tables; a picture with --plot.

    python jobs/collect.py out/scaling [--by cpu_seconds] [--plot out/scaling.svg]

Efficiency counts from the fewest ranks of a series: weak, the time there over the time here;
strong, that by the factor of ranks. By wall-clock time or, where ranks share cores, by the CPU time
of the slowest rank without what it spends in MPI.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TIMES = ("seconds", "cpu_seconds")


def read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The runs of every series, by ranks. Raises ValueError naming what is no run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            run = json.loads(path.read_text())
            found.setdefault(run["series"], []).append(run)
        except (ValueError, KeyError, TypeError) as error:
            text = f"{path}: not a run of benchmarks/scaling_run.py ({error!r})"
            raise ValueError(text) from None
    if not found:
        raise ValueError(f"{folder}: no *.json of benchmarks/scaling_run.py; did the jobs end?")
    return {name: sorted(runs, key=lambda run: run["ranks"]) for name, runs in found.items()}


def efficiency(series: str, runs: Sequence[Mapping[str, Any]], by: str) -> list[float]:
    """Of the warm steps of each run, 1 for the first."""
    first = runs[0]
    factors = [run["ranks"] / first["ranks"] if series == "strong" else 1.0 for run in runs]
    return [
        first["warm"][by] / (run["warm"][by] * factor)
        for run, factor in zip(runs, factors, strict=True)
    ]


def table(series: str, runs: Sequence[Mapping[str, Any]], by: str) -> str:
    """A line per run, in Markdown."""
    lines = [
        f"{series.capitalize()} scaling; efficiency by {by.replace('_', ' ')} of warm steps",
        "",
        "| nodes | ranks | threads | gpu | grid | s cold | s warm | CPU s warm | efficiency | PSNR "
        "| ratio | bytes sent per rank and step |",
        "|" + "---|" * 12,
    ]
    for run, share in zip(runs, efficiency(series, runs, by), strict=True):
        cold, warm = run["cold"], run["warm"]
        cells = [
            run["nodes"],
            run["ranks"],
            run["threads"],
            run.get("gpu") or "none",
            " x ".join(map(str, run["grid"])),
            *(f"{s:.3f}" for s in (cold["seconds"], warm["seconds"], warm["cpu_seconds"])),
            f"{share:.2f}",
            f"{warm['psnr_db']:.1f} dB",
            f"{warm['ratio']:.0f}",
            f"{warm['communicated_bytes_per_rank']:.0f}",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def plot(series: Mapping[str, Sequence[Mapping[str, Any]]], by: str, path: Path) -> None:
    """Seconds of a step over ranks, cold and warm, with what perfect scaling would take."""
    from matplotlib.figure import Figure  # of the extra `bench`

    figure = Figure(figsize=(4.5 * len(series), 3.6), layout="constrained")
    for axes, (name, runs) in zip(
        figure.subplots(1, len(series), squeeze=False)[0], series.items(), strict=True
    ):
        ranks = [run["ranks"] for run in runs]
        for start, marker in (("cold", "o"), ("warm", "s")):
            axes.plot(ranks, [run[start][by] for run in runs], marker=marker, label=start)
        ideal = [runs[0]["warm"][by] * (ranks[0] / n if name == "strong" else 1.0) for n in ranks]
        axes.plot(ranks, ideal, color="gray", linestyle=":", label="ideal, warm")
        axes.set(title=f"{name} scaling", xlabel="ranks", ylabel=by.replace("_", " "))
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(ranks, [str(n) for n in ranks])
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0, or 2 where there is nothing to collect."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out/scaling"))
    parser.add_argument("--by", choices=TIMES, default=TIMES[0])
    parser.add_argument("--plot", type=Path, help="picture; the format by its suffix")
    arguments = parser.parse_args(argv)
    try:
        series = read(arguments.folder)
    except ValueError as error:
        print(f"collect: {error}", file=sys.stderr)
        return 2
    print("\n\n".join(table(name, runs, arguments.by) for name, runs in series.items()))
    if arguments.plot:
        try:
            plot(series, arguments.by, arguments.plot)
        except ModuleNotFoundError:
            print("collect: --plot needs matplotlib: pip install '.[bench]'", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
