"""Signals as batch systems send them: twice, to all or some ranks, and while the run closes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mpi4py import MPI

from insitu.session import signals
from insitu.session.signals import GRACE_SECONDS, EndSignals
from insitu.store.record import open_record
from tests.support.faults import rounds
from tests.support.paths import ROOT

MPIEXEC = os.environ.get("MPIEXEC") or str(Path(sys.executable).with_name("mpiexec"))

OWN = """
import os, sys
import insitu
from mpi4py import MPI
from tests.support.moving import Moving
folder = sys.argv[1]
comm = MPI.COMM_WORLD
simulation = Moving(comm, steps=10**6, cells=(4, 4, 8))
session = insitu.open({
    "fields": {"density": {"network": {"log2_hashmap_size": 6, "n_levels": 2}, "iterations": 5}},
    "window": {"steps": 50, "every": 1}, "signals": True,
    "record": {"path": folder + "/record", "scratch": folder}, "output": folder,
}, comm, quiet=True)
while True:
    simulation.step()
    session.publish(simulation.mesh())
    session.execute()
    open(f"{folder}/told_{comm.rank}_{os.getpid()}", "a").write(f"{simulation.cycle}\\n")
"""
RUN = """
simulation: {module: endless, path: .}
fields: {density: {network: {log2_hashmap_size: 6, n_levels: 2}, iterations: 5}}
window: {steps: 50, every: 1}
record: {path: record, scratch: .}
output: .
"""
ENDLESS = """
import os
from tests.support.moving import Moving as _Moving

class Endless(_Moving):
    def __init__(self, comm):
        super().__init__(comm, steps=10**6, cells=(4, 4, 8))

    def step(self):
        super().step()
        open(f"told_{self.comm.rank}_{os.getpid()}", "a").write(f"{self.cycle - 1}\\n")
"""


class Started:
    """A program on two ranks."""

    def __init__(self, folder: Path, *command: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "OMPI"))}
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self.folder = folder
        self.mpiexec = subprocess.Popen(
            [MPIEXEC, "-n", "2", sys.executable, *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_steps(self, least: int = 3) -> list[int]:
        """The process numbers of the ranks, which have done that many steps."""
        until = time.monotonic() + 300
        while time.monotonic() < until:
            told = sorted(self.folder.glob("told_*"))
            if len(told) == 2 and all(path.read_text().count("\n") >= least for path in told):
                return [int(path.name.rpartition("_")[2]) for path in told]
            time.sleep(0.02)
        raise AssertionError(self.mpiexec.communicate(timeout=1))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts a program; none is left behind."""
    programs = []

    def begin(folder: Path, *command: str) -> Started:
        folder.mkdir()
        programs.append(Started(folder, *command))
        return programs[-1]

    yield begin
    for program in programs:
        program.mpiexec.kill()
        program.mpiexec.wait()


def to_all(program: Started, ranks: list[int], number: int) -> None:
    """What SLURM and PBS do at the time limit: every process, and mpiexec, which passes it on."""
    program.mpiexec.send_signal(number)
    for rank in ranks:
        os.kill(rank, number)


def to_one(program: Started, ranks: list[int], number: int) -> None:
    os.kill(ranks[1], number)


def check(program: Started, words: str) -> None:
    _, told = program.mpiexec.communicate(timeout=300)
    assert words in told and "Traceback" not in told, told
    assert f"is ignored for {GRACE_SECONDS:.0f} s, then ends at once" in told, told
    record = open_record(program.folder / "record")
    assert not record.problems
    cycles = record["density"].cycles.tolist()
    assert cycles == list(range(cycles[0], cycles[-1] + 1)) and len(cycles) >= 3
    assert not list(program.folder.glob("insitu.*")) and not list(program.folder.glob("*/*.lock"))


@pytest.mark.parametrize("own", [True, False])
def test_the_step_is_finished_and_the_record_written(
    tmp_path: Path, start: Callable[..., Started], own: bool
) -> None:
    (tmp_path / "endless.py").write_text(textwrap.dedent(ENDLESS))
    (tmp_path / "run.yaml").write_text(RUN.replace("path: .}", f"path: {tmp_path}}}"))
    (tmp_path / "own.py").write_text(OWN)
    sent = [(to_all, signal.SIGTERM), (to_one, signal.SIGUSR1)]
    for i in rounds(1):
        send, number = sent[(i + own) % 2]
        folder = tmp_path / f"{i}"
        if own:
            program = start(folder, str(tmp_path / "own.py"), str(folder))
        else:
            program = start(folder, "-m", "insitu.run", str(tmp_path / "run.yaml"))
        ranks = program.wait_for_steps()
        send(program, ranks, number)
        check(program, f"insitu: {number.name}: the ")


CLOSES = """
import os, signal, sys
import insitu
from insitu.store import frame_file
from tests.support.waves import waves
append = frame_file.append

def interrupted(*arguments):
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        os.kill(os.getpid(), number)
    return append(*arguments)

frame_file.append = interrupted
session = insitu.open({
    "fields": {"u": {"psnr": 20}}, "window": {"every": 1}, "signals": True, "output": "out",
    "record": {"path": "out/record", "scratch": "."},
}, quiet=True)
for cycle in range(3):
    session.publish(insitu.mesh.uniform({"u": waves((4, 5, 6))}, cycle=cycle))
    session.execute()
    if sys.argv[1] == "step" and cycle == 1:
        os.kill(os.getpid(), signal.SIGTERM)
session.close()
"""


@pytest.mark.parametrize("asked", ["step", "close"])
def test_signals_while_the_record_is_written_do_not_end_it(tmp_path: Path, asked: str) -> None:
    """Also where the first one comes while the program closes the session itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CLOSES, asked],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stderr.startswith("insitu: SIGTERM: "), done
    assert done.returncode == (-signal.SIGTERM if asked == "step" else 0), done
    record = open_record(tmp_path / "out" / "record")
    assert record["u"].cycles.tolist() == [0, 1, 2] and not record.problems
    assert not list(tmp_path.glob("insitu.*"))


def test_a_repetition_is_ignored_for_a_while_and_then_insists() -> None:
    now = [100.0]
    request = EndSignals(MPI.COMM_SELF, "the step is finished", clock=lambda: now[0])
    before = {number: signal.getsignal(number) for number in signals.SIGNALS}
    request.catch()
    try:
        assert request.agreed() == 0
        signal.raise_signal(signal.SIGUSR1)
        assert request.agreed() == signal.SIGUSR1
        now[0] += 2 * GRACE_SECONDS
        signal.raise_signal(signal.SIGTERM)  # another one: the batch system's next warning
        signal.raise_signal(signal.SIGTERM)
        now[0] += GRACE_SECONDS - 1
        signal.raise_signal(signal.SIGTERM)
        now[0] += 2
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert request.agreed() == signal.SIGUSR1
    finally:
        request.release()
    assert {number: signal.getsignal(number) for number in signals.SIGNALS} == before


def test_a_signal_that_the_program_handles_is_left_to_it() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    request = EndSignals(MPI.COMM_SELF, "the step is finished")
    request.catch()
    try:
        signal.raise_signal(signal.SIGTERM)
        assert came == [signal.SIGTERM] and request.agreed() == 0
    finally:
        request.release()
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parallel([1, 3])
def test_a_signal_to_one_rank_is_everyones() -> None:
    comm = MPI.COMM_WORLD
    request = EndSignals(comm, "the step is finished")
    request.catch()
    try:
        if comm.rank == comm.size - 1:
            signal.raise_signal(signal.SIGTERM)
        assert request.agreed() == signal.SIGTERM
    finally:
        request.release()
