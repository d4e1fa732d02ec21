"""From crash files to a record: complete steps, and words for what is torn or missing."""

import json
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.cli.command_line import main
from insitu.store import recovery
from insitu.store.crash_file import CrashFile, Owner
from insitu.store.liveness import Process
from insitu.store.manifest import Units
from insitu.store.record import open_record
from tests.support import records

GONE = Process("node7", "another machine", 1, 1)


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> list[list[bytes]]:
    """Density at three steps, each 8 blocks."""
    made = records.write(tmp_path_factory.mktemp("r") / "record")
    return [[block.to_bytes() for block in step] for step in made["density"]]


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)


def leave(folder: Path, blocks: list[list[bytes]], run: str = "run") -> list[Path]:
    """Files of two ranks that died: 3 blocks of rank 0, 5 of rank 1, at three steps."""
    folder = folder / f"insitu.{run}"
    folder.mkdir(parents=True)
    paths = []
    for rank, own in enumerate((slice(0, 3), slice(3, 8))):
        owner = Owner(run, "4711", rank, 2, str(folder.parent / "record"), records.UNITS, GONE)
        paths.append(folder / owner.file_name)
        file = CrashFile(paths[-1], owner)
        for number, step in enumerate(blocks):
            what = {"name": "density", "cycle": 5 * number, "n_blocks": 8}
            file.append(number, what, step[own])
        file.close(remove=False)
    return paths


def test_all_complete_steps_come_back(tmp_path: Path, blocks: list[list[bytes]]) -> None:
    names = [path.name for path in leave(tmp_path, blocks)]
    assert names == [f"4711.node7.1.rank_0000{rank}.crash" for rank in range(2)]
    (run,), problems = recovery.find([tmp_path])
    found = recovery.recover(run, tmp_path / "saved")
    assert (found.n_frames, found.problems, problems) == (24, [], [])
    record = open_record(tmp_path / "saved")
    assert record.n_ranks == 2 and record.units == records.UNITS
    assert record["density"].cycles.tolist() == [0, 5, 10]
    for step, frames in enumerate(blocks):
        field = record["density"].sel(step=step)
        assert [block.read() for block in field.blocks] == frames
        assert field.decode().shape == records.CELLS
    with pytest.raises(FileExistsError, match="choose another output"):
        recovery.recover(run, tmp_path / "saved")


def test_files_of_two_nodes_and_one_that_is_lost(
    tmp_path: Path, blocks: list[list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = leave(tmp_path, blocks)
    for node, path in (("one", first), ("two", second)):
        (tmp_path / node).mkdir()
        path.rename(tmp_path / node / path.name)
    both = [str(tmp_path / node) for node in ("one", "two")]
    assert main(["recover", *both, "-o", str(tmp_path / "both"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fields"] == {"density": [0, 5, 10]}

    assert main(["recover", both[1], "-o", str(tmp_path / "half"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["fields"] == {} and told["frames"] == 15
    assert "no file of rank 0 of 2" in told["problems"][0]
    assert "density at cycle 0: 5 of 8 blocks; left out" in told["problems"][1]
    options = ["-o", str(tmp_path / "some"), "--incomplete", "--remove"]
    assert main(["recover", both[1], *options]) == 0
    field = open_record(tmp_path / "some")["density"].sel(step=-1)
    assert len(field.blocks) == 5
    values = field(np.random.default_rng(0).uniform(size=(100, 3)))
    assert 0 < np.isnan(values).sum() < 100  # where the lost blocks were
    assert not (tmp_path / "two").exists() and (tmp_path / "one").exists()


def test_a_torn_entry_costs_its_step_alone(tmp_path: Path, blocks: list[list[bytes]]) -> None:
    path = leave(tmp_path, blocks)[1]
    raw = bytearray(path.read_bytes())
    raw[raw.rindex(b"INSITUCE") + 300] ^= 4
    path.write_bytes(raw)
    (run,), _ = recovery.find([tmp_path])
    found = recovery.recover(run, tmp_path / "saved")
    assert found.steps == {"density": [0, 5]}
    assert "checksum" in found.problems[0] and "3 of 8 blocks" in found.problems[1]


def test_of_a_repeated_cycle_the_last_complete_one_counts(
    tmp_path: Path, blocks: list[list[bytes]]
) -> None:
    """Rank 1 died before it had the second of the two."""
    folder = tmp_path / "insitu.run"
    folder.mkdir()
    for rank, own in enumerate((slice(0, 3), slice(3, 8))):
        owner = Owner("run", "", rank, 2, "record", Units(), GONE)
        file = CrashFile(folder / owner.file_name, owner)
        for number, step in enumerate(blocks[: 3 - rank]):
            file.append(number, {"name": "density", "cycle": 7, "n_blocks": 8}, step[own])
        file.close(remove=False)
    (run,), _ = recovery.find([tmp_path])
    recovery.recover(run, tmp_path / "saved")
    saved = open_record(tmp_path / "saved").blocks("density")
    assert [block.read() for block in saved] == blocks[1]


def test_several_runs_are_listed_and_have_to_be_chosen(
    tmp_path: Path, blocks: list[list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path, blocks[:1], "one")
    leave(tmp_path, blocks[:2], "two")
    (tmp_path / "insitu.one" / "empty.crash").touch()  # killed as it was made
    assert main(["recover", "--scratch", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "insitu.one" in text and "insitu.two" in text and "2 of 2 ranks" in text
    assert main(["recover", str(tmp_path)]) == 2
    assert "files of 2 crashed runs; choose" in capsys.readouterr().err
    assert main(["recover", str(tmp_path / "insitu.two"), "-o", str(tmp_path / "o")]) == 0
    assert "cycles 0 to 5, 2 steps" in capsys.readouterr().out
    assert main(["recover", str(tmp_path / "o")]) == 2
    assert "no crash files" in capsys.readouterr().err
    assert main(["recover", str(tmp_path / "none")]) == 2


def test_a_process_is_known_by_more_than_its_number() -> None:
    this = Process.this()
    assert this.runs() is True
    assert Process(this.host, this.system, this.pid, this.start + 1).runs() is False
    assert GONE.runs() is None


@pytest.mark.parallel([1, 3])
def test_what_a_log_keeps_is_the_window(tmp_path: Path) -> None:
    from insitu.store.crash_log import CrashLog
    from insitu.store.window import Window
    from tests.support.windows import field_at

    comm = MPI.COMM_WORLD
    folder = Path(comm.bcast(str(tmp_path)))
    log, window = CrashLog(comm, folder, folder / "record", records.UNITS), Window(2)
    for cycle in (0, 5, 10, 15, 15):
        field = field_at(comm, cycle, empty_rank=comm.size > 1)
        window.append(field)
        log.store([field], window.counts)
    assert log.nbytes > 0
    log.close(remove=False)
    comm.barrier()
    if comm.rank == 0:
        (run,), _ = recovery.find([folder])
        assert len(run.files) == comm.size
        found = recovery.recover(run, folder / "saved")
        # One step more than the window: what the last call pushed out goes with the next.
        assert found.steps["density"][-2:] == [10, 15] and len(found.steps["density"]) <= 3
        assert found.problems == []
