"""Errors of a model against the raw block, in PyTorch.

In: a model's function, parameters, a block. Out: sum of squares, maximum and count per component,
in the field's unit. Needs no decoded copy of the block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from insitu.engines.base import Doubles
from insitu.engines.options import Errors
from insitu.engines.torch.device import precise
from insitu.engines.torch.functions import Forward
from insitu.engines.torch.sampler import GridSampler

_UNIT = 128  # chunk size in samples, to which `every` refers


def measure(
    forward: Forward | None,
    params: torch.Tensor | None,
    block: GridSampler,
    origin: Doubles,
    extent: Doubles,
    samples: tuple[int, int, int],
    chunk: int,
) -> list[Errors]:
    """Errors of origin + extent * output, per component. forward None: errors of the constant
    origin.

    samples: (begin, end, every), as in `insitu.engines.base.Engine.measure`. chunk: number of
    samples processed at once.
    """
    totals = [Errors(0.0, 0.0, 0)] * block.components
    for index in _indices(*samples, chunk, block.device):
        outputs = None
        if forward is not None and params is not None:
            outputs = forward(params, _points(block, index))
        for c in range(block.components):
            truth = block.owned(c)
            truth = truth[_place(block, index.to(truth.device))]
            exact = precise(block.device)
            value = torch.full(truth.shape, float(origin[c]), dtype=torch.float64, device=exact)
            if outputs is not None:
                value += float(extent[c]) * outputs[:, c].to(exact).double()
                value = value.to(truth.dtype).double()  # the precision of decoded fields
            totals[c] += _errors(truth.to(exact).double(), value)
    return totals


def _errors(truth: torch.Tensor, value: torch.Tensor) -> Errors:
    finite = truth.isfinite()
    error = torch.where(finite, value - truth, 0).abs()
    largest = error.nan_to_num(0.0, math.inf).max()
    return Errors(float(error.square().sum()), float(largest), int(finite.sum()))


def _indices(
    begin: int, end: int, every: int, chunk: int, device: torch.device
) -> Iterator[torch.Tensor]:
    """Samples begin .. end - 1, one of every `every` units, about `chunk` at a time."""
    step = _UNIT * every
    units = -(-(end - begin) // step)
    at_once = max(1, chunk // _UNIT)
    within = torch.arange(_UNIT, device=device)
    for first in range(0, units, at_once):
        unit = torch.arange(first, min(first + at_once, units), device=device)
        index = (begin + unit[:, None] * step + within).flatten()
        yield index[index < end]


def _place(block: GridSampler, index: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Flat indices of owned samples, x fastest -> indices along z, y, x."""
    _, ny, nx = block.grid.owned
    return index // (nx * ny), index // nx % ny, index % nx


def _points(block: GridSampler, index: torch.Tensor) -> torch.Tensor:
    """Positions of owned samples in the unit cube, (n, 3)."""
    axes = zip(_place(block, index), block.grid.cells, strict=True)
    return torch.stack([(i.float() + block.grid.shift) / n for i, n in axes][::-1], dim=1)
