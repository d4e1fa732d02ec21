"""A record's steps are differences from the ones before; damage costs a group and no more."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.codecs.frame import FrameError
from insitu.core.parallel import RemoteError
from insitu.fields.distributed_field import DistributedField
from insitu.models.base import Model
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.store import frame_file, record_check, step_delta
from insitu.store.frame_file import FoundGroup
from insitu.store.record import open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions
from tests.support.blocks import split

COMM = MPI.COMM_WORLD
MODELS: dict[str, Model] = {"hash_grid": HashGrid(log2_hashmap_size=8, n_levels=2),
                            "sparse_grid": SparseGrid()}  # fmt: skip
Frames = list[list[bytes]]
"""This rank's blocks of density, by step."""


def fields(comm: MPI.Comm, model: Model, n_steps: int, n_blocks: int = 2) -> list[DistributedField]:
    """A front that moves, on a stretched grid, with a hole in it; `n_blocks` blocks a rank."""
    spec = FieldSpec(model, TrainingOptions(n_min=200, epochs=1), Target(psnr=30), automatic=False)
    found: list[DistributedField] = []
    before: dict[str, DistributedField] = {}
    n = n_blocks * comm.size
    for step in range(n_steps):

        def front(x: np.ndarray, y: np.ndarray, z: np.ndarray, at: float = step / 60) -> np.ndarray:
            values = np.tanh(8 * (x + 0.4 * y - z - at)) * np.cos(3 * y)
            return np.where((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.02, np.nan, values)

        blocks = split(front, (8, 8, 8 * n), (1, 1, n), name="density")
        mine = blocks[n_blocks * comm.rank : n_blocks * (comm.rank + 1)]
        before = train_fields(
            comm, {"density": mine}, {"density": spec}, before, cycle=5 * step, time=step / 10
        )
        found.append(before["density"])
    return found


def write(folder: Path, steps: list[DistributedField], every: int, key_every: int) -> Frames:
    """A record, written every so many steps, as by a trigger -> what it has to give back."""
    window, writer = Window(99), RecordWriter(COMM, folder, key_every=key_every)
    for number, step in enumerate(steps, 1):
        window.append(step)
        if number % every == 0:
            writer.append(window.entries("density"))
    writer.append(window.entries("density"))
    writer.close()
    COMM.barrier()
    return [[block.to_bytes() for block in step.fields] for step in steps]


def own_file(folder: Path) -> Path:
    return folder / f"rank_{COMM.rank:05d}.frames"


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("every", [1, 3, 7])
def test_every_step_comes_back_bit_for_bit(
    folder: Path, kind: str, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = write(folder, fields(COMM, MODELS[kind], 7), every, 4)
    added: list[int] = []
    add = step_delta.add_weights
    monkeypatch.setattr(step_delta, "add_weights", lambda *a: added.append(1) or add(*a))
    for step in (6, 0, 3, 5):
        blocks = open_record(folder).load("density", step).blocks
        mine = blocks[2 * COMM.rank : 2 * COMM.rank + 2]
        added.clear()
        assert [block.read() for block in mine] == right[step]
        assert len(added) <= 2 * (step % 4)  # differences from the last whole step on, no more
    in_order = open_record(folder)
    added.clear()
    held = [block.field for step in range(7) for block in in_order.load("density", step).blocks]
    assert len(added) <= 5 * len(held) // 7  # each is added once to the one before, which is held
    whole = sum(len(block) for step in right for block in step)
    assert own_file(folder).stat().st_size < {"hash_grid": 0.98, "sparse_grid": 0.92}[kind] * whole
    COMM.barrier()


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("kind", MODELS)
def test_weights_that_stay_as_they_are_after_a_difference(folder: Path, kind: str) -> None:
    first, second = fields(COMM, MODELS[kind], 2)
    later = [
        replace(
            second,
            summary=replace(second.summary, cycle=cycle),
            fields=tuple(replace(block, cycle=cycle, _bytes=None) for block in second.fields),
        )
        for cycle in (10, 15)
    ]
    right = write(folder, [first, second, *later], 4, 8)
    for step in (3, 2, 1):
        blocks = open_record(folder).load("density", step).blocks
        mine = blocks[2 * COMM.rank : 2 * COMM.rank + 2]
        assert [block.read() for block in mine] == right[step]
    COMM.barrier()


@pytest.mark.parallel([1, 3])
def test_key_every_1_writes_whole_steps(folder: Path) -> None:
    steps = fields(COMM, MODELS["sparse_grid"], 3)
    write(folder, steps, 3, 1)
    found = list(frame_file.scan(own_file(folder)))
    assert len(found) == 3
    assert not any(isinstance(group, FoundGroup) and group.continues for group in found)


@pytest.mark.parallel([1, 3])
def test_the_manifest_tells_the_bytes_on_disk(folder: Path) -> None:
    write(folder, fields(COMM, MODELS["sparse_grid"], 5), 2, 3)
    size = sum(path.stat().st_size for path in folder.glob("*.frames"))
    record = open_record(folder)
    assert sum(step["nbytes"] for step in record.steps["density"]) == size
    COMM.barrier()
    if COMM.rank == 0:
        (folder / "manifest.json").unlink()
        again = open_record(folder)
        for made, step in zip(again.steps["density"], record.steps["density"], strict=True):
            # Blocks do not tell these.
            assert step.pop("gradient_db") > 10 and 0 < step.pop("normals_deg") < 90
            assert made == {**step, "psnr_db": pytest.approx(step["psnr_db"], abs=1e-4)}
    COMM.barrier()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Frames]:
    """Two groups of three steps, and a third that has begun: a write a step, one rank."""
    folder = tmp_path_factory.mktemp("groups") / "record"
    steps = fields(MPI.COMM_SELF, MODELS["sparse_grid"], 7)
    window, writer = Window(99), RecordWriter(MPI.COMM_SELF, folder, key_every=3)
    for step in steps:
        window.append(step)
        writer.append(window.entries("density"))
    writer.close()
    return folder, [[block.to_bytes() for block in step.fields] for step in steps]


def copied(folder: Path, to: Path, data: bytes) -> Path:
    """The record with other bytes in its file."""
    to.mkdir()
    (to / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    (to / "rank_00000.frames").write_bytes(data)
    return to


@pytest.mark.parametrize("part", ["header", "payload"])
@pytest.mark.parametrize("step", [0, 1, 3, 5])
def test_damage_costs_the_rest_of_the_group_and_is_named(
    sound: tuple[Path, Frames], tmp_path: Path, part: str, step: int
) -> None:
    folder, right = sound
    whole = (folder / "rank_00000.frames").read_bytes()
    group = list(frame_file.scan(folder / "rank_00000.frames"))[step]
    assert isinstance(group, FoundGroup)
    altered = bytearray(whole)
    altered[group.at + (20 if part == "header" else group.nbytes - 1)] ^= 4
    record = open_record(copied(folder, tmp_path / "copy", bytes(altered)))
    lost = set()
    for other in range(7):
        try:
            found = [block.read() for block in record.blocks("density", other)]
        except FrameError as error:
            assert re.search(r"rank_00000.frames, byte \d+: ", str(error))
            lost.add(other)
        else:
            assert found == right[other]
    rest = set(range(step, 3 * (step // 3) + 3))
    assert step in lost and lost <= rest  # a later step may not need it
    assert lost == rest or part == "payload"
    checked = record_check.check(record.path)
    told = "\n".join(checked.problems)
    assert checked.n_steps == 7 - len(lost)
    assert all(f"density at cycle {5 * other}" in told for other in lost)
    if part == "payload":
        assert told.count(f"byte {record.blocks('density', step)[0].at}: checksum") == len(lost)
    record_check.repair(checked)
    again = open_record(record.path)
    assert not again.problems
    assert again["density"].cycles.tolist() == [5 * s for s in range(7) if s not in lost]


def test_a_run_that_dies_between_a_whole_step_and_a_difference(
    sound: tuple[Path, Frames], tmp_path: Path
) -> None:
    """At any byte: the steps before are there; a restart goes on, with a whole step."""
    folder, right = sound
    whole = (folder / "rank_00000.frames").read_bytes()
    groups = list(frame_file.scan(folder / "rank_00000.frames"))
    ends = [group.at for group in groups[1:]] + [len(whole)]
    for number, cut in enumerate(range(ends[2] + 1, len(whole), 97)):
        n = sum(end <= cut for end in ends)
        copy = copied(folder, tmp_path / str(number), whole[:cut])
        record = open_record(copy)
        for step in range(n):
            assert [block.read() for block in record.blocks("density", step)] == right[step]
        with pytest.raises(FrameError, match="0 of its 2 blocks"):
            record.load("density", n)
    window, writer = Window(99), RecordWriter(MPI.COMM_SELF, copy, key_every=3)
    later = fields(MPI.COMM_SELF, MODELS["sparse_grid"], 7)[n:]
    for step in later:
        window.append(step)
    assert writer.append(window.entries("density")).endswith(f"replaces its cycles {5 * n} to 30")
    writer.close()
    record = open_record(copy)
    assert record["density"].cycles.tolist() == list(range(0, 35, 5)) and not record.problems
    assert [b.read() for b in record.blocks("density", -1)] == [
        b.to_bytes() for b in later[-1].fields
    ]


@pytest.mark.parallel([1, 3])
def test_a_write_that_fails_leaves_no_difference_from_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = fields(COMM, MODELS["sparse_grid"], 4)
    window, writer = Window(99), RecordWriter(COMM, folder, key_every=8)
    right = [[block.to_bytes() for block in step.fields] for step in steps]

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for number, step in enumerate(steps):
        window.append(step)
        if number == 2:
            with monkeypatch.context() as patch:
                if COMM.rank == COMM.size - 1:
                    patch.setattr(frame_file.os, "fsync", fails)
                with pytest.raises(RemoteError, match="No space left"):
                    writer.append(window.entries("density"))
        else:
            writer.append(window.entries("density"))
    writer.close()
    COMM.barrier()
    record = open_record(folder)
    assert not record.problems and len(record["density"]) == 4
    for step in range(4):
        mine = record.blocks("density", step)[2 * COMM.rank : 2 * COMM.rank + 2]
        assert [block.read() for block in mine] == right[step]
    COMM.barrier()
