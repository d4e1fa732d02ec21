"""A simulation that opened Ascent: what it publishes becomes a step of an insitu session.

In: options, meshes and actions, as `tree.Reader` reads them. Out: pictures, a record, `info`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI

from insitu import config
from insitu.actions import Actions
from insitu.ascent import program_callbacks, requested
from insitu.ascent.program_callbacks import Command, ProgramCallbacks
from insitu.config import RunConfig
from insitu.core.errors import ConfigError
from insitu.core.parallel import rank_logger, together
from insitu.mesh import MeshError, PublishedStep
from insitu.mesh.published_step import GHOST_FIELD
from insitu.mesh.resample import resampled_names
from insitu.mesh.tree import Tree, trees
from insitu.queries.triggers import Event
from insitu.session import Session
from insitu.session.report import StepReport
from insitu.session.reporter import terminal


class AscentSession:
    """One Ascent, from open to close. All methods but `publish` and `info` are collective."""

    def __init__(
        self, options: Mapping[str, Any] | None, callbacks: ProgramCallbacks | None = None
    ) -> None:
        """callbacks: the program's functions that actions may name.

        Raises: ConfigError on every rank for options that cannot be read.
        """
        self._callbacks = callbacks
        self._commands: list[Command] = []
        self.comm = _communicator(options or {})
        self.log = rank_logger(self.comm)
        self.settings = config.broadcast(self.comm, lambda: requested.options(options))
        if self.comm.rank == 0:
            for text in requested.unknown_options(self.settings):
                self.log.warning("left out: %s", text)
        self.on_error = "raise" if self.settings.get("exceptions") == "forward" else "warn"
        self._session: Session | None = None
        self._wanted: Any = None  # on rank 0, the actions as they were last
        self._said: set[str] = set()
        self._step = PublishedStep(None)
        self._trouble: Exception | None = None  # at publishing
        self._last: StepReport | None = None

    def publish(self, mesh: Any) -> None:
        """Take this rank's part of the present step. Not collective; fails at `execute`."""
        self._trouble = None
        try:
            domains = [with_plain_state(domain) for domain in trees(mesh)]
            self._step = PublishedStep(domains, ghost_field=self._ghost_field)
        except Exception as error:
            self._trouble = error

    def execute(self, given: Any) -> str:
        """Do what is due at the published step. Returns why it was dropped, if the session dropped
        it and has said so; else "".

        Raises: what else went wrong, the same on every rank.
        """
        with together(self.comm, "mesh"):
            if self._trouble is not None:
                raise self._trouble
        self._follow(given)
        assert self._session is not None
        self._session.publish(self._step)
        self._step = PublishedStep(None)
        self._last = self._session.execute()
        self._run_commands()
        return self._session.dropped

    def info(self) -> dict[str, Any]:
        """What the last step came to, for `ascent_info`. Not collective."""
        if self._last is None:
            return {}
        return {
            "cycle": self._last.cycle,
            "time": self._last.time,
            "fields": {
                field.name: {"psnr_db": field.psnr_db, "ratio": field.ratio, "bytes": field.nbytes}
                for field in self._last.fields
            },
            "fired": list(self._last.fired),
            "images": [{"image_name": file} for file in self._last.files],
        }

    def close(self) -> None:
        """Write the record and free everything. Raises as `Session.close`."""
        session, self._session = self._session, None
        if session is None:
            return
        session.close()

    @property
    def _ghost_field(self) -> str | tuple[str, ...]:
        return GHOST_FIELD if self._session is None else self._session.run.ghost_field

    def _follow(self, given: Any) -> None:
        """Open the session, or have it do what the actions say now. Collective.

        Where the actions change later, as file names in them do, scenes and extracts are; queries,
        triggers and what is recorded stay those of the first step.
        """
        published, readable = self._fields() if self._session is None else ([], [])
        changed, self._commands, refused = config.broadcast(
            self.comm, lambda: self._changed(given, published, readable)
        )
        for text in refused:
            if self.comm.rank == 0 and text not in self._said:
                self._said.add(text)
                self.log.warning("left out: %s", text)
        if changed is None:
            return
        run, wanted = changed
        if self._session is None:
            self.on_error = run.on_error
            quiet = self.settings.get("messages") != "verbose"
            shown = terminal(self.comm, run.output, quiet=quiet)
            try:
                self._session = Session(run, wanted, self.comm, terminal=shown)
            except ConfigError as error:  # the same on every rank
                if run.on_error == "raise" or run.record is None:
                    raise
                if self.comm.rank == 0:
                    self.log.warning("%s; nothing is recorded", error)
                record = dataclasses.replace(run.record, on=())
                run = dataclasses.replace(run, record=record)
                self._session = Session(run, wanted, self.comm, terminal=shown)
            self._listen(wanted)
        else:
            actions = self._session.actions
            self._session.actions = dataclasses.replace(actions, due=wanted.due)

    def _fields(self) -> tuple[list[str], list[str]]:
        """The names of the fields that any rank publishes, and of those that can be kept.
        Collective."""
        here: tuple[list[str], list[str]] = ([], [])
        with together(self.comm, "mesh"):
            here = (list(self._step.field_names), _readable(self._step))
        published, readable = (
            list(dict.fromkeys(name for names in kind for name in names))
            for kind in zip(*self.comm.allgather(here), strict=True)
        )
        return published, readable

    def _changed(
        self, given: Any, published: list[str], readable: list[str]
    ) -> tuple[tuple[RunConfig, Actions] | None, list[Command], list[str]]:
        """On rank 0: the configuration if it is new, the commands, and what is left out of the
        actions."""
        wanted, source = requested.wanted_actions(given, self.settings)
        known = [] if self._callbacks is None else self._callbacks.commands
        wanted, commands, unknown = program_callbacks.split(wanted, known)
        if wanted == self._wanted:
            return None, commands, [f"{source}: {text}" for text in unknown]
        if self._session is None:
            run = requested.configuration(self.settings, wanted, published, readable)
        else:  # what is recorded was settled at the first step
            run = self._session.run
        actions, refused = requested.understood(run, wanted)
        if self._session is not None:
            refused += requested.too_late(self._session.actions, actions)
        self._wanted = wanted
        return (run, actions), commands, [f"{source}: {text}" for text in (*unknown, *refused)]

    def _listen(self, wanted: Actions) -> None:
        """Have triggers ask the program's functions."""
        assert self._session is not None
        if self._callbacks is None:
            return
        for trigger in wanted.triggers:
            name = trigger.callback
            if name is not None and ":" not in name:
                self._session.on(name, _Condition(self._callbacks, name))

    def _run_commands(self) -> None:
        """Call the program's functions that actions name as commands. Collective; RemoteError on
        every rank where one fails."""
        if self._callbacks is None:
            return
        for command in self._commands:
            with together(self.comm, f"command {command.name!r}"):
                if command.everywhere or self.comm.rank == 0:
                    self._callbacks.run(command, self.comm.py2f(), self.comm.rank)


