"""Surfaces as binary PLY (Stanford polygon format), which most mesh tools read.

In: a surface. Out: the bytes of a file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.core.geometry import Surface

_TYPES = {"f4": "float", "f8": "double", "i4": "int"}


def ply(surface: Surface) -> bytes:
    """The file: vertices x y z, normals nx ny nz, values by name, and triangles.

    Components of vectors are called name_0, name_1, and so on. Numbers keep their precision.
    Blanks in names become underscores, because PLY allows no blanks.
    """
    columns: list[tuple[str, NDArray[Any]]] = list(zip("xyz", surface.points.T, strict=True))
    if surface.normals is not None:
        columns += zip(("nx", "ny", "nz"), surface.normals.T, strict=True)
    for name, values in surface.values.items():
        word = "_".join(name.split())
        if values.ndim == 1:
            columns.append((word, values))
        else:
            columns += [(f"{word}_{i}", column) for i, column in enumerate(values.T)]
    dtype = [(name, "<f4" if column.itemsize <= 4 else "<f8") for name, column in columns]
    vertices = np.empty(len(surface.points), dtype)
    for name, column in columns:
        vertices[name] = column
    faces = np.empty(len(surface.triangles), [("n", "u1"), ("corners", "<i4", 3)])
    faces["n"], faces["corners"] = 3, surface.triangles
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(vertices)}",
        *(f"property {_TYPES[kind[1:]]} {name}" for name, kind in dtype),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    return "\n".join(header).encode() + vertices.tobytes() + faces.tobytes()
