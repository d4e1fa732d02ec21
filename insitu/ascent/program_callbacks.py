"""Functions of a compiled program that its actions call by name: `ascent::register_callback`.

In: libascent_mpi.so, where the program registered them; actions. Out: conditions for triggers, and
commands, which are run at every execute.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insitu.core.errors import nearest


@dataclass(frozen=True)
class Command:
    """A command of `add_commands`.

    Attributes:
        callback: the function's name.
        everywhere: on every rank, or on rank 0 alone (`mpi_behavior: root`).
        params: what it is given, besides `mpi_comm` and `mpi_rank`.
    """

    name: str
    callback: str
    everywhere: bool
    params: dict[str, int | float | str]


class ProgramCallbacks:
    """The functions that this process has registered by now."""

    def __init__(self, ascent: str, conduit: str) -> None:
        """Paths of the libraries that the process has loaded."""
        self._library = ctypes.CDLL(ascent)
        self._library.insitu_callback_name.restype = ctypes.c_char_p
        self._library.insitu_call_command.argtypes = (ctypes.c_char_p, *[ctypes.c_void_p] * 2)
        self._nodes = ctypes.CDLL(conduit)
        self._nodes.conduit_node_create.restype = ctypes.c_void_p
        self._nodes.conduit_node_destroy.argtypes = (ctypes.c_void_p,)
        put = (ctypes.c_void_p, ctypes.c_char_p)
        self._nodes.conduit_node_set_path_int32.argtypes = (*put, ctypes.c_int32)
        self._nodes.conduit_node_set_path_int64.argtypes = (*put, ctypes.c_int64)
        self._nodes.conduit_node_set_path_float64.argtypes = (*put, ctypes.c_double)
        self._nodes.conduit_node_set_path_char8_str.argtypes = (*put, ctypes.c_char_p)

    @property
    def conditions(self) -> list[str]:
        return self._names(1)

    @property
    def commands(self) -> list[str]:
        return self._names(0)

    def holds(self, name: str) -> bool:
        """What a condition says. Collective if the function is.

        Raises: RuntimeError where there is none, or where it threw, which has been told.
        """
        answer = int(self._library.insitu_call_condition(name.encode()))
        if answer < 0:
            known = ", ".join(self.conditions) or "none"
            raise RuntimeError(f"callback {name!r} failed or is not registered (there are {known})")
        return answer > 0

    def run(self, command: Command, comm_handle: int, rank: int) -> None:
        """Call a command. Collective if the function is.

        Raises: RuntimeError where it threw, which has been told.
        """
        params, output = (self._nodes.conduit_node_create() for _ in range(2))
        try:
            given = {**command.params, "mpi_comm": comm_handle, "mpi_rank": rank}
            for name, value in given.items():
                self._put(params, name.encode(), value)
            if not self._library.insitu_call_command(command.callback.encode(), params, output):
                raise RuntimeError(f"callback {command.callback!r} failed")
        finally:
            self._nodes.conduit_node_destroy(params)
            self._nodes.conduit_node_destroy(output)

    def _put(self, node: int, name: bytes, value: int | float | str) -> None:
        if isinstance(value, int) and -(2**31) <= value < 2**31:  # as MPI's handles are read
            self._nodes.conduit_node_set_path_int32(node, name, value)
        elif isinstance(value, int):
            self._nodes.conduit_node_set_path_int64(node, name, value)
        elif isinstance(value, float):
            self._nodes.conduit_node_set_path_float64(node, name, value)
        else:
            self._nodes.conduit_node_set_path_char8_str(node, name, value.encode())

    def _names(self, conditions: int) -> list[str]:
        count = self._library.insitu_callback_count(conditions)
        names = (self._library.insitu_callback_name(conditions, i) for i in range(count))
        return [name.decode() for name in names]


def split(
    wanted: Sequence[Any], known: Sequence[str]
) -> tuple[list[Any], list[Command], list[str]]:
    """Actions without the commands, the commands, and why others are none. Not collective.

    Args:
        wanted: the actions, as plain data.
        known: the names of functions that are registered as commands.
    """
    rest: list[Any] = []
    commands: list[Command] = []
    refused: list[str] = []
    for action in wanted:
        if action.get("action") != "add_commands":
            rest.append(action)
            continue
        entries = action.get("commands")
        if not isinstance(entries, Mapping):
            refused.append("commands: expected commands by their names")
            continue
        for name, entry in entries.items():
            found = _command(str(name), entry, known)
            if isinstance(found, str):
                refused.append(f"commands.{name}{found}")
            else:
                commands.append(found)
    return rest, commands, refused


def _command(name: str, entry: Any, known: Sequence[str]) -> Command | str:
    """A command, or what is wrong with it and where."""
    params = entry.get("params") if isinstance(entry, Mapping) else None
    if not isinstance(params, Mapping):
        return ": expected params"
    if "callback" not in params or "shell_command" in params:
        return ": only a callback that the program registered is called"
    given = dict(params)
    callback, behavior = str(given.pop("callback")), given.pop("mpi_behavior", "all")
    if callback not in known:
        hint = nearest(callback, known) or f" (there are {', '.join(known) or 'none'})"
        return f": no callback {callback!r}{hint}"
    if behavior not in ("all", "root"):
        return f".params.mpi_behavior: expected all or root, not {behavior!r}"
    for key, value in given.items():
        if not isinstance(value, int | float | str):
            return f".params.{key}: expected a number or a text"
    return Command(name, callback, behavior == "all", given)
