"""The engine `cuda`: own kernels for NVIDIA GPUs, compiled at first use.

In: hash grids and dense grids, raw blocks of the host or the device. Out: the operations of
`insitu.engines.base`, except for rendering. It needs a driver and the packages of the extra `cuda`,
but no toolkit. `kernels/` is C++ that the tests also compile for the CPU.
"""

try:
    import cuda.bindings as _bindings  # noqa: F401
except ImportError as error:
    raise ImportError(
        "CUDA's Python bindings are not installed; run: pip install 'insitu-inr[cuda]'"
    ) from error
