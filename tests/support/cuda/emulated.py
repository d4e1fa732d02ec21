"""A device that runs the kernels on the CPU, compiled by the system's C++ compiler.

In: programs, as `insitu.engines.cuda.device` has them. Out: a `Device`; what was copied to and from
it is counted. Libraries are kept in build/emulator, under a name that covers their sources.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insitu.engines.cuda.compiler import KERNELS, sources
from insitu.engines.cuda.device import Device, Launch, Memory, Program

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "build" / "emulator"
_FLAGS = ("-std=c++17", "-O1", "-shared", "-fPIC", "-ffp-contract=off", "-DINSITU_EMULATOR")
_WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-misleading-indentation")


class EmulatedDevice(Device):
    name = "emulator"
    multiprocessors = 3
    shared_limit = 227 << 10  # of compute capability 9.0
    reproducible = True

    def __init__(self) -> None:
        self.uploads: list[int] = []
        """Bytes of each copy to the device."""
        self.downloads: list[int] = []
        """Bytes of each copy from the device."""

    def allocate(self, nbytes: int) -> Memory:
        owner = np.full(nbytes + 64, 0xFF, np.uint8)  # NaN where it is read before it is written
        start = owner.ctypes.data
        return Memory(start + -start % 64, nbytes, owner)

    def upload(self, to: Memory, array: NDArray[Any]) -> None:
        assert array.flags.c_contiguous and array.nbytes <= to.nbytes
        self.uploads.append(array.nbytes)
        ctypes.memmove(to.address, array.ctypes.data, array.nbytes)

    def download(self, source: Memory, array: NDArray[Any]) -> None:
        assert array.flags.c_contiguous and array.nbytes <= source.nbytes
        self.downloads.append(array.nbytes)
        ctypes.memmove(array.ctypes.data, source.address, array.nbytes)

    def zero(self, memory: Memory) -> None:
        ctypes.memset(memory.address, 0, memory.nbytes)

    def wait_for(self, stream: int) -> None:
        """Everything has been done when it was issued."""

    def launch(self, program: Program, kernel: str, shape: Launch, arguments: np.ndarray) -> None:
        library = _library(program)
        of_kernel = getattr(library, f"{kernel}_bytes")
        of_kernel.restype = ctypes.c_size_t
        assert of_kernel() == arguments.dtype.itemsize, "the layout is not that of layout.py"
        assert shape.shared <= self.shared_limit
        sizes = np.array(
            [shape.blocks, shape.rows, shape.threads, shape.shared, shape.together], np.int32
        )
        held = np.array(arguments)
        getattr(library, kernel)(
            ctypes.c_void_p(sizes.ctypes.data), ctypes.c_void_p(held.ctypes.data)
        )

    def resident_blocks(self, program: Program, kernel: str, shape: Launch) -> int:
        return 1


@cache
def _library(program: Program) -> ctypes.CDLL:
    constants = [f"-D{name}={value}" for name, value in program.constants]
    compiler = os.environ.get("CXX", "g++")
    told = [compiler, *_FLAGS, *_WARNINGS, *constants]
    texts = [program.header, (HERE / "emulator.hpp").read_text(), *sources().values()]
    key = hashlib.sha256("\0".join([*told, *texts]).encode()).hexdigest()[:20]
    place = FOLDER / f"{key}.so"
    if not place.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        built = FOLDER / f"{key}.{os.getpid()}"
        subprocess.run(
            [*told, f"-I{HERE}", "-include", str(KERNELS / program.header),
             "-x", "c++", os.devnull, "-o", built],
            check=True,
        )  # fmt: skip
        built.replace(place)
    return ctypes.CDLL(str(place))
