"""The package `tinycudann`, imported late: importing it fails on machines without a GPU.

In: this machine. Out: the module, or an error that says which part is missing.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Any

import torch

BUILD = (
    "build it on a machine with a GPU, or with TCNN_CUDA_ARCHITECTURES set: pip install "
    "--no-build-isolation 'git+https://github.com/NVlabs/tiny-cuda-nn/#subdirectory=bindings/torch'"
)


def load() -> Any:
    """The module. Raises ImportError: PyTorch is missing or has no CUDA, there is no driver, no
    GPU, or the package is not built."""
    devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if missing := missing_part(torch.version.cuda, _has_driver(), devices):
        raise ImportError(missing)
    try:
        return importlib.import_module("tinycudann")
    except (ImportError, OSError) as error:
        raise ImportError(
            f"tiny-cuda-nn is not built for this machine ({error}); {BUILD}"
        ) from error


def missing_part(cuda: str | None, driver: bool, devices: int) -> str:
    """What this machine lacks; empty: nothing.

    Args:
        cuda: version of CUDA that PyTorch was built with, if any.
        driver: whether NVIDIA's driver can be loaded.
        devices: number of visible GPUs.
    """
    if cuda is None:
        return "tiny-cuda-nn needs a PyTorch that was built with CUDA; this one was not"
    if not driver:
        return "tiny-cuda-nn needs NVIDIA's driver (libcuda.so.1), which is not on this machine"
    if devices == 0:
        return "tiny-cuda-nn needs a GPU: there is none here, or none in CUDA_VISIBLE_DEVICES"
    return ""


def _has_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True
