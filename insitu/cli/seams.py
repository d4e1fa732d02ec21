"""The table of `insitu info --seams`: where values jump from block to block.

In: the blocks of a field. Out: a table, or figures for JSON, face by face.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insitu.cli import output
from insitu.fields.block_field import BlockField
from insitu.fields.seams import FaceJump, jumps

# Parts of the range that rounding of float32 makes.
_ROUNDING = 1e-6
_MOST_ROWS = 40


def figures(blocks: Sequence[BlockField], extent: float) -> list[dict[str, Any]]:
    """Of every common face: blocks, axis, whether it conforms, largest and root mean square jump,
    as parts of the range; those that jump most first. extent: of the whole field."""
    unit = extent if extent > 0 else 1.0
    rows = [_row(jump, unit) for jump in jumps(blocks)]
    return sorted(rows, key=lambda row: -row["max_of_range"])


def _row(jump: FaceJump, unit: float) -> dict[str, Any]:
    errors = jump.errors
    return {
        "blocks": [jump.low, jump.high],
        "axis": "xyz"[jump.axis],
        "conforms": jump.conforms,
        "max_of_range": errors.max_error / unit if errors.n else 0.0,
        "rms_of_range": errors.root_mean_square / unit if errors.n else 0.0,
    }


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print the faces that jump, and how many do not."""
    found = {}
    there = [row for row in rows if not row["max_of_range"] <= _ROUNDING]
    for row in there[:_MOST_ROWS]:
        low, high = row["blocks"]
        text = f"{row['max_of_range']:.2%} of the range at most, {row['rms_of_range']:.3%} rms"
        text += "" if row["conforms"] else "; the blocks meet in a T"
        found[f"{low} | {high} along {row['axis']}"] = text
    if len(there) > _MOST_ROWS:
        found["..."] = f"{len(there) - _MOST_ROWS} more faces jump less"
    found["no jump"] = f"{len(rows) - len(there)} of {len(rows)} faces"
    output.print_table(title, found)
