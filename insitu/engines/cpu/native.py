"""The native engine's extension module, for the current CPU.

In: the CPU's features; INSITU_ISA, which selects a build by name, so that different nodes compute
bitwise equal results. Out: `lib`, the best build for this CPU.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType
from typing import TYPE_CHECKING


def cpu_info(key: str) -> str:
    """The entry `key`, such as "flags", of the first CPU in Linux' cpuinfo; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="ignore") as file:
            for line in file:
                if line.partition("\t")[0] == key:
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return ""


SELECT = "INSITU_ISA"
"""Environment variable that names the build to load."""

# Best first; each with the flags that its build needs (setup.py compiles with the same sets).
BUILDS = {
    "avx512": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "fma", "f16c", "bmi2"},
    "avx2": {"avx2", "fma", "f16c", "bmi2"},
    "portable": set[str](),
}


def runs_here(isa: str) -> bool:
    """Whether this CPU supports a build: "avx512", "avx2" or "portable"."""
    return not missing(isa)


def missing(isa: str) -> set[str]:
    """The flags that a build needs and this CPU lacks."""
    return BUILDS[isa] - set(cpu_info("flags").split())


def is_built(isa: str) -> bool:
    """Whether a build is part of this installation."""
    return importlib.util.find_spec(_module(isa)) is not None


def _module(isa: str) -> str:
    return f"insitu.engines.cpu._native_{isa}"


def load() -> ModuleType:
    """The selected build, or the best for this CPU. Raises ImportError where there is none."""
    wanted = os.environ.get(SELECT)
    if wanted:
        return _load_this(wanted)
    for isa in BUILDS:
        if runs_here(isa) and is_built(isa):
            return importlib.import_module(_module(isa))
    raise ImportError(
        "insitu's C++ engine is not built: run `make install`, or `pip install .` in the checkout"
    )


def _load_this(isa: str) -> ModuleType:
    if isa not in BUILDS:
        raise ImportError(f"{SELECT}: {isa!r} is not one of {', '.join(BUILDS)}")
    if lacking := missing(isa):
        raise ImportError(
            f"{SELECT}: {isa} needs {', '.join(sorted(lacking))}, which the CPU lacks"
        )
    if not is_built(isa):
        raise ImportError(f"{SELECT}: {isa} is not built; run `make install`")
    return importlib.import_module(_module(isa))


if TYPE_CHECKING:
    from insitu.engines.cpu import _native

    lib = _native
else:
    lib = load()
