"""Training as a guest of the simulation: Ctrl-C ends it, it keeps to its time and its memory."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import insitu
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.training import trial
from tests.support.blocks import blob, partition
from tests.support.clocks import Clock
from tests.support.fitting import fit

ENDLESS = 10**7  # steps: an hour, where nothing stops it


@pytest.fixture
def trainers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    """The native trainers that a test starts. Ctrl-C for this process comes 0.3 s after the first:
    a busy machine may take longer than that to come to it."""
    started: list = []
    real = lib.Trainer
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    def start(*arguments: object) -> object:
        started.append(real(*arguments))
        if len(started) == 1:
            timer.start()
        return started[-1]

    monkeypatch.setattr(lib, "Trainer", start)
    # A job in a shell's background begins with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield started
    timer.cancel()
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_training(trainers: list) -> None:
    block = partition(blob, cells=(64, 64, 64))
    with pytest.raises(KeyboardInterrupt):
        fit(block, iterations=ENDLESS)
    assert 0 < trainers[0].iteration < ENDLESS / 100


def test_an_interrupt_is_not_taken_for_a_failed_step(trainers: list) -> None:
    """A session logs what goes wrong and goes on; Ctrl-C is meant for the simulation as well."""
    values = partition(blob, cells=(32, 32, 32), ghosts=0).components[0]
    axes = {"type": "uniform", "dims": dict.fromkeys("ijk", 33)}
    mesh = {
        "coordsets": {"coords": axes},
        "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
        "fields": {
            "f": {"association": "element", "topology": "mesh", "values": values.reshape(-1)}
        },
    }
    run = {"fields": {"f": {"iterations": ENDLESS}}, "window": {"keep": "all"}, "on_error": "warn"}
    session = insitu.open(run)
    session.publish(mesh)
    with pytest.raises(KeyboardInterrupt):
        session.execute()
    assert 0 < trainers[0].iteration < ENDLESS / 100
    session.close()


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_measuring_the_quality_counts_as_time(
    monkeypatch: pytest.MonkeyPatch, association: str
) -> None:
    """A clock that a sample measured puts forward by 10 ms, and a target out of reach. Its seconds
    are far more than what the test takes on a busy machine, which the trainer sees too."""
    clock, measure = Clock(0.2), lib.measure
    measured = 0

    def slow(*arguments: object) -> list:
        nonlocal measured
        errors = measure(*arguments)
        measured += errors[0]["finite"]
        clock.now += 1e-2 * errors[0]["finite"]
        return errors

    monkeypatch.setattr(lib, "measure", slow)
    monkeypatch.setattr(trial, "SLICE_SECONDS", 1e-3)
    block = partition(blob, association=association)
    field = fit(block, psnr=120, seconds=250, iterations=ENDLESS, compression="half", clock=clock)
    # Before and after the weights are rounded, in time; half a pass is where guessing ends.
    assert measured > 1.5 * block.n_voxels
    assert abs(field.metrics.seconds - 250) < 0.5e-2 * block.n_voxels


def test_no_time_at_all_is_one_step() -> None:
    field = fit(partition(blob, cells=(64, 64, 64)), seconds=0.001, iterations=ENDLESS)
    assert 1 <= field.metrics.iterations < 100
    assert np.isfinite(field.metrics.sum_of_squares[0])


def test_the_same_bits_every_time() -> None:
    """Where training ends by the quality, and goes on from the step before."""
    first = fit(partition(blob), psnr=35)
    moved = partition(lambda x, y, z: blob(x + 0.02, y, z))
    a, b = (fit(moved, previous=first, psnr=40) for _ in range(2))
    assert a.metrics.warm and a.metrics.iterations == b.metrics.iterations
    np.testing.assert_array_equal(a.params, b.params)


MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from insitu.models.hash_grid.model import HashGrid
from insitu.training import trial
from tests.support.blocks import blob, partition
from tests.support.fitting import fit

def megabytes(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

n = 192
block = partition(blob, cells=(n, n, n), ghosts=0)
fit(partition(blob, cells=(8, 8, 8)), HashGrid(n_levels=1, log2_hashmap_size=5), iterations=20)
Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
before = megabytes("VmRSS")
assert megabytes("VmHWM") < before + 1
network = HashGrid(log2_hashmap_size=int(sys.argv[1]), base_resolution=int(sys.argv[2]))
field = fit(block, network, iterations=20)
print(json.dumps({
    "weights": field.model.n_params * 4 / 2**20,
    "peak": megabytes("VmHWM") - before,
    "block": block.components[0].nbytes / 2**20,
}))
"""


def memory(root: Path, log2_hashmap_size: int, base_resolution: int) -> dict[str, float]:
    """MiB: the weights, the block, and by how much training raised the process's peak."""
    command = [sys.executable, "-c", MEASURE, str(log2_hashmap_size), str(base_resolution)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # each thread more is one gradient more
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux")
def test_memory_is_the_weights_and_the_optimiser(root: Path) -> None:
    default = HashGrid().for_domain(192**3).log2_hashmap_size
    used = memory(root, default, HashGrid().base_resolution)
    assert used["peak"] - used["weights"] < 2 * used["weights"] + 4 < used["block"] / 4
    # A network that outweighs the rest shows what grows with it: gradient and two moments while
    # training, and what coding the weights takes at its end.
    large = memory(root, 18, 32)
    assert large["weights"] > 8
    assert 3 < (large["peak"] - used["peak"]) / (large["weights"] - used["weights"]) < 14
