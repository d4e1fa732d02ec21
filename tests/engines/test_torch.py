"""The engine torch: the suite of all engines, devices, arrays of other libraries, own models, and a
session from training to a record that is read without PyTorch."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from insitu.engines import engine, for_model
from insitu.engines.numpy.sampling import pcg3d as expected_hash
from insitu.engines.torch import acceleration, device
from insitu.engines.torch.sampling import Batch, pcg3d
from insitu.models.hash_grid.model import HashGrid
from insitu.testing import EngineConformance, cases
from insitu.testing.cases import NO_GHOSTS, OPTIONS, Block

COUNTS = {"cuda": 2, "xpu": 0, "mps": 1, "cpu": 1}


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite has schedules of any length, none of which is run to its end."""
    monkeypatch.setenv(acceleration.SELECT, "0")


class TestTorch(EngineConformance):
    engine_name = "torch"


@pytest.mark.parametrize(
    ("wanted", "rank", "chosen"),
    [
        (None, 0, "cuda:0"),
        (None, 3, "cuda:1"),
        ("cuda", 1, "cuda:1"),
        ("cuda:0", 1, "cuda:0"),
        ("mps", 5, "mps"),
        ("cpu", 1, "cpu"),
    ],
)
def test_a_device_is_chosen(wanted: str | None, rank: int, chosen: str) -> None:
    assert device.choose(wanted, COUNTS, rank) == chosen


@pytest.mark.parametrize("wanted", ["xpu", "cuda:2", "cuda:x", "tpu", "cuda:-1"])
def test_a_device_that_is_not_here_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match=r"is not available \(there are: cuda:0..1, mps, cpu\)"):
        device.choose(wanted, COUNTS, 0)


def test_launchers_tell_the_rank_on_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_LOCALID", "3")
    assert device.local_rank() == 3
    monkeypatch.setenv("MPI_LOCALRANKID", "1")
    assert device.local_rank() == 1


def test_torchs_own_number_of_threads_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", str(before + 1))
    with device.computing(torch.device("cpu")):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_the_hash_is_the_references_to_the_bit() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, (500, 3), np.uint32)
    got = pcg3d(*torch.from_numpy(words.astype(np.int64)).unbind(dim=1))
    np.testing.assert_array_equal(torch.stack(got, dim=1).numpy(), expected_hash(words.copy()))


@pytest.mark.parametrize("batch", [1, 3, 10, 1000, 1001])
def test_as_many_samples_lie_next_to_the_faces(batch: int) -> None:
    """As the C++ engine counts them, from a share in single precision."""
    share = float(np.float32(0.15))
    assert Batch(batch, 0, 0.15, 0.005).n_boundary == int(share * batch + 0.5)


