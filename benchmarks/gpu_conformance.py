"""The suite of all engines on a GPU: run by `check_gpu.py`, not by `make test`.

python -m pytest -q -p no:cacheprovider benchmarks/gpu_conformance.py
"""

from importlib.util import find_spec

import numpy as np

from insitu.engines import engine
from insitu.testing import EngineConformance, cases
from insitu.testing.cases import OPTIONS, Block
from insitu.testing.reading import ReadingTests
from insitu.testing.sampling import SamplingTests
from insitu.testing.training import trainer_of


class TestCuda(EngineConformance):
    engine_name = "cuda"


if find_spec("torch"):

    class TestTorch(EngineConformance):
        engine_name = "torch"


if find_spec("tinycudann"):

    class TestTinyCudaNN(SamplingTests, ReadingTests):
        """Its training is in half precision, and has bounds of its own."""

        engine_name = "tinycudann"

        def test_gradients_are_those_of_half_precision(self) -> None:
            for model in filter(self.engine.supports, self.models()):
                gradients = []
                for on in (self.engine, engine("numpy")):
                    trainer = trainer_of(on, model, Block.random(model.n_outputs), OPTIONS)
                    trainer.compute_gradient()
                    gradients.append(trainer.gradient)
                found, expected = gradients
                assert np.linalg.norm(found - expected) < 0.02 * np.linalg.norm(expected)

        def test_parameters_are_the_package_s_own(self) -> None:
            for model in filter(self.engine.supports, self.models()):
                values = cases.parameters(model)
                block = Block.random(model.n_outputs)
                trainer = trainer_of(self.engine, model, block, OPTIONS, params=values)
                np.testing.assert_array_equal(trainer.params, values)
