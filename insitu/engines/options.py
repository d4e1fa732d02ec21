"""What engines are told and what they tell, as plain data.

In: numbers that training, drawing and measuring have decided on. Out: frozen dataclasses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Statistics(NamedTuple):
    """Of one component's owned samples."""

    min: float
    """Of the finite ones; infinite without any."""
    max: float
    finite: int
    nan: int
    inf: int


class Errors(NamedTuple):
    """Of one component at finite samples, in its own unit."""

    sum_of_squares: float
    max: float
    finite: int

    def __add__(self, other: Errors) -> Errors:  # type: ignore[override]
        return Errors(
            self.sum_of_squares + other.sum_of_squares,
            max(self.max, other.max),
            self.finite + other.finite,
        )


@dataclass(frozen=True, kw_only=True)
class TrainerOptions:
    """The training loop of one model: Adam (Kingma and Ba 2015, algorithm 1) on Huber's loss, with
    DVNR's samples."""

    batch: int
    """Samples per step."""
    learning_rate: float
    final_rate: float
    """Last rate over first rate."""
    decay: Literal["cosine", "exponential"]
    iterations: int
    """Length of the schedule, in steps."""
    seconds: float
    """Budget; the schedule runs on whichever is used up first."""
    loss_threshold: float = 0.0
    """Stop when the moving average of the mean absolute error falls below; 0: never."""
    error_threshold: float = 0.0
    """The same for the root mean square error, times error_scale; 0: never."""
    approach: float = 0.0
    """dB above `error_threshold` where the rate starts to fall; 0: never."""
    average: float = 0.98
    """Most weight of the past in the moving averages."""
    huber: float = 0.0
    """Errors below this, in 0..1, count by their square; 0: none do, so that the loss is L1."""
    seed: int = 0
    """Of the samples, 0..2^32 - 1."""
    boundary_share: float = 0.0
    """Share of a batch that is drawn next to the faces, 0..1: DVNR's lambda."""
    boundary_sigma: float = 0.005
    """Standard deviation of their distance from the face, in units of the box: DVNR, eq. (2)."""
    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-8
    l2: float = 0.0
    """L2 regularisation, of the matrices of an MLP only."""


Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class View:
    """A perspective view, and the part of its image that is drawn."""

    eye: Vector
    """World coordinates."""
    forward: Vector
    """From the eye to the middle of the image plane."""
    right: Vector
    """Half the width of the image plane."""
    up: Vector
    """Half its height."""
    size: tuple[int, int]
    """(width, height) of the whole image, in pixels."""
    rectangle: tuple[int, int, int, int]
    """(y0, y1, x0, x1) of the pixels to draw."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MarchOptions:
    """Emission and absorption along rays; see `insitu.render.volume.march`."""

    view: View
    domain: tuple[Vector, Vector]
    """Lowest and highest corner of the whole domain, world."""
    table: NDArray[np.float32]
    """(n, 4) straight RGBA; alpha is that of one step."""
    range: tuple[float, float]
    """Values of the table's first and last row."""
    step: float
    """World length."""
    component: int
    """0.., or -1 for the magnitude."""
    opaque: float
    """Alpha at which a ray ends, 0..1."""
    flat: float | None = None
    """Values per world length at which a surface is half lit; None: no shading."""
    jitter: int = -1
    """Number of the frame; -1: none."""
    surface: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    """Premultiplied RGBA (h, w, 4) and depth (h, w) of what rays end at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RasterOptions:
    """How triangles become pixels; see `insitu.render.surface.raster`."""

    view: View
    table: NDArray[np.float32]
    """(n, 4) straight RGBA."""
    range: tuple[float, float]
    """Values of the table's first and last row."""
    color: Vector
    """RGB in 0..1 of all, or of values that are not finite."""
    lit: bool
    near: float
    """World distance from the eye; what is nearer is not drawn."""
