"""insitu as a Python extract of a real Ascent; adapters/ascent/insitu_extract.py calls it.

In: the names that Ascent gives the script; a run file. Out: what the run file asks for; meshes for
nested Ascents. Nothing is raised: one uncaught exception, and Ascent runs no further Python of this
process.

Ascent runs the script anew at every execute; sessions are kept here, one for each script and
communicator, and closed before MPI ends.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mpi4py import MPI

from insitu import actions, config
from insitu.actions import Actions
from insitu.ascent import mpi_library, nested, publish
from insitu.ascent.client_session import with_plain_state
from insitu.ascent.mpi_finalize import close_before_mpi_ends, flush
from insitu.config import RunConfig
from insitu.config.ascent import PublishConfig
from insitu.core import launcher
from insitu.core.errors import ConfigError, nearest
from insitu.core.parallel import RemoteError, rank_logger, together
from insitu.mesh.tree import trees
from insitu.queries.session_file import SESSION_NAME
from insitu.session import Session
from insitu.session.report import StepReport, step_line
from insitu.session.reporter import terminal

VARIABLE = "INSITU_CONFIG"
RUN_FILE = "insitu.yaml"
CHECK = "insitu ascent-extract --check"
OWN_SESSION_NAME = "insitu_session"

# By script and members of the communicator; None: could not be opened.
_extracts: dict[tuple[str, tuple[int, ...]], Extract | None] = {}


def execute(names: Mapping[str, Any]) -> None:
    """Do what is due at the step that Ascent has at hand. Collective; raises nothing.

    names: of the script, which has `ascent_data`, `__file__`, and under MPI `ascent_mpi_comm_id`.
    """
    comm: MPI.Comm = MPI.COMM_SELF
    try:
        comm_id = names.get("ascent_mpi_comm_id")
        if comm_id is not None:
            if _another_mpi():
                return
            comm = MPI.Comm.f2py(comm_id())
        key = (str(names.get("__file__", "")), _members(comm))
        if key not in _extracts:
            _extracts[key] = None
            _extracts[key] = Extract(key[0], comm, mpi=comm_id is not None)
        extract = _extracts[key]
        if extract is not None:
            extract.execute(names["ascent_data"]())
    except ConfigError as error:  # the same on every rank
        if comm.rank == 0:
            rank_logger(comm).warning("%s; Ascent continues without insitu", error)
    except Exception as error:
        agreed = isinstance(error, RemoteError)
        if comm.rank == 0 or not agreed or error.__cause__ is not None:
            rank_logger(comm).warning("%s", error if agreed else repr(error))
        rank_logger(comm).debug("extract", exc_info=error)
    except BaseException:  # who was asked to end must not strand the other ranks
        traceback.print_exc()
        launcher.abort(comm, 1)
    flush()


def _members(comm: MPI.Comm) -> tuple[int, ...]:
    """The communicator's ranks, by their numbers in the world: a simulation may have a new handle
    for the same ranks at every step. Not collective."""
    mine, world = comm.Get_group(), MPI.COMM_WORLD.Get_group()
    try:
        return tuple(mine.Translate_ranks(None, world))
    finally:
        mine.Free()
        world.Free()


@functools.cache
def _another_mpi() -> bool:
    """Whether mpi4py has loaded another MPI than the simulation's; told once, by the launcher's
    rank 0. Not collective: the same on all ranks of one installation."""
    found = mpi_library.loaded()
    if len(found) > 1 and launcher.rank() == 0:
        print(
            f"insitu: nothing will be recorded: mpi4py has another MPI than the simulation "
            f"({' and '.join(map(str, found))} are loaded); `{CHECK}` says how to give it the same",
            file=sys.stderr,
            flush=True,
        )
    return len(found) > 1


def run_file(script: str) -> Path:
    """The run file: that of INSITU_CONFIG, or insitu.yaml beside the script or in the working
    directory. Not collective. ConfigError naming the places where there is none."""
    named = os.environ.get(VARIABLE)
    places = [Path(named)] if named else [Path(script).parent / RUN_FILE, Path(RUN_FILE)]
    for place in places:
        if place.is_file():
            return place
    looked = " and ".join(str(place.absolute()) for place in dict.fromkeys(places))
    raise ConfigError([f"no run file: looked for {looked}; {VARIABLE} names another"])


class Extract:
    """One session inside of Ascent. All methods are collective."""

    def __init__(self, script: str, comm: MPI.Comm, *, mpi: bool) -> None:
        """Opens the session, to be closed before MPI ends.

        mpi: whether the Ascent is that with MPI.

        Raises: ConfigError or RemoteError, the same on every rank.
        """
        run, wanted = config.broadcast(comm, lambda: _load(script))
        if run.session_name == SESSION_NAME:  # Ascent's own file, which it writes last
            run = dataclasses.replace(run, session_name=OWN_SESSION_NAME)
        self._publish = _possible(comm, run.ascent.publish)
        self.script, self.run = script, run
        if self._publish:  # what goes back may be any step of any field
            window = dataclasses.replace(run.window, keep="all")
            run = dataclasses.replace(run, window=window)
        shown = terminal(comm, run.output, quiet=True)
        self._session = Session(run, wanted, comm, terminal=shown)
        self._mpi = mpi
        self._said: set[str] = set()
        self.closed = False
        close_before_mpi_ends(self.close)

    def execute(self, tree: Any) -> None:
        """A step of the session, and what of it goes back to Ascent.

        tree: this rank's conduit node; read in place, not kept.
        """
        session, comm = self._session, self._session.comm
        try:
            with together(comm, "mesh"):
                session.publish([with_plain_state(domain) for domain in trees(tree)])
            report = session.execute()
            if report is not None and not report.skipped:
                self._hand_back(report)
        except Exception as error:
            if session.run.on_error == "raise":
                self._abort(error)
            raise
        if comm.rank == 0 and report is not None:
            print(f"insitu: {step_line(report)}", flush=True)

    def close(self) -> None:
        """Write what the session leaves; once. Raises as `Session.close`."""
        if self.closed:
            return
        self.closed = True
        self._session.close()

    def _hand_back(self, report: StepReport) -> None:
        """Publish to nested Ascents what is due; a failure is told once and costs no step."""
        session, comm = self._session, self._session.comm
        for name, wanted in self._publish.items():
            if wanted.trigger is not None and wanted.trigger not in report.fired:
                continue
            try:
                mine = publish.domains(comm, session.window, wanted)
                if mine is not None:
                    nested.run(comm, mine, wanted.actions, mpi=self._mpi)
            except RemoteError as error:
                if session.run.on_error == "raise":
                    raise
                text = f"ascent.publish.{name}: {error}"
                if text not in self._said and comm.rank == 0:
                    session.log.warning("%s", text)
                self._said.add(text)

    def _abort(self, error: Exception) -> None:
        """End all ranks: raising would only end Ascent's Python, and the simulation would go on."""
        comm = self._session.comm
        if comm.rank == 0 or error.__cause__ is not None:
            traceback.print_exception(error)
            flush()
        if isinstance(error, RemoteError):  # all ranks are here: let them say what they have to
            comm.Barrier()
        launcher.abort(comm, 1)


