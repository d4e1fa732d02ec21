"""The engine tinycudann without a GPU and without the package (`make test-torch`).

`Package` and `Module` stand for tiny-cuda-nn, and compute with the engine torch. So these tests
show our side: what the package is told, that another number of parameters is refused, that the
model's own vector is trained, what is said where a part is missing. They show nothing of the
package: that it takes this configuration, has this layout of parameters, or computes this function.
`benchmarks/gpu_conformance.py` shows that on a GPU (`make check-gpu`).
"""

from typing import Any

import pytest
import torch

from insitu.engines import engine
from insitu.engines.torch.hash_grid import hash_grid
from insitu.engines.torch.tinycudann.network import configuration, function_of, module_of
from insitu.engines.torch.tinycudann.package import missing_part
from insitu.models.hash_grid.model import HashGrid
from insitu.testing import cases

SMALL = HashGrid(log2_hashmap_size=6)


class Module(torch.nn.Module):
    """Stands for a module of the package: parameters in one vector, outputs in half precision."""

    def __init__(self, model: HashGrid, n_params: int) -> None:
        super().__init__()
        self.params = torch.nn.Parameter(torch.zeros(n_params))
        self._function = hash_grid(model, torch.device("cpu"))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self._function(self.params, points).half()


class Package:
    """Stands for the package: keeps what its constructor of networks is told."""

    def __init__(self, n_params: int) -> None:
        self._n_params = n_params
        self.told: Any = None

    def NetworkWithInputEncoding(self, *told: Any) -> Module:
        self.told = told
        return Module(SMALL, self._n_params)


@pytest.mark.parametrize(
    ("width", "kind"), [(16, "FullyFusedMLP"), (128, "FullyFusedMLP"), (48, "CutlassMLP")]
)
def test_widths_choose_the_kind_of_mlp(width: int, kind: str) -> None:
    encoding, network = configuration(HashGrid(n_neurons=width))
    assert network["otype"] == kind and network["n_neurons"] == width
    assert encoding["log2_hashmap_size"] == HashGrid().log2_hashmap_size


def test_parameters_of_another_number_are_refused() -> None:
    package = Package(SMALL.n_params)
    assert module_of(package, SMALL).params.numel() == SMALL.n_params
    assert package.told == (3, 1, *configuration(SMALL))
    with pytest.raises(ValueError, match=r"per_level_scale 2\.0 are rounded differently"):
        module_of(Package(SMALL.n_params + 8), SMALL)


def test_the_function_is_trained_by_its_own_parameters() -> None:
    forward = function_of(module_of(Package(SMALL.n_params), SMALL))
    params = torch.tensor(cases.parameters(SMALL)).requires_grad_()
    points = torch.tensor(cases.points(50))
    outputs = forward(params, points)
    assert outputs.dtype == torch.float32
    expected = hash_grid(SMALL, torch.device("cpu"))(params, points)
    torch.testing.assert_close(outputs, expected, atol=1e-3, rtol=1e-3)
    (gradient,) = torch.autograd.grad(outputs.sum(), params)
    (reference,) = torch.autograd.grad(expected.sum(), params)
    torch.testing.assert_close(gradient, reference, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize(
    ("cuda", "driver", "devices", "told"),
    [
        (None, True, 1, "a PyTorch that was built with CUDA"),
        ("13.0", False, 0, "NVIDIA's driver"),
        ("13.0", True, 0, "needs a GPU"),
        ("13.0", True, 1, ""),
    ],
)
def test_what_is_missing_is_named(cuda: str | None, driver: bool, devices: int, told: str) -> None:
    assert told in missing_part(cuda, driver, devices)
    assert bool(told) == bool(missing_part(cuda, driver, devices))


def test_where_it_is_not_built_it_cannot_be_loaded() -> None:
    with pytest.raises(ImportError, match=r"tiny-cuda-nn (needs|is not built)"):
        engine("tinycudann")
