"""A sparse grid: multi-resolution levels of one feature, summed.

In: the shape of a block, the axes that each level splits, the vertices that have a coefficient.
Out: the layout of the parameters, the equations in NumPy.

    u(x) = sum over levels j, vertices k of c_j[k] phi(x / h_j - k)

with phi the 4-point function of Deslauriers and Dubuc, so u is a spline wavelet expansion. It is
defined by its values at the block's samples, and trilinear between them, as raw blocks are.
Coefficients follow in closed form (`insitu.training.sparse_grid`): there is nothing to train.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from insitu.core.arrays import Floats
from insitu.models.base import Model, ParameterArray, Params, ReadCost
from insitu.models.sparse_grid import bands
from insitu.models.sparse_grid.lines import HALF_CELLS, added

_MOST_SAMPLES = 2**28
_MOST_PLACES = 2**31  # of all components, numbered in int32
_MOST_LEVELS = 48
# A point reads 6 averages along each axis, and 8 samples of a brick.
_TAPS = 6**3 + 8

FITTED = {"fitted": True}


@dataclass(frozen=True)
class SparseGrid(Model):
    """Levels of one feature on one block. In a run file it has no options: all of it follows from
    the block and the target."""

    kind: ClassVar[str] = "sparse_grid"
    trained: ClassVar[bool] = False

    shape: tuple[int, int, int] = field(default=(1, 1, 1), metadata=FITTED)
    """Number of samples along x, y, z, with those that `ends` adds to cells."""
    vertex: bool = field(default=True, metadata=FITTED)
    """Whether samples lie on the faces of the block, instead of half a cell within."""
    splits: str = field(default="", metadata=FITTED)
    """For each level, fine to coarse, the axes that it splits, as a digit 1..7: 1 for x, 2 for y, 4
    for z, and sums of these."""
    support: bytes = field(default=b"", metadata=FITTED, repr=False)
    """Which coefficients are parameters: places in the arrays of all components (`bands`), one
    after the other, increasing; int32, little-endian."""
    ends: int = field(default=0, metadata=FITTED)
    """Which ends of the axes are kept, since a neighbor shares them (`lines`)."""
    n_outputs: int = 1

    @property
    def n_params(self) -> int:
        return len(self.support) // 4

    @property
    def n_samples(self) -> int:
        """Samples, and coefficients, of one component."""
        return math.prod(self.shape)

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """(n_params,): `support` as numbers."""
        return np.frombuffer(self.support, "<i4").astype(np.int32, copy=False)

    @cached_property
    def levels(self) -> list[int]:
        """`splits` as numbers."""
        return [int(digit) for digit in self.splits]

    def to_dict(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "vertex": self.vertex,
            "splits": self.splits,
            "support": base64.b64encode(self.support).decode(),
            "ends": self.ends,
            "n_outputs": self.n_outputs,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SparseGrid:
        expected = cls._fields()
        if not isinstance(data, dict) or data.keys() != expected.keys():
            raise ValueError(f"{cls.kind}: expected the keys {', '.join(sorted(expected))}")
        shape, support = data["shape"], data["support"]
        if not isinstance(shape, list) or [type(n) for n in shape] != [int] * 3:
            raise ValueError("shape: expected three whole numbers")
        if type(data["vertex"]) is not bool:
            raise ValueError("vertex: expected true or false")
        if not isinstance(data["splits"], str) or not isinstance(support, str):
            raise ValueError("splits, support: expected texts")
        if type(data["n_outputs"]) is not int or type(data["ends"]) is not int:
            raise ValueError("n_outputs, ends: expected whole numbers")
        try:
            places = base64.b64decode(support, validate=True)
        except binascii.Error as error:
            raise ValueError(f"support: {error}") from None
        model = cls(
            (shape[0], shape[1], shape[2]), data["vertex"], data["splits"], places,
            data["ends"], data["n_outputs"],
        )  # fmt: skip
        model.check()
        return model

    def check(self) -> None:
        if not 1 <= self.n_outputs <= 16:
            raise ValueError(f"n_outputs: {self.n_outputs} is not in 1..16")
        if not all(n >= 1 for n in self.shape) or self.n_samples > _MOST_SAMPLES:
            raise ValueError(f"{self.kind}: {self.shape} samples are not 1..2^28")
        if self.n_samples * self.n_outputs >= _MOST_PLACES:
            raise ValueError(
                f"{self.kind}: {self.n_outputs} components of {self.shape} are 2^31 samples or more"
            )
        if len(self.splits) > _MOST_LEVELS or not set(self.splits) <= set("1234567"):
            raise ValueError("splits: expected at most 48 digits in 1..7")
        if not 0 <= self.ends < 128 or (self.vertex and self.ends & HALF_CELLS):
            raise ValueError(f"ends: {self.ends} is not in 0..127, or nodes half a cell apart")
        if any(n < 1 for n in self._cells) and not self.vertex:
            raise ValueError(f"{self.kind}: {self.shape} samples have no cell")
        bands.lines(self.shape[::-1], self.levels, self.ends)
        places, end = self.places if len(self.support) % 4 == 0 else None, self.n_samples
        if places is None or (
            len(places)
            and (
                places[0] < 0 or places[-1] >= end * self.n_outputs or (np.diff(places) <= 0).any()
            )
        ):
            raise ValueError("support: expected increasing places within the block")

    def arrays(self, params: Floats) -> list[ParameterArray]:
        ends = np.searchsorted(self.places, self.n_samples * np.arange(self.n_outputs + 1))
        return [
            ParameterArray(f"component.{c}", "coefficients", f"component.{c}", params[begin:end])
            for c, (begin, end) in enumerate(itertools.pairwise(ends))
            if begin < end
        ]

    def initial(self, seed: int) -> Params:
        return np.random.default_rng(seed).normal(size=self.n_params).astype(np.float32)

    def for_block(self, n_outputs: int, share: float) -> SparseGrid:
        return replace(self, n_outputs=n_outputs)

    def scaled(self, params: Floats, factors: Floats) -> Params:
        return np.asarray(params * factors[self.places // self.n_samples], np.float32)

    @property
    def read_cost(self) -> ReadCost:
        return ReadCost(taps=_TAPS * self.n_outputs, flops=2 * _TAPS * self.n_outputs)

    def samples(self, params: Floats) -> Floats:
        """Values at all samples, (n_outputs, nz, ny, nx), float64."""
        coefficients = np.zeros((self.n_outputs, *self.shape[::-1]))
        coefficients.reshape(-1)[self.places] = params
        return np.stack([bands.synthesise(one, self.levels, self.ends) for one in coefficients])

    def evaluate(self, params: Floats, points: Floats) -> Floats:
        values = self.samples(params)
        low, t, _ = self._locate(points)
        out = np.zeros((len(points), self.n_outputs))
        for corner, weight in _corners(t):
            at = self._sample(low, corner)
            out += weight[:, None] * values[:, at[0], at[1], at[2]].T
        return out.astype(params.dtype)

    def backward(
        self, params: Floats, points: Floats, output_gradient: Floats
    ) -> tuple[Floats, Floats]:
        values = self.samples(params)
        low, t, scale = self._locate(points)
        of_samples = np.zeros_like(values)
        of_points = np.zeros((len(points), 3))
        for corner, weight in _corners(t):
            at = self._sample(low, corner)
            for c in range(self.n_outputs):
                np.add.at(of_samples[c], at, weight * output_gradient[:, c])
            along = (values[:, at[0], at[1], at[2]] * output_gradient.T).sum(axis=0)
            for axis, slope in enumerate(_corner_slopes(t, corner)):
                of_points[:, axis] += along * slope * scale[:, axis]
        whole = np.stack([bands.adjoint(one, self.levels, self.ends) for one in of_samples])
        return whole.reshape(-1)[self.places].astype(params.dtype), of_points.astype(points.dtype)

    def _locate(self, points: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Lowest sample around each point, place between samples, its slope; each (n, 3), x y z."""
        n, cells = np.array(self.shape), np.array(self._cells, float)
        low, high = np.array([added(self.ends, axis) for axis in range(3)], bool).T
        place = np.asarray(points, np.float64) * cells
        to_low, to_high = low & (place < 0.5), high & (place > cells - 0.5)
        # Samples are one cell apart, but half a cell next to a face that has them.
        inside = place - (0.0 if self.vertex else 0.5) + low
        inside = np.where(to_low, 2 * place, inside)
        inside = np.where(to_high, inside + place - (cells - 0.5), inside)
        slope = np.where(to_low | to_high, 2 * cells, cells)
        within = np.clip(inside, 0, n - 1)
        first = np.clip(within.astype(np.int64), 0, np.maximum(n - 2, 0))
        return first, within - first, np.where((within == inside) & (n > 1), slope, 0.0)

    @property
    def _cells(self) -> tuple[int, ...]:
        """Along x, y, z."""
        if self.vertex:
            return tuple(n - 1 for n in self.shape)
        return tuple(n - sum(added(self.ends, axis)) for axis, n in enumerate(self.shape))

    def _sample(
        self, low: NDArray[np.int64], corner: tuple[int, int, int]
    ) -> tuple[NDArray[np.int64], ...]:
        """Indices z, y, x of a corner of each point's cell."""
        at = np.minimum(low + corner, np.array(self.shape) - 1)
        return at[:, 2], at[:, 1], at[:, 0]


def _corners(t: Floats) -> list[tuple[tuple[int, int, int], Floats]]:
    """Corners x, y, z of a cell, and their weights at the places t (n, 3)."""
    corners = [(i & 1, i >> 1 & 1, i >> 2) for i in range(8)]
    return [(c, np.where(np.array(c) == 1, t, 1 - t).prod(axis=1)) for c in corners]


def _corner_slopes(t: Floats, corner: tuple[int, int, int]) -> list[Floats]:
    """Derivatives of a corner's weight by each place."""
    weight = np.where(np.array(corner) == 1, t, 1 - t)
    return [(2 * corner[a] - 1) * np.delete(weight, a, axis=1).prod(axis=1) for a in range(3)]
