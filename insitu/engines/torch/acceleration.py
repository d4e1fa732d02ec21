"""Compilation of training steps, and CUDA graphs.

In: a function of tensors that runs thousands of times. Out: the same function, with fewer calls
into PyTorch.

    INSITU_TORCH_COMPILE=0 | 1

never or always compiles. If it is not set, the length of the training decides (`pays`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from insitu.engines.options import TrainerOptions

SELECT = "INSITU_TORCH_COMPILE"
"""Environment variable that overrides the decision about `torch.compile`."""

# On one core, with a block of 64^3, the default hash grid and a batch of 1024: an eager step takes
# 10.1 ms of CPU, a compiled one 5.2 ms, and compilation takes 62 s, so the break-even point is at
# 12 700 steps, or 1.3e7 samples. Training is compiled from four times that on. Only the schedule
# determines the length, since compiled code may differ in the last bit.
SAMPLES = 5 * 10**7
SECONDS = 240.0


def pays(options: TrainerOptions) -> bool:
    """Whether a training is long enough to be compiled first."""
    wanted = os.environ.get(SELECT, "")
    if wanted not in ("", "0", "1"):
        raise ValueError(f"{SELECT}: {wanted!r}, expected 0 or 1")
    if wanted:
        return wanted == "1"
    return options.iterations * options.batch >= SAMPLES and options.seconds >= SECONDS


@lru_cache(maxsize=8)
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled for the shapes of its arguments. Equal functions share the compiled
    code, so that only the first trainer of a kind waits."""
    fast: Callable[..., Any] = torch.compile(function, dynamic=False)
    return fast


class CudaGraph:
    """A function without arguments as one CUDA graph, which is launched by one call.

    The function has to work in place on persistent tensors, without reading their values on the
    host. It is called four times here; three of these calls take effect.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        # Warm-up, as PyTorch requires: allocations and compilation stay out of the graph.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                function()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            function()

    def __call__(self) -> None:
        self._graph.replay()
