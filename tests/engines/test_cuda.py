"""The engine cuda on an emulated GPU: the suite of all engines, several networks at once, arrays of
the device; and what is known without a GPU: that every kernel compiles, which device is chosen."""

import itertools
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from insitu.engines.cuda import compiler, driver, layout
from insitu.engines.cuda.device import Program
from insitu.engines.cuda.engine import CudaEngine
from insitu.engines.cuda.trainer import run_together
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.testing import EngineConformance, cases
from insitu.testing.cases import OPTIONS, Block
from tests.support.cuda.emulated import EmulatedDevice

DEVICE = EmulatedDevice()
ENGINE = CudaEngine(DEVICE)
SMALL = HashGrid(log2_hashmap_size=10)
HEADERS = ("raw.hpp", "evaluate.hpp", "gradient.hpp", "measure.hpp", "train.hpp", "march.hpp")


class TestCuda(EngineConformance):
    engine_name: ClassVar[str] = "cuda"

    @classmethod
    def models(cls) -> list[Model]:
        """One of each kind of lookup, padding and number of outputs: each is compiled."""
        return [cases.models()[i] for i in (0, 1, 6)]

    @cached_property
    def engine(self) -> CudaEngine:
        return ENGINE


def trainer_of(model: HashGrid, block: Block, **changes: Any) -> Any:
    one = np.ones(1)
    options = replace(OPTIONS, **changes)
    return ENGINE.trainer(
        model, model.initial(0), block.sampler(ENGINE), 0 * one, one, one, options
    )


# ---- several networks in one launch


def test_networks_of_one_launch_do_not_touch_each_other() -> None:
    """Different tables, batches, seeds and lengths of training: each as if it were alone."""
    block = Block.random()
    cases_ = [
        (SMALL, {"iterations": 20}),
        (HashGrid(log2_hashmap_size=6), {"iterations": 7, "seed": 3}),
        (HashGrid(log2_hashmap_size=12), {"iterations": 20, "batch": 64, "error_threshold": 1.0}),
    ]
    alone = [trainer_of(model, block, **changes) for model, changes in cases_]
    assert [trainer.run(1e9) for trainer in alone] == [True] * 3
    joined = [trainer_of(model, block, **changes) for model, changes in cases_]
    assert run_together(joined, 1e9)
    for one, other in zip(joined, alone, strict=True):
        assert one.iteration == other.iteration
        assert np.isclose(one.params, other.params, atol=1e-4).mean() > 0.99
    assert [trainer.iteration for trainer in joined] == [20, 7, 16]


def test_networks_of_several_shapes_train_together() -> None:
    block = Block.random()
    joined = [trainer_of(model, block, iterations=2) for model in (SMALL, cases.models()[0])]
    joined.append(trainer_of(replace(SMALL, n_hidden_layers=1), block, iterations=3))
    assert run_together(joined, 1e9)
    assert [trainer.iteration for trainer in joined] == [2, 2, 3]
    assert run_together(joined, 1e9)  # nothing is left to do


# ---- arrays of the device


