"""The native engine's extension module, for the CPU at hand.

In: what the CPU can do. Out: `lib`, the best of the builds of the one C++ source.
"""

from __future__ import annotations

import importlib
from types import ModuleType


def _cpu_flags() -> set[str]:
    """Instruction-set flags of this CPU, as Linux names them; empty where it does not say."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="ignore") as file:
            for line in file:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass
    return set()


# Best first; each with the flags its build needs (setup.py compiles with the same sets).
_BUILDS = {
    "avx512": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "fma", "f16c", "bmi2"},
    "avx2": {"avx2", "fma", "f16c", "bmi2"},
    "portable": set[str](),
}


def runs_here(isa: str) -> bool:
    """Whether this CPU has the instructions of a build: "avx512", "avx2" or "portable"."""
    return _BUILDS[isa] <= _cpu_flags()


def _load() -> ModuleType:
    for isa in _BUILDS:
        if runs_here(isa):
            try:
                return importlib.import_module(f"insitu.engines._native_{isa}")
            except ModuleNotFoundError:
                continue
    raise ImportError(
        "insitu's C++ engine is not built: run `make install`, or `pip install .` in the checkout"
    )


lib = _load()
