"""A GPU, through CUDA's driver.

In: the number of a device. Out: a `Device`. It uses the primary context and the default stream, as
PyTorch and CuPy do: their arrays can be read as soon as their work has been issued.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from cuda.bindings import driver
from numpy.typing import NDArray

from insitu.engines.cuda.compiler import cubin
from insitu.engines.cuda.device import Device, Launch, Memory, Program
from insitu.engines.local_rank import local_rank

SELECT = "INSITU_CUDA_DEVICE"
"""Environment variable with the number of the device, among the visible ones."""

_STREAM = 0  # the default stream
_KEPT = 1 << 28  # bytes of freed memory that stay allocated, for the next use


class DriverError(RuntimeError):
    """A call of CUDA's driver failed."""


def find() -> Gpu:
    """The device of INSITU_CUDA_DEVICE; otherwise the ranks of a node take the visible ones
    (CUDA_VISIBLE_DEVICES) in turn. Raises ImportError without a driver or a GPU, ValueError where
    the selected one does not exist."""
    try:
        status = driver.cuInit(0)[0]
    except Exception as error:  # its type differs between versions of the bindings
        raise ImportError(f"no NVIDIA driver on this machine ({error})") from None
    if int(status) != 0:
        raise ImportError(f"no usable GPU on this machine (cuInit: {status.name})")
    count = _ask(driver.cuDeviceGetCount())
    if count == 0:
        raise ImportError("no GPU on this machine, or none in CUDA_VISIBLE_DEVICES")
    return Gpu(choose(os.environ.get(SELECT) or None, count, local_rank()))


def choose(wanted: str | None, count: int, rank: int) -> int:
    """The number of a device out of `count`, for the given rank of a node."""
    if wanted is None:
        return rank % count
    if not (wanted.isdecimal() and int(wanted) < count):
        raise ValueError(f"{SELECT}: {wanted!r} is not here (there are: 0..{count - 1})")
    return int(wanted)


class _Allocation:
    """Frees its memory when it is no longer referenced."""

    def __init__(self, gpu: Gpu, nbytes: int) -> None:
        self._gpu = gpu
        self.address = int(_ask(driver.cuMemAllocAsync(nbytes, _STREAM)))

    def __del__(self) -> None:
        if not hasattr(self, "address"):
            return
        with self._gpu.current():
            driver.cuMemFreeAsync(self.address, _STREAM)


class Gpu(Device):
    """Device number `number` among the visible ones."""

    reproducible = False

    def __init__(self, number: int) -> None:
        attribute = driver.CUdevice_attribute
        self._device = _ask(driver.cuDeviceGet(number))
        self._context = _ask(driver.cuDevicePrimaryCtxRetain(self._device))
        name = _ask(driver.cuDeviceGetName(256, self._device)).split(b"\0")[0].decode()
        self.name = f"cuda:{number} ({name})"
        self.multiprocessors = self._get(attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
        self.shared_limit = self._get(
            attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        )
        major = self._get(attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        minor = self._get(attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
        self.architecture = f"sm_{major}{minor}"
        self._function = cache(self._load)
        pool = _ask(driver.cuDeviceGetDefaultMemPool(self._device))
        threshold = driver.CUmemPool_attribute.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
        _ask(driver.cuMemPoolSetAttribute(pool, threshold, driver.cuuint64_t(_KEPT)))

    def _get(self, attribute: Any) -> int:
        return int(_ask(driver.cuDeviceGetAttribute(attribute, self._device)))

    @contextmanager
    def current(self) -> Iterator[None]:
        _ask(driver.cuCtxPushCurrent(self._context))
        try:
            yield
        finally:
            driver.cuCtxPopCurrent()

    def allocate(self, nbytes: int) -> Memory:
        owner = _Allocation(self, nbytes)
        return Memory(owner.address, nbytes, owner)

    def upload(self, to: Memory, array: NDArray[Any]) -> None:
        _ask(driver.cuMemcpyHtoD(to.address, array.ctypes.data, array.nbytes))

    def download(self, source: Memory, array: NDArray[Any]) -> None:
        _ask(driver.cuMemcpyDtoH(array.ctypes.data, source.address, array.nbytes))

    def zero(self, memory: Memory) -> None:
        _ask(driver.cuMemsetD8Async(memory.address, 0, memory.nbytes, _STREAM))

    def synchronize(self) -> None:
        """Wait for all operations."""
        _ask(driver.cuStreamSynchronize(_STREAM))

    def wait_for(self, stream: int) -> None:
        _ask(driver.cuStreamSynchronize(stream))

    def launch(
        self, program: Program, kernel: str, shape: Launch, arguments: NDArray[np.void]
    ) -> None:
        held = np.array(arguments)  # the driver copies it during the call
        pointers = np.array([held.ctypes.data], np.uint64)
        call = driver.cuLaunchCooperativeKernel if shape.together else driver.cuLaunchKernel
        more = () if shape.together else (0,)
        _ask(
            call(
                self._prepared(program, kernel, shape), shape.blocks, shape.rows, 1,
                shape.threads, 1, 1, shape.shared, _STREAM, pointers.ctypes.data, *more,
            )
        )  # fmt: skip

    def resident_blocks(self, program: Program, kernel: str, shape: Launch) -> int:
        function = self._prepared(program, kernel, shape)
        return int(
            _ask(
                driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(
                    function, shape.threads, shape.shared
                )
            )
        )

    def _prepared(self, program: Program, kernel: str, shape: Launch) -> Any:
        return self._function(program, kernel, shape.shared)

    def _load(self, program: Program, kernel: str, shared: int) -> Any:
        module = _ask(driver.cuModuleLoadData(cubin(program, self.architecture)))
        function = _ask(driver.cuModuleGetFunction(module, kernel.encode()))
        limit = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        _ask(driver.cuFuncSetAttribute(function, limit, shared))
        return function


def _ask(answer: tuple[Any, ...]) -> Any:
    """The value of an answer of the driver, if it has one. Raises DriverError, MemoryError."""
    status, *values = answer
    if int(status) == int(driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY):
        raise MemoryError("the GPU's memory is full")
    if int(status) != 0:
        text = driver.cuGetErrorString(status)[1]
        said = text.decode() if isinstance(text, bytes) else ""
        raise DriverError(f"CUDA: {status.name}: {said}")
    return values[0] if values else None
