"""Ray marching through one block.

In: a block, a camera, a transfer function, the bounds of the whole domain.
Out: a Layer: this block's premultiplied RGBA, in the pixel rectangle that it covers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insitu.core.box import Bounds
from insitu.engines.base import Bricks
from insitu.engines.options import MarchOptions
from insitu.fields.sampled_block import SampledBlock
from insitu.render.camera import Camera, Rectangle, triple
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.volume.bricks import bricks_of, painter_of

# Alpha at which a ray ends; anything behind it would not change any channel of an 8-bit picture.
OPAQUE = 0.999

Component = int | str | None


@dataclass(frozen=True)
class RenderBlock:
    """What one partition contributes to a picture.

    field: its values. bricks: the same values, decoded on demand.
    """

    field: SampledBlock
    bricks: Bricks

    @staticmethod
    def of(field: SampledBlock) -> RenderBlock:
        """From a field on one partition: compressed, raw (`RawBlock`), or derived."""
        return RenderBlock(field, bricks_of(field))

    @property
    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(x (nx + 1,), y (ny + 1,), z (nz + 1,)) increasing, world coordinates."""
        return self.field.nodes

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
    """The image of one block.

    rgba: (h, w, 4) float32, premultiplied. rectangle: (y0, y1, x0, x1), its pixels in the picture.
    bounds: (lo (3,), hi (3,)) of the block, world.
    """

    rgba: np.ndarray
    rectangle: Rectangle
    bounds: Bounds


def march(
    block: RenderBlock,
    camera: Camera,
    transfer_function: TransferFunction,
    *,
    bounds: Bounds,
    step: float,
    component: Component = None,
    opaque: float = OPAQUE,
    shading: bool = False,
    jitter: int | None = None,
    surface: tuple[np.ndarray, np.ndarray] | None = None,
) -> Layer:
    """Integrate emission and absorption along the rays through one block. Not collective.

    Samples lie at t_k = entry + (k + 1/2) step on each ray, where entry is the point at which the
    ray enters `bounds`, the box of the whole domain (the eye, if it is inside). A block takes the
    samples with lo <= p < hi, so that the samples do not depend on the division into blocks.
    Front to back, with c and a from the table: C += (1 - A) a c; A += (1 - A) a.

    Values are interpolated trilinearly between the block's sample points (see
    `insitu.engines.lattice`); for vectors, the component or magnitude is taken at the points first.
    A sample with a non-finite neighbour is transparent. Once their value ranges are known, fully
    transparent bricks are not decoded. The picture does not depend on the number of threads
    (`insitu.engines.threads`).

    step: world length. component: index of a vector component, "magnitude", or None for the
    scalar or the magnitude of a vector. opaque: alpha in 0..1 at which a ray ends.
    shading: gradient shading (Lambert and Phong) with a light at the eye. It fades where the
    gradient is below the width of the transfer function's domain over the diagonal of `bounds`;
    one-sided differences at the block's faces may show as a seam.
    jitter: frame number; samples then lie at k + r instead of k + 1/2, with r in 0..1 a hash of
    pixel and frame, the same on every rank. None: no jitter, the same picture every time.
    surface: (rgba, depth) in the block's rectangle: (h, w, 4) float32 premultiplied, and (h, w)
    distance from the eye along the pixel's ray, infinite where there is no surface. The ray ends
    at that depth and is blended over the surface.

    Raises ValueError for a component that does not exist, nodes that do not increase, a surface
    of the wrong shape, more than 65000 samples on a ray, or a cache too small for one brick.
    """
    rectangle = camera.rectangle(block.bounds)
    if rectangle[0] == rectangle[1]:  # out of view
        return Layer(np.zeros((0, 0, 4), np.float32), rectangle, block.bounds)
    if surface is not None:
        surface = _checked(surface, rectangle)
    options = MarchOptions(
        view=camera.view(rectangle),
        domain=(triple(bounds[0]), triple(bounds[1])),
        table=transfer_function.for_step(step, bounds),
        range=transfer_function.domain,
        step=step,
        component=component_index(component, block.bricks.components),
        opaque=opaque,
        flat=flat_gradient(transfer_function, bounds) if shading else None,
        jitter=-1 if jitter is None else jitter,
        surface=surface,
    )
    rgba = painter_of(block.field).march(block.bricks, block.nodes, options)
    return Layer(rgba, rectangle, block.bounds)


def flat_gradient(transfer_function: TransferFunction, bounds: Bounds) -> float:
    """The gradient (value per world length) at which shading has half its full strength."""
    lo, hi = transfer_function.domain
    return max((hi - lo) / float(np.linalg.norm(np.subtract(bounds[1], bounds[0]))), 1e-30)


def _checked(
    surface: tuple[np.ndarray, np.ndarray], rectangle: Rectangle
) -> tuple[np.ndarray, np.ndarray]:
    y0, y1, x0, x1 = rectangle
    rgba, depth = surface
    if rgba.shape != (y1 - y0, x1 - x0, 4) or depth.shape != (y1 - y0, x1 - x0):
        raise ValueError(
            f"surface: rgba of shape {rgba.shape}, depth of shape {depth.shape}; the block's "
            f"rectangle is {(y1 - y0, x1 - x0)}"
        )
    return rgba, depth


def component_index(component: Component, n_components: int) -> int:
    """The index used by the kernel: 0.. for a component, -1 for the magnitude.

    Raises ValueError for a component that does not exist.
    """
    if component is None:
        return 0 if n_components == 1 else -1
    if component == "magnitude":
        return -1
    if isinstance(component, str) or not 0 <= component < n_components:
        raise ValueError(
            f"component: {component!r} is not 'magnitude' or an index in 0..{n_components - 1}"
        )
    return component
