"""The Python functions that triggers call.

In: names from the run file, functions given with `Session.on`. Out: calls when triggers fire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from insitu.actions import Action
from insitu.core.errors import ConfigError, nearest
from insitu.core.parallel import RemoteError, together
from insitu.queries import callbacks
from insitu.queries.triggers import Callback, Trigger, TriggerEngine
from insitu.session.reporter import Reporter

if TYPE_CHECKING:
    from mpi4py import MPI


class Listeners:
    """Functions by trigger; the same on every rank."""

    def __init__(
        self, comm: MPI.Comm, reactions: TriggerEngine[Action], reporter: Reporter
    ) -> None:
        """Imports what run files name as module:function. Collective.

        Raises: ConfigError on every rank, with what any of them could not import.
        """
        self.comm, self._reactions, self._reporter = comm, reactions, reporter
        self._added: dict[str, list[Callback]] = {}
        refusals = []
        with together(comm, "callbacks of triggers"):
            for trigger in reactions.triggers:
                if trigger.callback is not None and ":" in trigger.callback:
                    try:
                        reactions.callbacks[trigger.callback] = callbacks.load(trigger.callback)
                    except ConfigError as error:
                        refusals += [f"trigger {trigger.name}: {p}" for p in error.problems]
        found = [text for texts in comm.allgather(refusals) for text in texts]
        if found:
            raise ConfigError(list(dict.fromkeys(found)))

    def add(self, name: str, function: Callback) -> None:
        """As `Session.on`. Not collective."""
        triggers = [trigger.name for trigger in self._reactions.triggers]
        named = [t.callback for t in self._reactions.triggers if t.callback is not None]
        if name in named:
            self._reactions.callbacks[name] = function
        elif name in triggers:
            self._added.setdefault(name, []).append(function)
        else:
            hint = nearest(name, [*triggers, *named])
            there = f" (there are {', '.join([*triggers, *named]) or 'none'})"
            raise ConfigError([f"on: no trigger or callback {name!r}{hint or there}"])

    def check(self) -> None:
        """ConfigError where a trigger names a function that is not registered. Not collective."""
        missing = [
            f"trigger {t.name}: callback: nothing is registered as {t.callback!r}; call "
            f"session.on({t.callback!r}, function), or name it as module:function"
            for t in self._reactions.triggers
            if t.callback is not None and t.callback not in self._reactions.callbacks
        ]
        if missing:
            raise ConfigError(missing)

    def of(self, trigger: Trigger[Action]) -> list[tuple[str, Callback]]:
        """The functions that are called when a trigger fires, each with what it is known as. Not
        collective."""
        added = self._added.get(trigger.name, [])
        found = [(f"session.on({trigger.name!r})", function) for function in added]
        if trigger.condition is not None and trigger.callback is not None:
            found.append((trigger.callback, self._reactions.callbacks[trigger.callback]))
        return found

    def call(self, fired: Sequence[Trigger[Action]], cycle: int, time: float) -> None:
        """Call the functions of the triggers that fired. Collective."""
        for trigger in fired:
            event = self._reactions.event(trigger, cycle, time)
            for name, function in self.of(trigger):
                try:
                    with together(self.comm, f"trigger {trigger.name}, callback {name}"):
                        function(event)
                except RemoteError as error:
                    self._reporter.failed("callback failed", error)
