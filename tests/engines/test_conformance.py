"""Our own engines pass the suite that any engine has to pass."""

from insitu.testing import DrawingConformance, EngineConformance


class TestCpu(EngineConformance):
    engine_name = "cpu"


class TestCpuDraws(DrawingConformance):
    engine_name = "cpu"


class TestNumpy(EngineConformance):
    engine_name = "numpy"

    # The reference against itself: that is `test_training_is_deterministic`.
    test_steps = test_float32_blocks = None


class TestNumpyDraws(DrawingConformance):
    engine_name = "numpy"
