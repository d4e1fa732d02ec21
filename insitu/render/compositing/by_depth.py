"""Opaque pictures of all ranks as one, by the depth of each pixel.

In: each rank's picture and depths, in any order and place. Out: the nearest of each pixel, on rank
0.

Compositing in the order of blocks needs geometry that lies in its block; this does not, but sends
depths, and cannot blend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi4py import MPI

Rectangle = tuple[int, int, int, int]


def nearest(
    comm: MPI.Comm, rgba: np.ndarray, depth: np.ndarray, rectangle: Rectangle, size: tuple[int, int]
) -> np.ndarray | None:
    """(height, width, 4) float32 on rank 0, None elsewhere. Collective: a binary tree of messages.

    rgba, depth: (h, w, 4) and (h, w) of the pixels in the rectangle (y0, y1, x0, x1); alpha 0 or 1,
    depths infinite where it is 0. size: width and height of the whole.
    """
    width, height = size
    image = np.zeros((height, width, 4), np.float32)
    depths = np.full((height, width), np.inf, np.float32)
    y0, y1, x0, x1 = rectangle
    image[y0:y1, x0:x1], depths[y0:y1, x0:x1] = rgba, depth
    step = 1
    while step < comm.size:
        if comm.rank % (2 * step):
            comm.Send(image, comm.rank - step)
            comm.Send(depths, comm.rank - step)
            return None
        if comm.rank + step < comm.size:
            other, other_depths = np.empty_like(image), np.empty_like(depths)
            comm.Recv(other, comm.rank + step)
            comm.Recv(other_depths, comm.rank + step)
            nearer = other_depths < depths
            image[nearer], depths[nearer] = other[nearer], other_depths[nearer]
        step *= 2
    return image
