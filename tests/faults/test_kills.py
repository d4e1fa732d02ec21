"""Ranks die by SIGKILL at random moments; every complete frame of the window comes back."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from insitu.cli.command_line import main
from insitu.store import crash_file, recovery
from insitu.store.crash_file import CrashFile, Owner
from insitu.store.liveness import Process
from insitu.store.manifest import Units
from insitu.store.record import open_record
from tests.support.crash_entries import add, frames_of
from tests.support.faults import rounds

WRITERS, SESSIONS = 38, 6  # and two ranks per session: 50 kills
WINDOW = 4

SIMULATION = """
import hashlib, json, os, sys
import insitu
from mpi4py import MPI
from tests.support.moving import Moving
folder = sys.argv[1]
comm = MPI.COMM_WORLD
simulation = Moving(comm, steps=10**6, cells=(4, 4, 8))
small = {"network": {"log2_hashmap_size": 6, "n_levels": 2}, "iterations": 5, "unit": "kg m-3"}
session = insitu.open({
    "fields": {"density": small, "velocity": small}, "window": {"steps": 3, "every": 1},
    "record": {"path": folder + "/record", "scratch": folder}, "output": folder,
    "on_error": "raise",
}, comm)
told = open(f"{folder}/told_{comm.rank}", "a", buffering=1)
print(json.dumps({"pid": os.getpid()}), file=told)
while True:
    simulation.step()
    session.publish(simulation.mesh())
    session.execute()
    made = {}
    for name in ("density", "velocity"):
        blocks = session.window.entries(name)[-1].open().fields
        made[name] = [hashlib.sha256(block.to_bytes()).hexdigest() for block in blocks]
    print(json.dumps({"cycle": simulation.cycle, "made": made}), file=told)
"""


def write_until_killed(folder: Path, told: int) -> None:
    """A rank that does nothing but keep the last entries, and tells of each when it is kept."""
    process = Process.this()
    file = CrashFile(folder / "f.crash", Owner("run", "", 0, 1, "r", Units(), process))
    number = 0
    while True:
        number += 1
        add(file, number)
        os.write(told, number.to_bytes(8, "little"))
        if number > WINDOW:
            file.release(number - WINDOW)


def test_writers_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(7)
    caught = 0
    writers = rounds(WRITERS)
    for _ in writers:
        folder = tmp_path / "insitu.run"
        folder.mkdir()
        reader, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            write_until_killed(folder, told)
        os.close(told)
        first = os.read(reader, 8)  # it has begun
        # The pipe takes 8000 numbers before the writer has to wait for us.
        time.sleep(chance.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        numbers = first
        while part := os.read(reader, 1 << 16):
            numbers += part
        os.close(reader)
        last = int.from_bytes(numbers[-8:], "little")
        assert len(numbers) == 8 * last

        (run,), unreadable = recovery.find([tmp_path])
        assert not unreadable and not run.in_use()
        found = crash_file.read(folder / "f.crash")
        kept = [entry.sequence for entry in found.entries]
        # All that was told of and not given up; perhaps one more, that was not told of any more.
        assert set(range(max(1, last - WINDOW + 1), last + 1)) <= set(kept)
        assert set(kept) <= set(range(max(1, last - WINDOW), last + 2))
        for entry in found.entries:
            assert list(entry.frames) == frames_of(entry.sequence)
        caught += len(found.torn)
        shutil.rmtree(folder)
    assert caught < len(writers)  # each at most once: the rest is whole


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.fixture
def launch() -> Any:
    """Starts the simulation on two ranks, as a user would, and leaves none behind."""
    started = []

    def start(folder: Path) -> subprocess.Popen[bytes]:
        mpiexec = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))
        command = [mpiexec, "-n", "2"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "OMPI"))}
        environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(
                [*command, sys.executable, "-c", SIMULATION, str(folder)],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_simulations_killed_at_any_moment(
    tmp_path: Path, launch: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    chance = random.Random(11)
    for number in rounds(SESSIONS):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = launch(folder)
        files = [folder / f"told_{rank}" for rank in range(2)]
        until = time.monotonic() + 300
        while min(len(lines(file)) for file in files) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        # A live run is not taken for a dead one.
        (run,), _ = recovery.find([folder])
        assert run.in_use()
        assert main(["recover", str(folder)]) == 2
        assert "still running" in capsys.readouterr().err
        time.sleep(chance.uniform(0, 0.2))
        for file in chance.sample(files, 2):
            os.kill(lines(file)[0]["pid"], signal.SIGKILL)
        process.wait()

        assert main(["recover", "--scratch", str(folder), "--json"]) == 0
        (dead,) = json.loads(capsys.readouterr().out)["dead_runs"]
        assert dead["n_ranks"] == 2 and dead["ranks"] == [0, 1]
        assert dead["record"] == str(folder / "record")
        assert main(["recover", *dead["folders"], "--remove", "--json"]) == 0
        saved = json.loads(capsys.readouterr().out)
        assert saved["output"] == str(folder / "record.recovered")
        assert not list(folder.glob("insitu.*"))

        told = [{at["cycle"]: at["made"] for at in lines(file)[1:]} for file in files]
        last = min(max(of_rank) for of_rank in told)
        record = open_record(saved["output"])
        assert record.units.fields == {"density": "kg m-3", "velocity": "kg m-3"}
        for name in ("density", "velocity"):
            cycles = record[name].cycles.tolist()
            assert set(range(max(1, last - 2), last + 1)) <= set(cycles)
            for cycle in cycles:
                frames = [block.to_bytes() for block in record[name].sel(cycle=cycle).fields]
                digests = [hashlib.sha256(data).hexdigest() for data in frames]
                for rank, digest in enumerate(digests):
                    assert told[rank].get(cycle, {name: [digest]})[name] == [digest]
