"""How much of Ascent's vocabulary insitu understands, counted over Ascent's own action files.

In: a folder with Ascent's sources (or any folder of action files). Out: a table; with --refused,
what is left out of each file and why.

    python benchmarks/vocabulary.py FOLDER [--refused]

A file is understood if nothing of it is left out. Action files are all YAML and JSON files below
the folder that hold a list of actions; fields that no filter in the file makes count as published.
The words of the language are those of Ascent's documentation (October 2024); functions and colour
tables are read from its pages where the folder has them (`functions.json`, `*ColorTables.rst`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from insitu.actions.extract_models import EXTRACTS
from insitu.actions.filter_types import FILTERS
from insitu.ascent import requested
from insitu.config import FieldConfig, RunConfig, WindowConfig
from insitu.queries.functions import FUNCTIONS
from insitu.render.colors.color_tables import color_table
from insitu.render.picture.plots import PLOTS

WORDS: dict[str, tuple[tuple[str, ...], Collection[str]]] = {
    "filters": (
        (
            *("contour", "slice", "3slice", "auto_slice", "threshold", "clip", "clip_with_field"),
            *("isovolume", "gradient", "divergence", "vorticity", "qcriterion"),
            *("vector_magnitude", "vector_component", "composite_vector", "log", "log2", "log10"),
            *("recenter", "uniform_grid", "histsampling", "particle_advection", "streamline"),
            *("lagrangian", "transform", "scale", "project_2d", "triangulate", "clean_grid"),
            *("expression", "binning", "partition", "add_fields", "power_of_field", "noop"),
            *("ghost_stripper", "histogram", "statistics", "exaslice", "mir", "add_mpi_ranks"),
            *("add_domain_ids",),
        ),
        FILTERS,
    ),
    "extracts": (
        (
            *("python", "jupyter", "relay", "conduit", "flatten", "volume", "xray", "vtk"),
            *("statistics", "histogram", "cinema"),
        ),
        EXTRACTS,
    ),
    "plots": (("pseudocolor", "volume", "mesh"), PLOTS),
}
"""By kind: Ascent's words, and ours."""

_FIELD_KEYS = (
    *("field", "field1", "field2", "field3", "reduction_field", "b_field", "e_field"),
    *("absorption", "emission"),
)
_MADE_KEYS = ("output_name", "output_field")


def action_files(folder: Path) -> Iterator[tuple[Path, list[Any]]]:
    """All files below a folder that hold a list of actions, with their content."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".yaml", ".json")):
        try:
            text = path.read_text(encoding="utf-8")
            content = yaml.load(text, Loader=yaml.CSafeLoader) if "action" in text else None
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        is_list = isinstance(content, list) and bool(content)
        if is_list and all(isinstance(a, Mapping) and "action" in a for a in content):
            yield path, content


def left_out(path: Path, content: list[Any]) -> list[str]:
    """What insitu leaves out of a file, each with the reason; read beside the file's neighbours."""
    made = {value for key, value in _leaves(content) if key in _MADE_KEYS}
    named = [value for key, value in _leaves(content) if key in _FIELD_KEYS]
    expressions = " ".join(str(v) for k, v in _leaves(content) if k in ("expression", "condition"))
    named += re.findall(r"field\(\s*['\"]([^'\"]+)['\"]", expressions)
    fields = {str(name): FieldConfig() for name in named if name not in made}
    run = RunConfig(window=WindowConfig(every=1), fields=fields or {"braid": FieldConfig()})
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for beside in path.parent.iterdir():
            if beside.is_file():
                (Path(folder) / beside.name).symlink_to(beside.resolve())
        for key, value in _leaves(content):  # files that only exist where Ascent's tests ran
            if key in ("file", "actions_file") and not Path(folder, Path(value).name).exists():
                empty = "[]" if key == "actions_file" else ""
                Path(folder, Path(value).name).write_text(empty)
        os.chdir(folder)
        try:
            wanted = requested.in_our_words(_beside(content))
            return requested.understood(run, wanted)[1]
        finally:
            os.chdir(before)


def _beside(tree: Any) -> Any:
    """Files that are named with a folder, named without."""
    if isinstance(tree, Mapping):
        return {
            key: Path(value).name if key in ("file", "actions_file") else _beside(value)
            for key, value in tree.items()
        }
    return [_beside(value) for value in tree] if isinstance(tree, list) else tree


def _leaves(tree: Any) -> Iterator[tuple[str, str]]:
    """All texts of a tree, each with its key."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if isinstance(value, str):
                yield key, value
            elif key == "fields" and isinstance(value, list):
                yield from (("field", str(name)) for name in value)
            else:
                yield from _leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value)


def documented(folder: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Functions and colour tables of Ascent's documentation, and which of them are unknown."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for path in folder.rglob("functions.json"):
        names = list(json.loads(path.read_text(encoding="utf-8")))
        found["expression functions"] = names, [n for n in names if n not in FUNCTIONS]
    tables: list[str] = []
    for path in sorted(folder.rglob("*ColorTables.rst")):
        text = path.read_text(encoding="utf-8")
        tables += [m[1].strip() for m in re.finditer(r"^(.+)\n-{3,}\n", text, re.MULTILINE)]
    for path in folder.rglob("Scenes.rst"):
        line = re.search(r"built-in Color map names are: (.+)", path.read_text(encoding="utf-8"))
        tables += re.findall(r"``([^`]+)``", line[1]) if line else []
    tables = list(dict.fromkeys(tables))
    if tables:
        found["colour tables"] = tables, [name for name in tables if not _is_table(name)]
    return found


def _is_table(name: str) -> bool:
    try:
        color_table(name)
    except ValueError:
        return False
    return True


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--refused", action="store_true", help="say what is left out of files")
    given = options.parse_args()
    counts: dict[str, tuple[int, int]] = {}
    files = list(action_files(given.folder))
    if not files:
        sys.exit(f"{given.folder}: no files with lists of actions")
    refused = {path: left_out(path, content) for path, content in files}
    counts["action files"] = sum(not texts for texts in refused.values()), len(files)
    unknown: dict[str, list[str]] = {}
    for kind, (words, known) in WORDS.items():
        unknown[kind] = [word for word in words if word not in known]
        counts[kind] = len(words) - len(unknown[kind]), len(words)
    for kind, (names, strange) in documented(given.folder).items():
        unknown[kind] = strange
        counts[kind] = len(names) - len(strange), len(names)
    of_words = [pair for kind, pair in counts.items() if kind != "action files"]
    counts["all words"] = sum(k for k, _ in of_words), sum(n for _, n in of_words)
    print("| | understood | of | % |\n|---|---|---|---|")
    for kind, (known_count, total) in counts.items():
        print(f"| {kind} | {known_count} | {total} | {100 * known_count / total:.1f} |")
    for kind, words in unknown.items():
        if words:
            print(f"\nunknown {kind}: {', '.join(words)}")
    if given.refused:
        for path, texts in refused.items():
            if texts:
                print(f"\n{path.relative_to(given.folder)}")
                print("\n".join(f"    {text}" for text in texts))


if __name__ == "__main__":
    main()
