"""The native engine's extension module, for the CPU at hand.

In: what the CPU can do; INSITU_ISA, which asks for a build by name, so that unlike nodes compute
the same to the last bit. Out: `lib`, the best of the builds of the one C++ source.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType
from typing import TYPE_CHECKING


def cpu_info(key: str) -> str:
    """What Linux says of the first CPU under `key`, such as "flags"; empty where it does not."""
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

# Best first; each with the flags its build needs (setup.py compiles with the same sets).
BUILDS = {
    "avx512": {"avx512f", "avx512dq", "avx512bw", "avx512vl", "fma", "f16c", "bmi2"},
    "avx2": {"avx2", "fma", "f16c", "bmi2"},
    "portable": set[str](),
}


def runs_here(isa: str) -> bool:
    """Whether this CPU has the instructions of a build: "avx512", "avx2" or "portable"."""
    return not missing(isa)


def missing(isa: str) -> set[str]:
    """Flags that a build needs and this CPU lacks."""
    return BUILDS[isa] - set(cpu_info("flags").split())


def is_built(isa: str) -> bool:
    """Whether a build was compiled into this installation."""
    return importlib.util.find_spec(_module(isa)) is not None


def _module(isa: str) -> str:
    return f"insitu.engines.cpu._native_{isa}"


def load() -> ModuleType:
    """The build that is asked for, or the best that runs here. ImportError where there is none."""
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
        raise ImportError(f"{SELECT}: {isa!r} is not a build; there are {', '.join(BUILDS)}")
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
