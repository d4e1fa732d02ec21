"""Has what a simulation leaves open closed while MPI still works, whoever ends it, and however.

In: functions that close. Out: each is called once, before MPI ends.
"""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Callable

from mpi4py import MPI

_closing: list[Callable[[], object]] = []
_keyval = MPI.KEYVAL_INVALID


def close_before_mpi_ends(close: Callable[[], object]) -> None:
    """Have `close` called at the end. Not collective; `close` may be, if all ranks ask for it in
    the same order. What it raises is logged.

    In a compiled program the end is MPI_Finalize, which deletes the attributes of COMM_SELF before
    anything else (MPI 4.1, section 11.2.4); in a Python program its exit, which comes first.
    """
    global _keyval
    if _keyval == MPI.KEYVAL_INVALID:
        _keyval = MPI.Comm.Create_keyval(delete_fn=lambda comm, keyval, value: _end())
        MPI.COMM_SELF.Set_attr(_keyval, True)
        atexit.register(_close_all)
    _closing.append(close)


def flush() -> None:
    """Write out what was printed: an embedded interpreter is never ended, so nothing else does."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _end() -> None:
    """In MPI_Finalize: what is left of MPI's objects would be reported as leaked, since an embedded
    interpreter frees none."""
    global _keyval
    _close_all()
    if _keyval != MPI.KEYVAL_INVALID:
        _keyval = MPI.Comm.Free_keyval(_keyval)


def _close_all() -> None:
    while _closing:
        close = _closing.pop(0)
        try:
            close()
        except Exception as error:
            logging.getLogger("insitu").warning("closing at the end of MPI: %s", error)
    flush()
