"""How many threads the native engine may use in this process.

In: OMP_NUM_THREADS, the CPUs that the process may run on, how many others share them. Out: a number
of threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_share: ContextVar[int | None] = ContextVar("CPUs of this process", default=None)


def cpus() -> frozenset[int]:
    """The CPUs that this process may run on (its affinity), by number."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def omp_num_threads() -> int | None:
    """OMP_NUM_THREADS; None where it is not set to a number."""
    # OpenMP allows a list, one number per level of nesting; the first is the outermost.
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def threads() -> int:
    """Threads to use: OMP_NUM_THREADS, else this rank's share of its node's CPUs, else all of those
    it may run on. Training is reproducible for a given number of them."""
    return omp_num_threads() or _share.get() or len(cpus())


@contextmanager
def sharing(n_cpus: int | None) -> Iterator[None]:
    """Within, only so many of the CPUs are this process's own: other ranks run on them too. None:
    all of them. Work of others in this process has shares of its own."""
    before = _share.set(n_cpus)
    try:
        yield
    finally:
        _share.reset(before)