@dataclass(frozen=True)
class _Condition:
    """A function of the program, as a trigger calls it."""

    callbacks: ProgramCallbacks
    name: str

    def __call__(self, event: Event) -> bool:
        return self.callbacks.holds(self.name)


def _communicator(options: Mapping[str, Any]) -> MPI.Comm:
    """The communicator of the option `mpi_comm`; a run of one process needs none."""
    handle = options.get("mpi_comm")
    if handle is not None:
        return MPI.Comm.f2py(int(handle))
    if MPI.COMM_WORLD.size > 1:
        raise ConfigError(
            ["mpi_comm: is required among the options, as MPI_Comm_c2f(communicator)"]
        )
    return MPI.COMM_SELF


def _readable(step: PublishedStep) -> list[str]:
    """The fields of this rank that insitu can take: numbers, on a topology it reads."""
    found = []
    for name in step.field_names:
        try:
            if step.is_made_of_cells(name):
                found += resampled_names(step.domains_read, [name])
                continue
            step.partitions(name, ghosts="ignore")
        except MeshError as error:
            logging.getLogger("insitu").debug("field %s: %s", name, error)
        else:
            found.append(name)
    return found


def with_plain_state(domain: Tree) -> Tree:
    """A domain whose time and cycle are numbers, or are not there.

    PyFR publishes the time as a group, a keyword and a text.
    """
    state = domain.get("state")
    if not isinstance(state, dict):
        return domain
    plain = dict(state)
    for name in ("time", "cycle"):
        value = state.get(name)
        if isinstance(value, dict):
            value = value.get("data")
        try:
            plain[name] = np.float64(str(value)) if isinstance(value, str) else value
        except ValueError:
            plain[name] = None
        if plain[name] is None:
            del plain[name]
    return {**domain, "state": plain}
