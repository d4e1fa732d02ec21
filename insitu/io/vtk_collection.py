"""Reads the steps that a collection of VTK files (.pvd) lists: those of `vtk_series`, and others.

In: a collection, the name of an array and a step. Out: the array of that step's file.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from insitu.core.errors import ConfigError
from insitu.io import vtk
from insitu.io.vtk import VtkVolume


def names(path: Path) -> dict[str, str]:
    """The arrays of the first step's file -> "points" or "cells". Raises ConfigError."""
    return vtk.names(_files(path)[0])


def open_step(path: Path, dataset: str | None, step: int | None) -> VtkVolume:
    """The array at a step; negative ones count from the end. Raises ConfigError."""
    files = _files(path)
    n = len(files)
    if step is None:
        if n > 1:
            raise ConfigError([f"{path}: {n} steps; choose one: --step 0 to {n - 1}, or all"])
        step = 0
    if not -n <= step < n:
        raise ConfigError([f"{path}: no step {step}; there are 0 to {n - 1}"])
    volume = VtkVolume(files[step], dataset, None)
    volume.n_steps = n
    return volume


def _files(path: Path) -> list[Path]:
    """The file of each step, by time."""
    try:
        entries = list(ET.parse(path).iter("DataSet"))
        timed = [(float(entry.get("timestep", "0")), entry.get("file", "")) for entry in entries]
    except (ET.ParseError, ValueError) as error:
        raise ConfigError([f"{path}: not a complete .pvd file: {error}"]) from None
    if not timed:
        raise ConfigError([f"{path}: lists no file"])
    if len({time for time, _ in timed}) < len(timed):
        raise ConfigError([f"{path}: several files at one time; name one of them instead"])
    files = [path.parent / name for _, name in sorted(timed)]
    for file in files:
        if file.suffix.lower() not in vtk.SUFFIXES:
            readable = ", ".join(vtk.SUFFIXES)
            raise ConfigError([f"{path}: {file.name} is not a grid; expected {readable}"])
    return files