def _load(script: str) -> tuple[RunConfig, Actions]:
    """The run file, with the triggers that `ascent` names. On rank 0; ConfigError."""
    run, wanted = actions.load(run_file(script))
    triggers = [trigger.name for trigger in wanted.triggers]
    there = f" (there are {', '.join(triggers) or 'none'})"
    problems = _shared(script, run)
    problems += [
        f"ascent.publish.{name}.trigger: no trigger {entry.trigger!r}"
        + (nearest(entry.trigger, triggers) or there)
        for name, entry in run.ascent.publish.items()
        if entry.trigger is not None and entry.trigger not in triggers
    ]
    if problems:
        raise ConfigError(problems)
    return run, wanted


def _shared(script: str, run: RunConfig) -> list[str]:
    """What this run file has in common with that of another extract, which would write over it."""
    problems = []
    for other in _extracts.values():
        if other is None or other.closed or other.script == script:
            continue
        if Path(run.output).resolve() == Path(other.run.output).resolve():
            problems.append(f"output: {run.output!r} is that of {other.script} as well")
        mine, theirs = run.record, other.run.record
        if mine and theirs and Path(mine.path).resolve() == Path(theirs.path).resolve():
            problems.append(f"record.path: {mine.path!r} is that of {other.script} as well")
    return [f"{problem}; give each extract one of its own" for problem in problems]


def _possible(comm: MPI.Comm, wanted: Mapping[str, PublishConfig]) -> dict[str, PublishConfig]:
    """What can be published with the packages there are; the rest is told once. Collective."""
    found = importlib.util.find_spec("vtkmodules") is not None
    if comm.allreduce(found, op=MPI.LAND):
        return dict(wanted)
    lost = [name for name, entry in wanted.items() if entry.isosurface is not None]
    if lost and comm.rank == 0:
        rank_logger(comm).warning(
            "ascent.publish: %s: isosurfaces need the package vtk (pip install 'insitu-inr[vtk]'); "
            "all else goes on without",
            ", ".join(lost),
        )
    return {name: entry for name, entry in wanted.items() if name not in lost}
