"""The number of threads of the native engine in this process.

In: OMP_NUM_THREADS, the CPUs that the process may run on, this rank's share of them. Out: a number
of threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_share: ContextVar[int | None] = ContextVar("CPUs of this process", default=None)


def cpus() -> frozenset[int]:
    """The CPUs that this process may run on (its affinity), by index."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def omp_num_threads() -> int | None:
    """OMP_NUM_THREADS; None where it is not set to a number."""
    # OpenMP allows a list, one number per level of nesting; the first is the outermost.
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def threads() -> int:
    """Number of threads to use: OMP_NUM_THREADS, or else this rank's share of its node's CPUs, or
    else all CPUs it may run on. Training is reproducible for a fixed number of threads."""
    return omp_num_threads() or _share.get() or len(cpus())


@contextmanager
def sharing(n_cpus: int | None) -> Iterator[None]:
    """Context in which this process uses only `n_cpus` CPUs, because other ranks share them; None:
    all. The setting is local to the current context (a context variable)."""
    before = _share.set(n_cpus)
    try:
        yield
    finally:
        _share.reset(before)