class Exported:
    """An array of some other library, which says no more than DLPack asks for."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **arguments: Any) -> Any:
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("wrap", [Exported, torch.from_numpy])
def test_arrays_of_other_libraries_are_read_in_place(wrap: Any) -> None:
    values = np.random.default_rng(0).random((4, 5, 6))
    sampler: Any = engine("torch").sampler((wrap(values),), NO_GHOSTS, (4, 5, 6), False)
    points = cases.points(100)
    before = sampler.sample(points)
    values *= 2
    np.testing.assert_allclose(sampler.sample(points), 2 * before)
    assert sampler.parts[0].data_ptr() == values.ctypes.data


def test_read_only_arrays_are_read_in_place() -> None:
    values = np.random.default_rng(0).random((4, 5, 6))
    view = values.view()
    view.flags.writeable = False
    sampler: Any = engine("torch").sampler((view,), NO_GHOSTS, (4, 5, 6), False)
    assert sampler.parts[0].data_ptr() == values.ctypes.data


def test_a_sampler_of_another_engine_is_refused() -> None:
    block = Block.random()
    with pytest.raises(TypeError, match="was not created by engine torch"):
        engine("torch").measure(
            None, np.zeros(0, np.float32), block.sampler(engine("cpu")), np.zeros(1), np.zeros(1),
            0, 1,
        )  # fmt: skip


def test_a_long_training_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(acceleration.SELECT, raising=False)
    long = replace(OPTIONS, iterations=acceleration.SAMPLES, seconds=1e9)
    assert acceleration.pays(long)
    assert not acceleration.pays(replace(long, seconds=1.0))
    assert not acceleration.pays(replace(long, iterations=10))
    monkeypatch.setenv(acceleration.SELECT, "0")
    assert not acceleration.pays(long)
    monkeypatch.setenv(acceleration.SELECT, "1")
    assert acceleration.pays(replace(long, iterations=10))
    monkeypatch.setenv(acceleration.SELECT, "yes")
    with pytest.raises(ValueError, match="'yes', expected 0 or 1"):
        acceleration.pays(long)


def test_what_is_compiled_trains_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    model = HashGrid(n_levels=2, base_resolution=3, log2_hashmap_size=6)
    params = []
    for compiled in ("0", "1"):
        monkeypatch.setenv(acceleration.SELECT, compiled)
        one = np.ones(1)
        trainer = engine("torch").trainer(
            model, cases.parameters(model), Block.random().sampler(engine("torch")), 0 * one, one,
            one, replace(OPTIONS, iterations=5),
        )  # fmt: skip
        assert trainer.run(1e9)
        params.append(trainer.params)
    np.testing.assert_allclose(params[1], params[0], atol=1e-5)
    assert np.abs(params[1] - cases.parameters(model)).max() > 1e-2


@dataclass(frozen=True)
class Waves(HashGrid):
    """A model of another package: three coefficients of sines."""

    kind = "waves"

    @property
    def n_params(self) -> int:
        return 3

    def arrays(self, params: Any) -> list:
        return []

    def torch_forward(self, params: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        return (params * torch.sin(torch.pi * points)).sum(dim=1, keepdim=True)


def test_a_model_is_prototyped_by_one_function() -> None:
    """It trains, is measured, and has derivatives."""
    model, torch_engine = Waves(), engine("torch")
    truth = np.array([0.5, -1.0, 2.0])
    assert torch_engine.supports(model)
    assert for_model(model, torch_engine) is torch_engine
    lines = (np.arange(16) + 0.5) / 16
    z, y, x = np.meshgrid(lines, lines, lines, indexing="ij")
    values = sum(c * np.sin(np.pi * line) for c, line in zip(truth, (x, y, z), strict=True))
    sampler = torch_engine.sampler((values,), NO_GHOSTS, (16, 16, 16), False)
    options = replace(OPTIONS, iterations=300, learning_rate=0.1, final_rate=0.01)
    one = np.ones(1)
    trainer = torch_engine.trainer(
        model, np.zeros(3, np.float32), sampler, 0 * one, one, one, options
    )
    assert trainer.run(1e9)
    # The outermost half cells are constant, which the waves are not.
    np.testing.assert_allclose(trainer.params, truth, atol=0.05)
    (errors,) = torch_engine.measure(model, trainer.params, sampler, 0 * one, one, 0, 16**3)
    assert errors.finite == 16**3 and errors.max < 0.1
    points = cases.points(50)
    expected = np.pi * truth * np.cos(np.pi * points)
    slopes = torch_engine.gradient(model, truth.astype(np.float32), points)
    np.testing.assert_allclose(slopes[:, 0], expected, atol=1e-5)


class Unknown(HashGrid):
    kind = "unknown"


def test_a_model_without_a_function_is_refused() -> None:
    model = Unknown()
    assert not engine("torch").supports(model)
    with pytest.raises(ValueError, match="'unknown': no PyTorch implementation; define"):
        engine("torch").evaluate(model, model.initial(0), cases.points(3))


def test_without_pytorch_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['torch'] = None; from insitu.engines import engine\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "engine('torch')"], capture_output=True, text=True
    )
    assert "ImportError: PyTorch is not installed" in done.stderr
    assert "pip install 'insitu-inr[torch]'" in done.stderr


SESSION = """
import json
import sys
import numpy as np
import insitu

zs, ys, xs = (np.linspace(0, 1, n) for n in (25, 27, 29))
z, y, x = np.meshgrid(*((a[1:] + a[:-1]) / 2 for a in (zs, ys, xs)), indexing="ij")
mesh = {
    "coordsets": {"c": {"type": "rectilinear", "values": {"x": xs, "y": ys, "z": zs}}},
    "topologies": {"t": {"type": "rectilinear", "coordset": "c"}},
    "fields": {"f": {"topology": "t", "association": "element",
                     "values": (np.sin(5 * x) * np.cos(4 * y + z)).ravel()}},
    "state": {"cycle": 0, "time": 0.0},
}
session = insitu.open({
    "window": {"keep": "all"},
    "fields": {"f": {"iterations": 300, "network": {"log2_hashmap_size": 10},
                     "training": json.loads(sys.argv[2])}},
    "record": {"path": sys.argv[1]},
})
session.publish(mesh)
session.execute()
session.close()
"""

READ = """
import sys
import numpy as np
import insitu
from insitu.metrics import psnr

record = insitu.open_record(sys.argv[1])
z, y, x = np.meshgrid(*((np.arange(n) + 0.5) / n for n in (24, 26, 28)), indexing="ij")
points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
truth = (np.sin(5 * x) * np.cos(4 * y + z)).ravel()
print(psnr(truth, record["f"].sel(step=-1)(points)))
assert "torch" not in sys.modules
"""


@pytest.mark.parametrize(
    "training", ["{}", '{"transform": "asinh", "candidates": 2, "hardest": 0.5, "plateau": 100}']
)
def test_a_session_records_what_is_read_without_pytorch(tmp_path: Path, training: str) -> None:
    quality = []
    for name in ("torch", "cpu"):
        environment = {**os.environ, "INSITU_ENGINE": name}
        record = str(tmp_path / name)
        subprocess.run(
            [sys.executable, "-c", SESSION, record, training], env=environment, check=True
        )
        environment.pop("INSITU_ENGINE")
        done = subprocess.run(
            [sys.executable, "-c", READ, record], env=environment, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        quality.append(float(done.stdout))
    assert quality[1] > 30
    assert abs(quality[0] - quality[1]) < 0.5
