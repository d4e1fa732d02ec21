"""What the engine needs of a device: memory, and kernels by name.

In: a program (a header of `kernels/` and constants), arguments as a record. Out: launches. The
driver of a GPU implements it (`driver.py`); the tests have one that runs kernels on the CPU.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Program:
    """A header of `kernels/` compiled with some constants."""

    header: str
    constants: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def of(header: str, constants: Mapping[str, int]) -> Program:
        return Program(header, tuple(sorted(constants.items())))


@dataclass(frozen=True)
class Launch:
    """The shape of a launch."""

    blocks: int
    threads: int
    rows: int = 1
    shared: int = 0
    """Bytes of shared memory of a block of threads."""
    together: bool = False
    """All blocks run at the same time, because they wait for each other."""


@dataclass(eq=False)
class Memory:
    """Memory of a device, freed with the last reference to `owner`."""

    address: int
    nbytes: int
    owner: object = field(repr=False)

    def part(self, offset: int, nbytes: int) -> Memory:
        return Memory(self.address + offset, nbytes, self.owner)


class Device(ABC):
    """One device. Operations are executed in order; `download` waits for all earlier ones."""

    name: str
    """Such as "cuda:0 (NVIDIA H100 80GB HBM3)"."""
    multiprocessors: int
    shared_limit: int
    """Largest shared memory of a block of threads, in bytes."""
    reproducible: bool
    """Whether sums by atomic operations are always added in the same order."""

    @abstractmethod
    def allocate(self, nbytes: int) -> Memory:
        """Uninitialized memory."""

    @abstractmethod
    def upload(self, to: Memory, array: NDArray[Any]) -> None:
        """Copy a contiguous array to the device; it may be changed afterwards."""

    @abstractmethod
    def download(self, source: Memory, array: NDArray[Any]) -> None:
        """Copy to a contiguous array."""

    @abstractmethod
    def zero(self, memory: Memory) -> None: ...

    @abstractmethod
    def launch(
        self, program: Program, kernel: str, shape: Launch, arguments: NDArray[np.void]
    ) -> None: ...

    @abstractmethod
    def resident_blocks(self, program: Program, kernel: str, shape: Launch) -> int:
        """Blocks of threads that one multiprocessor runs at once."""

    @abstractmethod
    def wait_for(self, stream: int) -> None:
        """Wait for the work that another library has issued on one of its streams."""

    @contextmanager
    def current(self) -> Iterator[None]:
        """Context in which operations of this thread may be used."""
        yield

    def uploaded(self, array: NDArray[Any]) -> Memory:
        """New memory with the values of a contiguous array."""
        memory = self.allocate(max(array.nbytes, 1))
        if array.nbytes:
            self.upload(memory, array)
        return memory

    def downloaded(self, source: Memory, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        array: NDArray[Any] = np.empty(shape, dtype)
        if array.nbytes:
            self.download(source, array)
        return array


def spread(device: Device, n: int, threads: int) -> int:
    """Blocks for n items, one each per thread and round; enough rounds of few blocks to fill the
    device."""
    return max(1, min(-(-n // threads), 16 * device.multiprocessors))
