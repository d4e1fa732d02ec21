"""External data of C programs on a GPU, with a stub of the driver in a process of its own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from insitu.core.driver_memory import is_device_address
from insitu.mesh.published_step import PublishedStep

STUB = Path(__file__).parents[1] / "support/cuda/driver_stub.cpp"
ROOT = Path(__file__).parents[2]
SHAPE = (32, 16, 24)


def test_without_a_driver_there_is_none() -> None:
    assert not is_device_address(np.ones(3))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("driver") / "stub.so"
    compiler = os.environ.get("CXX", "g++")
    flags = ("-shared", "-fPIC", "-Wall", "-Werror", "-Wl,-soname,libcuda.so.1")
    subprocess.run([compiler, *flags, STUB, "-o", place], check=True)
    return place


@pytest.mark.parametrize("part", ["reading", "training", "managed"])
def test_device_memory_is_read_in_place(library: Path, part: str) -> None:
    """See the function of this name below."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {__name__} as t; t.{part}({str(library)!r})"],
        capture_output=True, text=True, timeout=120, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# ---- in the process with the driver


def tree_of(values: np.ndarray) -> dict:
    nz, ny, nx = SHAPE
    return {
        "coordsets/coords": {"type": "uniform", "dims": {"i": nx + 1, "j": ny + 1, "k": nz + 1}},
        "topologies/mesh": {"type": "uniform", "coordset": "coords"},
        "fields/u": {"association": "element", "topology": "mesh", "values": values},
    }


def published(library: str, managed: bool = False) -> tuple[ctypes.CDLL, np.ndarray]:
    """The driver, and values (nz, ny, nx) with every second number of a device's memory."""
    driver = ctypes.CDLL(library)
    driver.stub_copied.restype = ctypes.c_uint64
    memory = np.random.default_rng(0).random(2 * np.prod(SHAPE))
    told = (memory.ctypes.data, memory.nbytes, int(managed))
    driver.stub_device(*map(ctypes.c_uint64, told))
    return driver, memory[::2]


def reading(library: str) -> None:
    driver, values = published(library)
    assert is_device_address(values) and not is_device_address(np.ones(3))
    (partition,) = PublishedStep(tree_of(values)).partitions("u")
    (component,) = partition.components
    assert driver.stub_copied() == 0
    expected = values.reshape(SHAPE)
    at = component.__cuda_array_interface__
    assert at["data"][0] == values.ctypes.data and at["strides"] == expected.strides
    box = np.s_[3:6, 2:4, 5:9]
    np.testing.assert_array_equal(np.asarray(component[box]), expected[box])
    assert 0 < driver.stub_copied() < 20 * expected[box].nbytes
    np.testing.assert_array_equal(component + 0, expected)
    before = driver.stub_copied()
    np.testing.assert_array_equal(partition.owned[0] * 2, 2 * expected)
    assert driver.stub_copied() == before and driver.stub_contexts() == 0


def training(library: str) -> None:
    from insitu.engines.cuda.engine import CudaEngine
    from insitu.training.ranges import MeasuredBlock
    from tests.support.cuda.emulated import EmulatedDevice

    driver, values = published(library)
    (partition,) = PublishedStep(tree_of(values)).partitions("u")
    block = MeasuredBlock.of(partition, CudaEngine(EmulatedDevice()))
    assert block.own.range.tolist() == [[values.min(), values.max()]]
    assert driver.stub_copied() == 0


def managed(library: str) -> None:
    """Memory that the CPU reads, too, is an array like any other."""
    _, values = published(library, managed=True)
    (partition,) = PublishedStep(tree_of(values)).partitions("u")
    assert isinstance(partition.components[0], np.ndarray)
    assert np.shares_memory(partition.components[0], values)
