"""What libascent_mpi.so calls, at every call of its own.

In: the name of the call, the number of the opened Ascent, the address of a node.
Out: JSON for `ascent_info`. Nothing is raised: a failure is logged and the simulation goes on, or,
where it asked for that (`exceptions: forward`, `on_error: raise`), all ranks end.
"""

from __future__ import annotations

import ctypes
import functools
import json
import logging
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

from insitu.ascent.client_session import AscentSession
from insitu.ascent.conduit_reader import ConduitReader
from insitu.ascent.mpi_finalize import close_before_mpi_ends, flush
from insitu.ascent.program_callbacks import ProgramCallbacks
from insitu.core import launcher, yaml_tree
from insitu.core.yaml_tree import Places

_opened: dict[int, AscentSession] = {}
_readers: dict[str, ConduitReader] = {}


def call(library: str, what: str, handle: int, address: int) -> str:
    """One call of the C interface. Collective as it says there."""
    if what == "yaml":
        return _yaml_to_json(address)
    reader = _readers.setdefault(library, ConduitReader(library))
    details = ""
    try:
        details = _do(reader, library, what, handle, address)
    except Exception as error:
        details = f"{type(error).__name__}: {error}"
        _failed(what, handle, error)
    flush()
    attached = _opened.get(handle)
    return _answer(what, details, {} if attached is None else attached.info())


def _do(reader: ConduitReader, library: str, what: str, handle: int, address: int) -> str:
    """Returns what went wrong and has been told already; else ""."""
    if what == "open":
        options = reader.plain(address) if address else None
        _opened[handle] = AscentSession(
            options if isinstance(options, dict) else None, _program_callbacks(library)
        )
        close_before_mpi_ends(functools.partial(_close, handle))
    elif what == "close":
        _close(handle)
    elif handle not in _opened:
        raise RuntimeError(f"ascent_{what}: this Ascent is not open; call ascent_open first")
    elif what == "publish":
        _opened[handle].publish(reader.mesh(address) if address else None)
    else:
        return _opened[handle].execute(reader.plain(address) if address else None)
    return ""


def _program_callbacks(library: str) -> ProgramCallbacks:
    """The functions in the libascent_mpi.so beside this libconduit.so."""
    return ProgramCallbacks(str(Path(library).with_name("libascent_mpi.so")), library)


def _failed(what: str, handle: int, error: Exception) -> None:
    """Say so; end all ranks where that was asked for."""
    attached = _opened.get(handle)
    if attached is not None and attached.on_error == "raise":
        traceback.print_exception(error)
        launcher.abort(attached.comm, 1)
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


def _close(handle: int) -> None:
    """Close an Ascent, if it is open still."""
    attached = _opened.pop(handle, None)
    if attached is not None:
        attached.close()


def _yaml_to_json(address: int) -> str:
    """What `conduit_node_parse` makes of YAML. Raises ConfigError."""
    # As run files are read: no more values than a limit, however aliases nest.
    places = Places("text", Path.cwd())
    return json.dumps(yaml_tree.parse(ctypes.string_at(address).decode(), places))
