"""Ray marching through one block.

In: a block (sampler and nodes), a camera, a transfer function, the bounds of the whole domain.
Out: a Layer: this block's premultiplied RGBA, in the pixel rectangle that it covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from insitu.engines.native import lib
from insitu.render.camera import Bounds, Camera, Rectangle
from insitu.render.transfer_function import TransferFunction

# A ray ends here; what lies behind would change no channel of an 8-bit picture.
OPAQUE = 0.999

Component = int | str | None


@dataclass(frozen=True)
class Block:
    """What one partition contributes to a picture.

    sampler: gives values at points of the unit cube (network or raw data, `lib.Sampler`).
    nodes: (x (nx + 1,), y (ny + 1,), z (nz + 1,)) float64 increasing, world coordinates.
    """

    sampler: Any
    nodes: tuple[np.ndarray, np.ndarray, np.ndarray]

    @property
    def bounds(self) -> Bounds:
        """(lo (3,), hi (3,)) of the owned box, world."""
        return np.array([n[0] for n in self.nodes]), np.array([n[-1] for n in self.nodes])

    @property
    def spacing(self) -> float:
        """The smallest distance between two nodes, world."""
        return min(float(np.diff(n).min()) for n in self.nodes)


@dataclass(frozen=True)
class Layer:
    """A block's share of a picture.

    rgba: (h, w, 4) float32, premultiplied. rectangle: (y0, y1, x0, x1), its place in the image.
    bounds: (lo (3,), hi (3,)) of the block, world.
    """

    rgba: np.ndarray
    rectangle: Rectangle
    bounds: Bounds


def march(
    block: Block,
    camera: Camera,
    transfer_function: TransferFunction,
    *,
    bounds: Bounds,
    step: float,
    component: Component = None,
    opaque: float = OPAQUE,
) -> Layer:
    """Emission and absorption along the rays through one block. Not collective.

    Samples lie at t_k = entry + (k + 1/2) step on each ray, entry being where the ray enters
    `bounds`, the box of the whole domain (or the eye, inside it). A block takes the samples with
    lo <= p < hi, so that any division into blocks takes exactly the samples of one block.
    Front to back, with c and a from the table: C += (1 - A) a c; A += (1 - A) a.
    Values that are not finite are transparent.

    step: world length. component: index of a vector's component, "magnitude", or None for the
    scalar, or the magnitude of a vector. opaque: alpha in 0..1 at which a ray ends.

    Raises ValueError for a component that the block has not, or nodes that do not increase.
    """
    rectangle = camera.rectangle(block.bounds)
    if rectangle[0] == rectangle[1]:  # out of view
        return Layer(np.zeros((0, 0, 4), np.float32), rectangle, block.bounds)
    right, up, forward = camera.image_plane()
    rgba = lib.march(
        sampler=block.sampler,
        x=block.nodes[0],
        y=block.nodes[1],
        z=block.nodes[2],
        domain_lo=list(bounds[0]),
        domain_hi=list(bounds[1]),
        eye=list(camera.position),
        forward=list(forward),
        right=list(right),
        up=list(up),
        size=(camera.width, camera.height),
        rectangle=list(rectangle),
        table=transfer_function.for_step(step, bounds),
        range=transfer_function.domain,
        step=step,
        component=component_index(component, block.sampler.components),
        opaque=opaque,
    )
    return Layer(rgba, rectangle, block.bounds)


def component_index(component: Component, n_components: int) -> int:
    """The index that the kernel understands: 0.. for a component, -1 for the magnitude."""
    if component is None:
        return 0 if n_components == 1 else -1
    if component == "magnitude":
        return -1
    if isinstance(component, str) or not 0 <= component < n_components:
        raise ValueError(
            f"component: {component!r} is not 'magnitude' or an index in 0..{n_components - 1}"
        )
    return component
