"""Options and results of engines, as plain data.

In: parameters of training, rendering and measuring. Out: frozen dataclasses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from insitu.core.scaled import ScaledSum


class Statistics(NamedTuple):
    """Statistics of one component's owned samples."""

    min: float
    """Minimum of the finite ones; infinite without any."""
    max: float
    finite: int
    nan: int
    inf: int


class Errors(NamedTuple):
    """Errors of one component at finite samples, in its own unit."""

    sum_of_squares: float
    max: float
    finite: int
    exponent: int = 0
    """`sum_of_squares` is in units of 4**exponent, which is 0 unless errors are extreme; engines
    leave it so."""

    def __add__(self, other: Errors) -> Errors:  # type: ignore[override]
        squares = ScaledSum(self.sum_of_squares, self.exponent) + ScaledSum(
            other.sum_of_squares, other.exponent
        )
        return Errors(
            squares.value,
            max(self.max, other.max),
            self.finite + other.finite,
            squares.exponent,
        )


@dataclass(frozen=True, kw_only=True)
class TrainerOptions:
    """Options of training one model with Adam (Kingma and Ba 2015, algorithm 1), the Huber loss and
    DVNR's sampling."""

    batch: int
    """Samples per step."""
    candidates: float = 1.0
    """Samples that are drawn and evaluated in a step, in units of `batch`, at least 1."""
    hardest: float = 1.0
    """Fraction of these, those with the largest squared errors summed over the outputs, that the
    gradient is of, and its mean over; of equal ones the first. 1: all of them."""
    plateau: int = 0
    """Steps after which the rate is divided by ten, unless the mean loss over them is 0.01 % below
    the lowest before (`Plateau`); 0: never."""
    learning_rate: float
    final_rate: float
    """Final over initial learning rate."""
    decay: Literal["cosine", "exponential"]
    iterations: int
    """Length of the schedule, in steps."""
    seconds: float
    """Time limit; the schedule follows whichever of steps and time is used up first."""
    loss_threshold: float = 0.0
    """Stop when the moving average of the mean absolute error falls below this; 0: never."""
    error_threshold: float = 0.0
    """The same for the root mean square error, times error_scale; 0: never."""
    approach: float = 0.0
    """Distance from `error_threshold` in dB at which the rate starts to decay; 0: never."""
    average: float = 0.98
    """Maximum decay of the moving averages."""
    huber: float = 0.0
    """Threshold of the Huber loss, 0..1: the loss is quadratic below it; 0: L1 loss."""
    seed: int = 0
    """Random seed of the samples, 0..2^32 - 1."""
    boundary_share: float = 0.0
    """Fraction of a batch that is drawn close to the faces, 0..1: DVNR's lambda."""
    boundary_sigma: float = 0.005
    """Standard deviation of their distance from the face, in units of the box: DVNR, eq. (2)."""
    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-8
    l2: float = 0.0
    """L2 regularization, of the matrices of an MLP only."""

    @property
    def drawn(self) -> int:
        """Samples that are evaluated in a step."""
        return max(self.batch, round(self.candidates * self.batch))

    @property
    def chosen(self) -> int:
        """Samples that the gradient of a step is of."""
        return max(1, round(self.hardest * self.drawn))


Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class View:
    """A perspective view, and the part of its image that is rendered."""

    eye: Vector
    """World coordinates."""
    forward: Vector
    """From the eye to the center of the image plane."""
    right: Vector
    """Half the width of the image plane."""
    up: Vector
    """Half the height of the image plane."""
    size: tuple[int, int]
    """(width, height) of the whole image, in pixels."""
    rectangle: tuple[int, int, int, int]
    """(y0, y1, x0, x1) of the pixels to render."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MarchOptions:
    """Emission and absorption along rays; see `insitu.render.volume.march`."""

    view: View
    domain: tuple[Vector, Vector]
    """Lower and upper corner of the whole domain, world coordinates."""
    table: NDArray[np.float32]
    """(n, 4) straight RGBA; alpha is per step."""
    range: tuple[float, float]
    """Values of the table's first and last row."""
    step: float
    """Distance between samples, a world length."""
    component: int
    """0.., or -1 for the magnitude."""
    opaque: float
    """Alpha at which a ray is terminated, 0..1."""
    flat: float | None = None
    """Gradient magnitude, in values per world length, at which shading has half its strength; None:
    no shading."""
    jitter: int = -1
    """Frame number for jittered sampling; -1: no jitter."""
    surface: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    """Premultiplied RGBA (h, w, 4) and depth (h, w) of a surface at which rays end."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RasterOptions:
    """Options of rasterization; see `insitu.render.surface.raster`."""

    view: View
    table: NDArray[np.float32]
    """(n, 4) straight RGBA."""
    range: tuple[float, float]
    """Values of the table's first and last row."""
    color: Vector
    """RGB in 0..1, used without values and for values that are not finite."""
    lit: bool
    near: float
    """Distance of the near plane from the eye, a world length."""
