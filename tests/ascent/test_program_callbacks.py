"""Functions of a compiled program as conditions and commands, without the program: they are
registered by ctypes."""

import ctypes
from collections.abc import Iterator
from typing import Any

import pytest

from insitu.ascent.build import Libraries
from insitu.ascent.conduit_reader import ConduitReader
from insitu.ascent.program_callbacks import Command, ProgramCallbacks, split

pytestmark = pytest.mark.parallel(1)

CONDITION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
COMMAND = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


@pytest.fixture
def library(built: Libraries) -> Iterator[ctypes.CDLL]:
    found = ctypes.CDLL(str(built.ascent))
    yield found
    found.insitu_reset_callbacks()


def test_conditions(built: Libraries, library: ctypes.CDLL) -> None:
    answers = [1, 0]
    asked = CONDITION(lambda function: answers.pop(0))
    assert library.insitu_register_condition(b"late", asked, None) == 1
    assert library.insitu_register_condition(b"late", asked, None) == 0, "the name is taken"
    callbacks = ProgramCallbacks(str(built.ascent), str(built.conduit))
    assert (callbacks.conditions, callbacks.commands) == (["late"], [])
    assert [callbacks.holds("late"), callbacks.holds("late")] == [True, False]
    with pytest.raises(RuntimeError, match=r"'early' failed or is not registered \(there are late"):
        callbacks.holds("early")


def test_commands(built: Libraries, library: ctypes.CDLL) -> None:
    """They are given their parameters, the communicator and the rank."""
    reader = ConduitReader(str(built.conduit))
    seen: list[Any] = []
    called = COMMAND(lambda function, params, output: seen.append(reader.plain(params)))
    library.insitu_register_command(b"report", called, None)
    callbacks = ProgramCallbacks(str(built.ascent), str(built.conduit))
    params = {"word": "hello", "x": 0.5, "n": 3, "large": 2**40}
    callbacks.run(Command("c", "report", True, dict(params)), 77, 2)
    assert seen == [{**params, "mpi_comm": 77, "mpi_rank": 2}]
    with pytest.raises(RuntimeError, match="callback 'other' failed"):
        callbacks.run(Command("c", "other", True, {}), 77, 2)


def test_commands_among_actions() -> None:
    """What is no callback of the program costs that command alone."""
    scene = {"action": "add_scenes", "scenes": {}}
    wanted = {
        "good": {"params": {"callback": "report", "mpi_behavior": "root", "word": "hello"}},
        "unknown": {"params": {"callback": "reprot"}},
        "shell": {"params": {"shell_command": "rm -r ."}},
        "both": {"params": {"callback": "report", "shell_command": "ls"}},
        "nothing": None,
        "where": {"params": {"callback": "report", "mpi_behavior": "rank 1"}},
        "list": {"params": {"callback": "report", "levels": [1, 2]}},
    }
    rest, commands, refused = split(
        [scene, {"action": "add_commands", "commands": wanted}], ["report"]
    )
    assert rest == [scene]
    assert commands == [Command("good", "report", False, {"word": "hello"})]
    assert refused == [
        "commands.unknown: no callback 'reprot'; did you mean 'report'?",
        "commands.shell: only a callback that the program registered is called",
        "commands.both: only a callback that the program registered is called",
        "commands.nothing: expected params",
        "commands.where.params.mpi_behavior: expected all or root, not 'rank 1'",
        "commands.list.params.levels: expected a number or a text",
    ]
    nameless = split([{"action": "add_commands", "commands": [wanted["good"]]}], ["report"])
    assert nameless == ([], [], ["commands: expected commands by their names"])
