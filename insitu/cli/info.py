"""insitu info: the contents of a file, without decoding anything; the available engines.

In: an insitu file, a run's record, or a file of arrays. Out: a table or JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from insitu.cli import output, seams
from insitu.core.errors import ConfigError
from insitu.core.limits import byte_size
from insitu.core.text import printable
from insitu.engines.listing import EngineEntry, list_engines
from insitu.io import sources
from insitu.io.compressed_array import CompressedArray
from insitu.models import registry
from insitu.session.report import decibels, times
from insitu.store.record import Record, open_record

SUMMARY = "show what a file contains, or list the engines"
DESCRIPTION = (
    "Show what an insitu file, a record or a file of arrays contains; or which engines are "
    "available, and which one is used."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu info density.insitu
  insitu info out/cloverleaf/record --field density
  insitu info run.h5              (the arrays that compress could take)
  insitu info out/cloverleaf/record --field density --step -1 --seams  (jumps between blocks)
  insitu info --engines           (what computes here)
  insitu info --engines run.yaml  (the same, as this run file chooses)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="IN", nargs="?", help="an insitu file, a record folder, or arrays"
    )
    parser.add_argument(
        "--engines",
        action="store_true",
        help="list the engines; with a run file as IN, also the one it selects",
    )
    parser.add_argument("--field", metavar="NAME", help="field of a record; default: all")
    parser.add_argument("--step", type=int, metavar="N", help="step of a record; default: all")
    parser.add_argument(
        "--seams",
        action="store_true",
        help="how far values jump from block to block, face by face; of a record, at a step of a "
        "field (default: the first field, the last step)",
    )
    output.add_json_option(parser)


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Not collective."""
    if arguments.engines:
        _engines(arguments.input, arguments.json)
        return True
    if arguments.input is None:
        raise ConfigError(["expected a file, a folder, or --engines"])
    path, _ = sources.split_name(arguments.input)
    if arguments.seams:
        _seams(path, arguments)
        return True
    if sources.is_record(path):
        _record(path, arguments)
    elif path.is_dir():
        raise ConfigError([f"{path}: not a record of a run"])
    elif sources.is_compressed(path):
        _compressed(path, arguments.json)
    else:
        _arrays(path, arguments.json)
    return True


def _engines(run_file: str | None, as_json: bool) -> None:
    wanted = None if run_file is None else _engine_of(Path(run_file))
    try:
        entries = list_engines([registry.make(kind, {}) for kind in registry.names()], wanted)
    except (ValueError, ImportError) as error:
        raise ConfigError([str(error)]) from None
    if as_json:
        output.print_json({"kind": "engines", "engines": [asdict(entry) for entry in entries]})
        return
    output.print_table("engines", {entry.name: _about(entry) for entry in entries})


def _engine_of(path: Path) -> str | None:
    """The engine that a run file selects."""
    import yaml

    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError([f"{path}: expected a run file: {error}"]) from None
    if not isinstance(settings, dict):
        raise ConfigError([f"{path}: expected a run file, a mapping of keys"])
    wanted = settings.get("engine")
    return None if wanted is None else str(wanted)


def _about(entry: EngineEntry) -> str:
    if entry.problem:
        return f"cannot be loaded: {entry.problem}"
    lines = [entry.device, f"models: {', '.join(entry.models) or 'none'}"]
    if entry.draws:
        lines[-1] += "; draws"
    if entry.chosen:
        lines.append(f"used: {entry.chosen}")
    if entry.name == "cpu":
        from insitu.engines import describe

        lines += str(describe()).splitlines()
    return "\n".join(lines)


def _compressed(path: Path, as_json: bool) -> None:
    array = CompressedArray.open(path)
    low, high = array.bounds
    metrics = array.metrics
    if as_json:
        output.print_json(
            {
                "kind": "compressed array",
                "name": array.name,
                "shape": array.shape,
                "dtype": array.dtype.name,
                "association": array.association,
                "bounds": [low.tolist(), high.tolist()],
                "range": array.range,
                "psnr_db": array.psnr_db,
                "max_error": metrics.max_error,
                "raw_nbytes": array.raw_nbytes,
                "nbytes": array.nbytes,
                "ratio": array.ratio,
                "blocks": len(array.header.blocks),
                "nan_count": metrics.nan_count,
                "inf_count": metrics.inf_count,
            }
        )
        return
    box = " x ".join(f"[{a:g}, {b:g}]" for a, b in zip(low, high, strict=True))
    rows = {
        "array": f"{array.name}, {output.extent_text(array.shape, array.dtype)}",
        "samples": "at grid nodes" if array.association == "vertex" else "in cells",
        "box, x y z": box,
        "range": f"{array.range[0]:g} to {array.range[1]:g}",
        "quality": decibels(array.psnr_db),
        "largest error": output.number_text(metrics.max_error),
        "size": output.size_text(array.nbytes, array.ratio),
        "blocks": str(len(array.header.blocks)),
    }
    if metrics.nan_count or metrics.inf_count:
        rows["NaN, Inf"] = f"{metrics.nan_count}, {metrics.inf_count} samples"
    output.print_table(str(path), rows)


