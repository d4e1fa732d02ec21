"""Description of the native engine's build that this process uses.

In: the CPU, the builds in this installation, the environment. Out: a `CpuBuild`, for logs and bug
reports.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

from insitu.engines import threads
from insitu.engines.cpu import native


@dataclass(frozen=True)
class CpuBuild:
    """The native engine of this process; `str` of it has one fact per line."""

    build: str
    """"avx512", "avx2" or "portable"."""
    reason: str
    """Why this build was chosen."""
    builds: tuple[str, ...]
    """All installed builds, best first."""
    cpu: str
    """Name of the CPU, as reported by the system."""
    flags: tuple[str, ...]
    """The CPU's instruction-set flags that are relevant to some build."""
    lanes: int
    """Number of floats in a vector."""
    cpus: int
    """Number of CPUs that this process may run on (its affinity)."""
    omp_num_threads: int | None
    """OMP_NUM_THREADS; None where it is not set to a number."""
    threads: int
    """Number of threads of this process; the ranks of a session share the CPUs of their node."""

    def __str__(self) -> str:
        limit = self.omp_num_threads or "not set"
        return "\n".join(
            [
                f"build    {self.build}, {self.lanes} lanes: {self.reason}",
                f"builds   {', '.join(self.builds)}",
                f"CPU      {self.cpu}",
                f"flags    {' '.join(self.flags) or 'none that a build asks for'}",
                f"threads  {self.threads} (OMP_NUM_THREADS {limit}; CPUs by affinity: {self.cpus})",
            ]
        )


def describe() -> CpuBuild:
    """The native engine that this process has loaded. Not collective."""
    present = set(native.cpu_info("flags").split())
    asked_for = set().union(*native.BUILDS.values())
    return CpuBuild(
        build=native.lib.isa,
        reason=_reason(native.lib.isa),
        builds=tuple(isa for isa in native.BUILDS if native.is_built(isa)),
        cpu=native.cpu_info("model name") or platform.processor() or platform.machine(),
        flags=tuple(sorted(asked_for & present)),
        lanes=native.lib.lanes,
        cpus=len(threads.cpus()),
        omp_num_threads=threads.omp_num_threads(),
        threads=threads.threads(),
    )


def _reason(chosen: str) -> str:
    if os.environ.get(native.SELECT):
        return f"asked for by {native.SELECT}"
    better = list(native.BUILDS)[: list(native.BUILDS).index(chosen)]
    if not better:
        return "the best there is"
    return "; ".join(
        f"{isa} is not built"
        if not native.is_built(isa)
        else f"{isa} needs {', '.join(sorted(native.missing(isa)))}"
        for isa in better
    )
