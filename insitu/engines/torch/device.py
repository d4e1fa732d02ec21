"""The device that PyTorch uses, and the number of threads.

In: INSITU_TORCH_DEVICE, the available devices, this process's rank on its node. Out: a device.

    INSITU_TORCH_DEVICE=cpu | cuda | cuda:1 | xpu | xpu:1 | mps

By default, the first available one of CUDA, XPU, MPS and the CPU. Ranks of a node are assigned to
its devices in turn, unless a number is given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from insitu.engines.local_rank import local_rank
from insitu.engines.threads import threads

SELECT = "INSITU_TORCH_DEVICE"
"""Environment variable that names the device."""


def choose(wanted: str | None, counts: Mapping[str, int], local_rank: int) -> str:
    """The name of a device.

    Args:
        wanted: INSITU_TORCH_DEVICE, if set.
        counts: number of devices of each kind, best kind first.
        local_rank: rank of this process on its node.

    Raises ValueError where the selected device does not exist.
    """
    kind, _, number = (wanted or next(kind for kind, n in counts.items() if n)).partition(":")
    count = counts.get(kind, 0)
    if not count or (number and not (number.isdecimal() and int(number) < count)):
        there = ", ".join(
            kind if n == 1 else f"{kind}:0..{n - 1}" for kind, n in counts.items() if n
        )
        raise ValueError(f"{SELECT}: {wanted!r} is not available (there are: {there})")
    if kind in ("cpu", "mps"):
        return kind
    return f"{kind}:{number or local_rank % count}"


def device() -> torch.device:
    """The device of this process. Raises ValueError where the selected one does not exist."""
    counts = {
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "xpu": torch.xpu.device_count() if torch.xpu.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
        "cpu": 1,
    }
    return torch.device(choose(os.environ.get(SELECT) or None, counts, local_rank()))


def describe(chosen: torch.device) -> str:
    """Description such as "cuda:0 (NVIDIA A100), PyTorch 2.13.0"."""
    version = f"PyTorch {torch.__version__}"
    if chosen.type == "cuda":
        return f"{chosen} ({torch.cuda.get_device_name(chosen)}), {version}"
    if chosen.type == "xpu":
        return f"{chosen} ({torch.xpu.get_device_name(chosen)}), {version}"
    if chosen.type == "mps":
        return f"mps, {version}"
    return f"CPU, {version}, {threads()} thread{'s' if threads() > 1 else ''}"


def precise(chosen: torch.device) -> torch.device:
    """The device for double precision: the device itself, or the CPU for MPS, which lacks it."""
    return torch.device("cpu") if chosen.type == "mps" else chosen


@contextmanager
def computing(chosen: torch.device) -> Iterator[None]:
    """Context in which the device is PyTorch's current one and, on the CPU, PyTorch uses as many
    threads as this rank may."""
    if chosen.type == "cuda":
        with torch.cuda.device(chosen):
            yield
        return
    before = torch.get_num_threads()
    try:
        if before != threads():
            torch.set_num_threads(threads())
        yield
    finally:
        if before != threads():
            torch.set_num_threads(before)
