"""The suite of all engines on a GPU: run by `check_gpu.py`, not by `make test`.

python -m pytest -q -p no:cacheprovider benchmarks/gpu_conformance.py
"""

from insitu.testing import EngineConformance


class TestCuda(EngineConformance):
    engine_name = "cuda"


class TestTorch(EngineConformance):
    engine_name = "torch"
