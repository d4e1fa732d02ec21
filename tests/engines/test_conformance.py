"""Our own engines pass the suite that any engine has to pass."""

from insitu.testing import DrawingConformance, EngineConformance


class TestCpu(EngineConformance):
    engine_name = "cpu"


class TestCpuDraws(DrawingConformance):
    engine_name = "cpu"


class TestNumpy(EngineConformance):
    engine_name = "numpy"


class TestNumpyDraws(DrawingConformance):
    engine_name = "numpy"
