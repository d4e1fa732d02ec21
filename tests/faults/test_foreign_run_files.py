"""Run files and actions of others: no code where that is refused, no more memory than due."""

import ctypes
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI

import insitu
from insitu import actions
from insitu.ascent import c_callbacks
from insitu.cli.command_line import main
from insitu.core.errors import ConfigError
from insitu.session import run
from tests.support import records
from tests.support.sessions import run_file

CALLBACK = [
    {
        "action": "add_triggers",
        "triggers": {"t": {"params": {"condition": "cycle() > 3", "callback": "os:getcwd"}}},
    }
]
SCRIPT = [
    {
        "action": "add_extracts",
        "extracts": {"e": {"type": "python", "params": {"source": "print('here')"}}},
    }
]
NESTED = {
    "publish": {
        "p": {"isosurface": {"field": "density", "isovalues": [1.0]}, "actions": SCRIPT},
    }
}


@pytest.fixture
def no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_NO_CODE", "1")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"actions": CALLBACK}, "trigger t: callback: 'os:getcwd'"),
        ({"actions": SCRIPT}, "source: a script"),
        ({"ascent": NESTED}, "actions: an extract"),
    ],
)
def test_code_is_refused_by_one_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], refused: str
) -> None:
    wanted = run_file(tmp_path, **changes)
    insitu.open(wanted, MPI.COMM_SELF).close()
    monkeypatch.setenv("INSITU_NO_CODE", "1")
    with pytest.raises(ConfigError, match=f"{refused} runs Python, which --no-code or INSITU_NO_"):
        insitu.open(wanted, MPI.COMM_SELF)
    insitu.open(run_file(tmp_path), MPI.COMM_SELF).close()  # what runs no code is not refused


def test_a_simulation_is_code(
    tmp_path: Path, no_code: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text("simulation: {module: wave}")
    assert run.main([str(tmp_path / "run.yaml"), "--dry-run"]) == 2
    assert "simulation.module: 'wave' runs Python" in capsys.readouterr().err


@pytest.mark.parametrize("listed", [CALLBACK, SCRIPT])
def test_a_replay_without_code(
    tmp_path: Path,
    no_launcher: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    listed: list[Any],
) -> None:
    records.write(tmp_path / "record", (0,))
    (tmp_path / "actions.json").write_text(json.dumps(listed))
    monkeypatch.setenv("INSITU_NO_CODE", "0")  # put back afterwards: the option sets it
    command = ["replay", str(tmp_path / "record"), str(tmp_path / "actions.json")]
    assert main([*command, "--no-code"]) == 2
    assert "runs Python, which --no-code" in capsys.readouterr().err
    monkeypatch.setenv("INSITU_NO_CODE", "0")
    assert main(command) == 0


def test_code_in_actions_is_read_where_it_is_allowed(tmp_path: Path) -> None:
    _, wanted = actions.load(run_file(tmp_path, actions=SCRIPT))
    assert wanted.due


def test_nested_aliases_cost_nothing() -> None:
    """430 bytes that stand for a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    text = ctypes.create_string_buffer("\n".join(lines).encode())
    tracemalloc.start()
    with pytest.raises(ConfigError, match="holds more than 200000 values"):
        c_callbacks.call("", "yaml", 0, ctypes.addressof(text))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    small = ctypes.create_string_buffer(b"a: {b: [1, 2.5, yes]}")
    told = json.loads(c_callbacks.call("", "yaml", 0, ctypes.addressof(small)))
    assert told == {"a": {"b": [1, 2.5, "yes"]}}
