"""Surfaces as Wavefront OBJ, a widely supported text format, without values.

In: a surface. Out: the bytes of a file.
"""

from __future__ import annotations

import numpy as np

from insitu.core.arrays import Floats
from insitu.core.geometry import Surface


def obj(surface: Surface) -> bytes:
    """Vertices, normals where there are any, triangles; numbers as exact as they are."""
    text = _vectors("v", surface.points)
    corner = "%d"
    corners = surface.triangles + 1
    if surface.normals is not None:
        text += _vectors("vn", surface.normals)
        corner, corners = "%d//%d", np.repeat(corners, 2, axis=1)
    text += f"f {corner} {corner} {corner}\n" * len(corners) % tuple(corners.ravel().tolist())
    return text.encode()


def _vectors(word: str, vectors: Floats) -> str:
    number = "%.9g" if vectors.itemsize <= 4 else "%.17g"
    line = f"{word} {number} {number} {number}\n"
    return line * len(vectors) % tuple(vectors.ravel().tolist())
