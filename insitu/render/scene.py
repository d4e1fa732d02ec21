"""A scene: volume pictures of one field at one or several steps, all alike but for the step.

In: a field at each step, what a plot and its renders ask for. Out: PNG files, written by rank 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from insitu.fields.distributed_field import DistributedField, Summary
from insitu.parallel import together
from insitu.render.camera import Camera
from insitu.render.histogram import histogram
from insitu.render.image import DARK, annotate, flatten, write_png
from insitu.render.march import Block
from insitu.render.transfer_function import TransferFunction
from insitu.render.volume import render_volume

DEFAULT_SIZE = 768


@dataclass(frozen=True, kw_only=True)
class View:
    """One render of a scene, in Ascent's words."""

    image_prefix: str
    """File name without ending; a %d pattern takes the cycle, which else is appended."""
    image_width: int = DEFAULT_SIZE
    image_height: int = DEFAULT_SIZE
    camera: Mapping[str, Any] | None = None
    bg_color: tuple[float, float, float] = DARK
    annotations: bool = True


def render_volume_scene(
    comm: MPI.Comm,
    steps: Sequence[DistributedField],
    views: Sequence[View],
    folder: Path,
    *,
    color_table: Mapping[str, Any] | None = None,
    min_value: float | None = None,
    max_value: float | None = None,
    samples: int | None = None,
) -> list[Path]:
    """Volume-render one field at every step, once per view -> the files, on all ranks. Collective.

    The transfer function is one for all steps: over the range of all of them, unless min_value or
    max_value say otherwise, and, where the colour table gives no opacity, fitted to the histogram
    of the last step. A vector field is shown by its magnitude. samples: along the diagonal of the
    domain; by default one per voxel.

    Raises RemoteError on every rank if one fails, ValueError for words not understood.
    """
    if not steps:
        return []
    domain = _domain(steps, min_value, max_value)
    transfer_function = TransferFunction.from_ascent(color_table, domain)
    if not transfer_function.opacity_given:
        counts, edges = histogram(comm, _blocks(comm, steps[-1]), domain)
        transfer_function = transfer_function.with_opacity_from_histogram(counts, edges)
    files = []
    for field in steps:
        blocks = _blocks(comm, field)
        for view in views:
            files.append(
                _render(comm, field.summary, blocks, view, folder, transfer_function, samples)
            )
    return files


def _render(
    comm: MPI.Comm,
    summary: Summary,
    blocks: Sequence[Block],
    view: View,
    folder: Path,
    transfer_function: TransferFunction,
    samples: int | None,
) -> Path:
    camera = Camera.from_ascent(view.camera, summary.bounds, view.image_width, view.image_height)
    diagonal = float(np.linalg.norm(summary.bounds[1] - summary.bounds[0]))
    spacing = None if samples is None else diagonal / samples
    image = render_volume(comm, blocks, camera, transfer_function, spacing=spacing)
    path = folder / f"{file_stem(view.image_prefix, summary.cycle)}.png"
    with together(comm, f"picture {path}"):
        if image is not None:
            pixels = flatten(image, view.bg_color, camera=camera, bounds=summary.bounds)
            if view.annotations:
                pixels = annotate(
                    pixels,
                    caption=f"cycle {summary.cycle}   time {summary.time:.4g}",
                    transfer_function=transfer_function,
                    label=summary.name,
                )
            write_png(path, pixels)
    return path


def file_stem(prefix: str, cycle: int) -> str:
    """`prefix` with the cycle in place of its %d pattern (as in "density_%04d"), else appended."""
    if re.search(r"%0?\d*d", prefix):
        return re.sub(r"%0?\d*d", lambda pattern: pattern.group() % cycle, prefix, count=1)
    return f"{prefix}_{cycle:06d}"


def _blocks(comm: MPI.Comm, field: DistributedField) -> list[Block]:
    """This rank's blocks, ready to be read. Collective: RemoteError on every rank if one fails."""
    blocks: list[Block] = []
    with together(comm, f"blocks of {field.summary.name}"):
        blocks = [Block.of(part) for part in field.fields]
    return blocks


def _domain(
    steps: Sequence[DistributedField], min_value: float | None, max_value: float | None
) -> tuple[float, float]:
    """Values that the colour table spans: of all steps, or as given."""
    ranges = np.stack([field.summary.range for field in steps])  # (steps, components, 2)
    if not np.isfinite(ranges).any():  # nothing but NaN: whatever the colours, nothing shows
        ranges = np.nan_to_num(ranges)
    if ranges.shape[1] == 1:
        lowest, highest = float(np.nanmin(ranges[..., 0])), float(np.nanmax(ranges[..., 1]))
    else:  # the magnitude is at most that of the largest components together
        lowest, highest = 0.0, float(np.linalg.norm(np.nanmax(np.abs(ranges), axis=(0, 2))))
    low = lowest if min_value is None else min_value
    high = highest if max_value is None else max_value
    if not low <= high:
        raise ValueError(f"plot: min_value {low} is above max_value {high}")
    return low, high
