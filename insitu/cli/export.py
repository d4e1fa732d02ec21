"""insitu export: a record as one HTML file, which shows it without anything else.

In: a record or an insitu file, which fields and steps of it. Out: an HTML file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from insitu.cli import output, record_source
from insitu.core.errors import ConfigError, nearest
from insitu.core.limits import byte_size

SUMMARY = "one HTML file that shows a record in any browser"
DESCRIPTION = (
    "Write one HTML file that shows the fields of a record or an insitu file in any current "
    "browser, without a server and without the network: volumes, isosurfaces, slices, over all "
    "steps. The file has the models, not pixels; the browser decodes them."
)
COLLECTIVE = False
EXAMPLES = """\
examples:
  insitu export out/record --html blast.html
  insitu export out/record --html blast.html --fields density,energy --steps 4..9
  insitu export out/record --html blast.html --lines out/paths_0092.vtp
  insitu export density.insitu --html density.html

For records too large for one file: insitu view RECORD.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="RECORD", help="the record folder of a run, or an insitu file"
    )
    parser.add_argument("--html", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--fields", metavar="NAME,..", help="only these fields, separated by commas; default: all"
    )
    parser.add_argument(
        "--steps",
        default="all",
        metavar="N|A..B|all",
        help="steps by index, negative from the end; default: all",
    )
    parser.add_argument(
        "--lines",
        nargs="*",
        metavar="FILE",
        help="pathlines, as relay extracts write them (.vtp, .pvtp); default: all such files "
        "beside RECORD; without a FILE: none",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")


def run(arguments: argparse.Namespace) -> bool:
    """Returns True. Raises ConfigError or FrameError for bad input."""
    from insitu.core.atomic_file import atomic_file
    from insitu.viewer import lines_pack, session_plots
    from insitu.viewer.page import embedded
    from insitu.viewer.source import SeriesSource, open_series

    series, title, units = open_series(record_source.open_file(arguments.input), arguments.input)
    names = chosen_fields(arguments.fields, series.names)
    n_steps = max(len(series.entries(name)) for name in names)
    steps = record_source.chosen_steps(arguments.steps, n_steps, "--steps", arguments.input)
    out = Path(arguments.html)
    if not out.parent.is_dir():
        raise ConfigError([f"--html: {out.parent}: no such folder"])
    if out.is_dir():
        raise ConfigError([f"--html: {out} is a folder; give the file to write"])
    plots = session_plots.read(Path(arguments.input).absolute().parent / "ascent_session.yaml")
    lines = lines_pack.beside(Path(arguments.input))
    if arguments.lines is not None:
        try:
            lines = lines_pack.read(map(Path, arguments.lines))
        except (OSError, ValueError) as error:
            raise ConfigError([f"--lines: {error}"]) from None
    source = SeriesSource(series, title, units, fields=names, steps=steps, plots=plots, lines=lines)
    text = embedded(source).encode()
    with atomic_file(out) as temporary:
        temporary.write_bytes(text)
    figures = {"output": str(out), "bytes": len(text), "fields": names, "steps": len(steps)}
    if arguments.json:
        output.print_json(figures)
    else:
        rows = {"fields": ", ".join(names), "steps": str(len(steps)), "size": byte_size(len(text))}
        output.print_table(str(out), rows)
    return True


def chosen_fields(text: str | None, names: list[str]) -> list[str]:
    """Names separated by commas, or all; ConfigError for an unknown one."""
    if not names:
        raise ConfigError(["no field has a step: nothing was recorded"])
    if text is None:
        return names
    chosen = [name.strip() for name in text.split(",") if name.strip()]
    for name in chosen:
        if name not in names:
            hint = nearest(name, names) or f" (there are {', '.join(names)})"
            raise ConfigError([f"--fields: no field {name!r}{hint}"])
    if not chosen:
        raise ConfigError([f"--fields: {text!r} names none of {', '.join(names)}"])
    return chosen