def _seams(path: Path, arguments: argparse.Namespace) -> None:
    """Raises ConfigError for what has no blocks."""
    if sources.is_record(path):
        record = open_record(path)
        name = arguments.field or next(iter(record.fields), "")
        _listed(path, record, name)
        step = -1 if arguments.step is None else arguments.step
        _entry(path, record, name, step)
        field = record[name][step]
        title, blocks = f"{path}: {name}, cycle {field.summary.cycle}", list(field.fields)
        extent = float(field.summary.extents.max())
    elif sources.is_compressed(path):
        array = CompressedArray.open(path)
        title, blocks = str(path), list(array.fields())
        extent = array.range[1] - array.range[0]
    else:
        raise ConfigError([f"{path}: expected a record or an insitu file, which have blocks"])
    rows = seams.figures(blocks, extent)
    if arguments.json:
        output.print_json({"kind": "seams", "faces": rows})
    else:
        seams.show(f"{title}: jumps at faces of blocks", rows)


def _listed(path: Path, record: Record, name: str) -> None:
    """Raises ConfigError for a field that is not there."""
    names = record.fields
    if name not in names:
        raise ConfigError([f"{path}: no field {name!r}; there are {', '.join(names)}"])


def _entry(path: Path, record: Record, name: str, step: int) -> dict[str, Any]:
    """A field's step. Raises ConfigError where there is none of this number."""
    entries = record.steps[name]
    if not -len(entries) <= step < len(entries):
        raise ConfigError([f"{path}: no step {step}; {name} has {len(entries)} steps"])
    return entries[step]


def _record(path: Path, arguments: argparse.Namespace) -> None:
    record = open_record(path)
    names = record.fields
    if arguments.field is not None:
        _listed(path, record, arguments.field)
        names = [arguments.field]
    steps: dict[str, list[dict[str, Any]]] = {name: record.steps[name] for name in names}
    if arguments.step is not None:
        steps = {name: [_entry(path, record, name, arguments.step)] for name in names}
    if arguments.json:
        output.print_json({"kind": "record", "n_ranks": record.n_ranks, "fields": steps})
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{path}, ranks: {record.n_ranks}", title_justify="left")
    table.add_column("field")
    heads = ["cycle", "time", "blocks", "quality", "size", "ratio"]
    told = {key for entries in steps.values() for at in entries for key in at}
    fidelity = {head: one for head, one in _FIDELITY.items() if one[0] in told}
    for head in [*heads, *fidelity]:
        table.add_column(head, justify="right")
    for name, entries in steps.items():
        for at in entries:
            quality = "exact" if at["psnr_db"] is None else decibels(at["psnr_db"])
            figures = (
                str(at["cycle"]),
                output.number_text(at["time"]),
                str(at["n_blocks"]),
                quality,
                byte_size(at["nbytes"]),
                times(at["ratio"]),
            )
            found = (text(at[key]) if key in at else "" for key, text in fidelity.values())
            table.add_row(Text(printable(name)), *figures, *found)
    output.console().print(table)


_FIDELITY: dict[str, tuple[str, Callable[[float], str]]] = {
    "max error": ("max_error_of_range", "{:.2%}".format),
    "gradient": ("gradient_db", decibels),
    "normals": ("normals_deg", "{:.1f} deg".format),
}
"""Column -> what the manifest may tell of a step, and as which text."""


def _arrays(path: Path, as_json: bool) -> None:
    found = sources.datasets(path)
    if as_json:
        output.print_json({"kind": "arrays", "arrays": found})
    else:
        output.print_table(f"{path}: arrays to choose from", found or {"none": ""})
