"""What libascent_mpi.so calls, at every call of its own.

In: the name of the call, the number of the opened Ascent, the address of a node.
Out: JSON for `ascent_info`. Nothing is raised: a failure is logged and the simulation goes on, or,
where it asked for that (`exceptions: forward`, `on_error: raise`), all ranks end.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import logging
import sys
import traceback
from datetime import datetime
from typing import Any

from mpi4py import MPI

from insitu.ascent.attached import Attached
from insitu.ascent.tree import Reader

_opened: dict[int, Attached] = {}
_readers: dict[str, Reader] = {}
_keyval = MPI.KEYVAL_INVALID


def call(library: str, what: str, handle: int, address: int) -> str:
    """One call of the C interface. Collective as it says there."""
    if what == "yaml":
        return _yaml_to_json(address)
    reader = _readers.setdefault(library, Reader(library))
    details = ""
    try:
        _do(reader, what, handle, address)
    except Exception as error:
        details = f"{type(error).__name__}: {error}"
        _failed(what, handle, error)
    _flush()
    attached = _opened.get(handle)
    return _answer(what, details, {} if attached is None else attached.info())


def _do(reader: Reader, what: str, handle: int, address: int) -> None:
    if what == "open":
        options = reader.plain(address) if address else None
        _opened[handle] = Attached(options if isinstance(options, dict) else None)
        _close_before_mpi_ends()
    elif what == "close":
        attached = _opened.pop(handle, None)
        if attached is not None:
            attached.close()
    elif handle not in _opened:
        raise RuntimeError(f"ascent_{what}: this Ascent is not open")
    elif what == "publish":
        _opened[handle].publish(reader.mesh(address) if address else None)
    else:
        _opened[handle].execute(reader.plain(address) if address else None)


def _failed(what: str, handle: int, error: Exception) -> None:
    """Say so; end all ranks where that was asked for."""
    attached = _opened.get(handle)
    if attached is not None and attached.on_error == "raise":
        traceback.print_exception(error)
        _flush()
        attached.comm.Abort(1)
    log = logging.getLogger("insitu")
    if attached is None or attached.comm.rank == 0 or error.__cause__ is not None:
        log.warning("Ascent::%s: %s", what, error)
    log.debug("Ascent::%s", what, exc_info=error)


def _answer(what: str, details: str, info: dict[str, Any]) -> str:
    outcome = "failed" if details else "completed"
    status = {"message": f"Ascent::{what} {outcome} at {datetime.now():%Y-%m-%d %H:%M:%S}"}
    if details:
        status["details"] = details
    return json.dumps({**info, "status": status})


def _close_before_mpi_ends() -> None:
    """Have what the simulation leaves open closed while MPI still works.

    In a compiled program that is in MPI_Finalize, which deletes the attributes of COMM_SELF before
    anything else (MPI 4.1, section 11.2.4); in a Python program at its exit, which comes first.
    """
    global _keyval
    if _keyval == MPI.KEYVAL_INVALID:
        _keyval = MPI.Comm.Create_keyval(delete_fn=lambda comm, keyval, value: _close_all())
        MPI.COMM_SELF.Set_attr(_keyval, True)
        atexit.register(_close_all)


def _close_all() -> None:
    for handle in sorted(_opened):
        attached = _opened.pop(handle)
        try:
            attached.close()
        except Exception as error:
            logging.getLogger("insitu").warning("closing at the end of MPI: %s", error)
    _flush()


def _yaml_to_json(address: int) -> str:
    import yaml

    return json.dumps(yaml.safe_load(ctypes.string_at(address).decode()))


def _flush() -> None:
    """An embedded interpreter is never ended, so nothing else writes its buffers out."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
