"""The engine of tiny-cuda-nn.

In: hash grids. Out: as the engine `torch`, except that training computes with tiny-cuda-nn. Its
half precision changes outputs by up to 1e-3 of their range, so what others read is measured, and
read, in single precision: promises such as `max_error` hold.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from insitu.engines.torch.device import SELECT
from insitu.engines.torch.engine import TorchEngine
from insitu.engines.torch.functions import Forward
from insitu.engines.torch.tinycudann import package
from insitu.engines.torch.tinycudann.network import function_of, module_of
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid


class TinyCudaEngine(TorchEngine):
    """On the device of the engine `torch`, which has to be a GPU. Raises ImportError as
    `insitu.engines.torch.tinycudann.package.load`."""

    name: ClassVar[str] = "tinycudann"
    accelerated: ClassVar[bool] = False

    def __init__(self) -> None:
        self._package = package.load()
        super().__init__()
        if self._device.type != "cuda":
            raise ImportError(f"tiny-cuda-nn needs a GPU; {SELECT} chose {self._device}")
        self._functions = lru_cache(maxsize=64)(self._make)

    def supports(self, model: Model) -> bool:
        return isinstance(model, HashGrid)

    def training_function(self, model: Model) -> Forward:
        if not isinstance(model, HashGrid):
            raise ValueError(f"model {model.kind!r}: tiny-cuda-nn has no such model")
        return self._functions(model)

    def _make(self, model: HashGrid) -> Forward:
        return function_of(module_of(self._package, model))