class OnDevice:
    """An array that only the device may read: its interface is there, its values are not."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape = array.shape
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": array.shape,
            "strides": None if array.flags.c_contiguous else array.strides,
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, True),
            "stream": 1,
        }

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise AssertionError("copied to the host")


@pytest.mark.parametrize("step", [1, 2])
def test_blocks_of_the_device_are_not_copied(step: int) -> None:
    values = np.random.default_rng(0).random((10, 12, 14))[::step, :, ::step]
    device = EmulatedDevice()
    engine = CudaEngine(device)
    samplers = [
        on.sampler((array,), cases.NO_GHOSTS, values.shape, False)
        for on, array in ((ENGINE, values), (engine, OnDevice(values)))
    ]
    assert not device.uploads
    host, in_place = samplers
    assert in_place.statistics(0) == host.statistics(0)
    one = np.ones(1)
    trainer = engine.trainer(SMALL, SMALL.initial(0), in_place, 0 * one, one, one, OPTIONS)
    trainer.run(1e9)
    errors = [
        on.measure(SMALL, trainer.params, sampler, 0 * one, one, 0, host.samples)
        for on, sampler in ((ENGINE, host), (engine, in_place))
    ]
    assert errors[0] == errors[1]
    # Weights and a few arguments went there; weights and sums came back.
    assert sum(device.uploads) < 4 * SMALL.n_params * 3 + 2000
    assert sum(device.downloads) < 4 * SMALL.n_params * 2 + 2000


def test_results_can_stay_on_the_device() -> None:
    params, line = cases.parameters(SMALL), np.linspace(0, 1, 5, dtype=np.float32)
    kept = ENGINE.evaluate_grid_on_device(SMALL, params, line, line, line[:3])
    assert kept.__cuda_array_interface__["shape"] == (3, 5, 5, 1)
    expected = ENGINE.evaluate_grid(SMALL, params, line, line, line[:3])
    np.testing.assert_array_equal(kept.to_host(), expected)
    again = ENGINE.sampler((OnDevice(expected[..., 0]),), cases.NO_GHOSTS, (3, 5, 5), False)
    assert again.statistics(0).max == expected.max()


# ---- what is known without a GPU


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("header", HEADERS)
def test_kernels_compile(header: str, architecture: str) -> None:
    shape = layout.shape_of(SMALL)
    assert shape is not None
    constants = {} if header == "raw.hpp" else shape.constants()
    image = compiler.compiled(Program.of(header, constants), architecture)
    assert image.startswith(b"\x7fELF")


def test_pragmas_follow_statements() -> None:
    """After `if constexpr (...)`, NVRTC takes a pragma for the whole statement, and drops the loop
    that follows; C++ compilers do not."""
    for name, text in compiler.sources().items():
        lines = [line.partition("//")[0].strip() for line in text.splitlines()]
        code = [line for line in lines if line]
        for before, line in itertools.pairwise(code):
            if line == "UNROLL" or line.startswith("#pragma unroll"):
                assert before[-1] in "{};", f"{name}: {before} {line}"


def test_no_layer_is_lost_in_compilation() -> None:
    shape = layout.shape_of(SMALL)
    assert shape is not None
    text = compiler.compiled(Program.of("train.hpp", shape.constants()), "compute_80").decode()
    # Fused products of all layers, forward and backward; without two of them there were 398.
    assert text.count("fma.rn.f32") > 450
    assert text.count("bar.sync") >= 13


def test_compilation_errors_are_told() -> None:
    with pytest.raises(compiler.CompilationError, match=r"train.hpp for sm_80: .*error"):
        compiler.compiled(Program("train.hpp"), "sm_80")


def test_compiled_kernels_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = Program("raw.hpp")
    image = compiler.cubin(program, "sm_80")
    (kept,) = (tmp_path / "insitu").iterdir()
    assert kept.read_bytes() == image
    kept.write_bytes(b"from the cache")
    assert compiler.cubin(program, "sm_80") == b"from the cache"
    assert compiler.cubin(program, "sm_90").startswith(b"\x7fELF")


def test_a_cache_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compiler.cubin(Program("raw.hpp"), "sm_80").startswith(b"\x7fELF")


@pytest.mark.parametrize(("wanted", "rank", "chosen"), [(None, 0, 0), (None, 5, 1), ("1", 4, 1)])
def test_ranks_of_a_node_share_its_devices(wanted: str | None, rank: int, chosen: int) -> None:
    assert driver.choose(wanted, 4 if wanted else 2, rank) == chosen


@pytest.mark.parametrize("wanted", ["2", "-1", "cuda"])
def test_a_device_that_is_not_here_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match=r"is not here \(there are: 0..1\)"):
        driver.choose(wanted, 2, 0)


def test_models_that_do_not_fit_are_left_to_other_engines() -> None:
    assert ENGINE.supports(HashGrid(n_neurons=128, n_hidden_layers=4))
    assert not ENGINE.supports(HashGrid(n_neurons=256, n_hidden_layers=8))
