"""The engine cuda on an emulated GPU: the suite of all engines, several networks at once."""

from functools import cached_property
from typing import ClassVar

from insitu.engines.cuda.engine import CudaEngine
from insitu.models.base import Model
from insitu.testing import EngineConformance, cases
from tests.support.cuda.emulated import EmulatedDevice

DEVICE = EmulatedDevice()
ENGINE = CudaEngine(DEVICE)


class TestCuda(EngineConformance):
    engine_name: ClassVar[str] = "cuda"

    @classmethod
    def models(cls) -> list[Model]:
        """One of each kind of lookup, padding and number of outputs: each is compiled."""
        return [cases.models()[i] for i in (0, 1, 6)]

    @cached_property
    def engine(self) -> CudaEngine:
        return ENGINE
