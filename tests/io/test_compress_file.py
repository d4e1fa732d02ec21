"""From file to file: the same bytes at any number of ranks, all or nothing, little memory."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import insitu
from insitu.core.box import Box
from insitu.core.errors import ConfigError
from insitu.core.parallel import RemoteError
from insitu.io.array_source import ArrayVolume
from insitu.io.compress import CompressionJob, compress
from insitu.io.compress_file import compress_file
from insitu.io.sources import open_volume
from insitu.io.targets import make_target
from tests.support.waves import waves

SHAPE = (20, 21, 40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One empty folder for all ranks."""
    return Path(MPI.COMM_WORLD.bcast(str(tmp_path)))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parallel([1, 3])
def test_the_same_bytes_at_any_number_of_ranks(folder: Path) -> None:
    comm, truth = MPI.COMM_WORLD, waves(SHAPE)
    if comm.rank == 0:
        np.save(folder / "waves.npy", truth)
    comm.Barrier()
    volume = open_volume(str(folder / "waves.npy"))
    told: list[tuple[int, int]] = []
    job = CompressionJob.of(volume, make_target(psnr=35), 12)
    compress_file(comm, job, folder / "w.insitu", lambda *at: told.append(at))
    comm.Barrier()
    assert sorted(p.name for p in folder.iterdir()) == ["w.insitu", "waves.npy"]
    alone = compress(truth, name="waves", psnr=35, block=12)
    alone.save(folder / f"alone{comm.rank}")
    assert (folder / "w.insitu").read_bytes() == (folder / f"alone{comm.rank}").read_bytes()
    assert insitu.load(folder / "w.insitu").psnr_db >= 35
    everyone = [at for rank in comm.allgather(told) for at in rank]
    total = 20 * 21 * 40  # in samples: of the blocks before each one, and at the end
    assert len(everyone) == 17 and {at[1] for at in everyone} == {total}
    assert sorted(at[0] for at in everyone)[:2] == [0, 10 * 10 * 10]
    assert max(everyone) == (total, total)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("ghosts", [False, True])
def test_so_many_blocks_along_each_axis(folder: Path, ghosts: bool) -> None:
    truth = waves(SHAPE)
    job = CompressionJob.of(ArrayVolume(truth, "waves"), make_target(psnr=35), plateau=100)
    job = replace(job, ghosts=ghosts).cut_into((3, 1, 2))
    compress_file(MPI.COMM_WORLD, job, folder / "w.insitu")
    array = insitu.load(folder / "w.insitu")
    assert array.cuts == ((10,), (), (13, 26))
    assert array.psnr_db >= 35
    alone = [job.compress(number, job.range_of(range(6))["waves"])[1] for number in range(6)]
    assert (folder / "w.insitu").read_bytes().endswith(b"".join(alone))


@pytest.mark.parametrize(
    "shape, parts, problem",
    [
        ((20, 21, 40), (41, 1, 1), "41 along x, which has 40 cells"),
        ((20, 21, 40), (1, 0, 1), "0 along y"),
        ((1, 1, 2000), (1, 1, 1), "2000 is not in 1..1024 cells of a block"),
    ],
)
def test_blocks_that_there_cannot_be(
    shape: tuple[int, ...], parts: tuple[int, int, int], problem: str
) -> None:
    job = CompressionJob.of(ArrayVolume(np.zeros(shape)), make_target(psnr=35))
    with pytest.raises(ConfigError, match=problem):
        job.cut_into(parts)


def test_one_process_needs_no_mpi(tmp_path: Path) -> None:
    np.save(tmp_path / "waves.npy", waves(SHAPE))
    job = CompressionJob.of(open_volume(str(tmp_path / "waves.npy")), make_target(psnr=35), 12)
    compress_file(MPI.COMM_SELF, job, tmp_path / "with.insitu")
    told: list[tuple[int, int]] = []
    compress_file(None, job, tmp_path / "without.insitu", lambda *at: told.append(at))
    assert (tmp_path / "with.insitu").read_bytes() == (tmp_path / "without.insitu").read_bytes()
    assert (told[0], told[-1]) == ((0, 20 * 21 * 40), (20 * 21 * 40, 20 * 21 * 40))
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(OSError, match="the disk is on fire"):
        torn = CompressionJob.of(Torn(waves((10, 10, 40))), make_target(psnr=20), 10)
        compress_file(None, torn, tmp_path / "torn.insitu")
    assert len(list(tmp_path.iterdir())) == 3


class Torn(ArrayVolume):
    """An array one block of which cannot be read in the second pass."""

    def read(self, box: Box) -> np.ndarray:
        if box[2].start > 0 and box[2].stop - box[2].start > 10:  # with ghosts: the second pass
            raise OSError("the disk is on fire")
        return super().read(box)


@pytest.mark.parallel([1, 3])
def test_a_block_that_fails_fails_everywhere_and_leaves_nothing(folder: Path) -> None:
    comm, path = MPI.COMM_WORLD, folder / "w.insitu"
    if comm.rank == 0:
        path.write_bytes(b"what was there before")
    comm.Barrier()
    job = CompressionJob.of(Torn(waves((10, 10, 40))), make_target(psnr=20), 10)
    with pytest.raises(
        RemoteError, match=r"compression to .*rank \d: OSError: the disk is on fire"
    ):
        compress_file(comm, job, path)
    comm.Barrier()
    assert [p.name for p in folder.iterdir()] == ["w.insitu"]
    assert path.read_bytes() == b"what was there before"


@pytest.mark.parallel([1, 3])
def test_a_folder_that_is_not_there(folder: Path) -> None:
    job = CompressionJob.of(ArrayVolume(waves((8, 8, 8))), make_target(psnr=20), 10)
    with pytest.raises(RemoteError, match="FileNotFoundError"):
        compress_file(MPI.COMM_WORLD, job, folder / "none" / "w.insitu")


@pytest.mark.parallel(3)
def test_the_command_on_several_ranks(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from insitu.cli.command_line import main

    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        np.save(folder / "waves.npy", waves((12, 12, 12)))
    comm.Barrier()
    source, target = str(folder / "waves.npy"), str(folder / "w.insitu")
    assert main(["compress", source, target, "--psnr", "25", "--json"]) == 0
    found = capfd.readouterr()
    assert bool(found.out) == (comm.rank == 0)
    assert main(["compress", str(folder / "none.npy"), target]) == 2
    assert ("no such file" in capfd.readouterr().err) == (comm.rank == 0)
    assert main(["compress", "--nonsense"]) == 2
    assert bool(capfd.readouterr().err) == (comm.rank == 0)
    assert main(["info", target]) == 0
    assert bool(capfd.readouterr().out) == (comm.rank == 0)


MEASURE = """
import sys
from insitu.cli.command_line import main

def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024

from mpi4py import MPI
before = peak()
status = main(["compress", sys.argv[1], sys.argv[2], "--iterations", "20", "--json"])
print(status, peak() - before, file=sys.stderr)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_of_256_mib_is_not_in_memory(tmp_path: Path) -> None:
    shape = (256, 512, 512)
    values = np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.float32, shape)
    values[:128, :128, :256] = waves((128, 128, 256))  # the rest, 30 of 32 blocks, is constant
    del values
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "big.npy"), str(tmp_path / "big.insitu")],
        capture_output=True,
        text=True,
        cwd=root,
    )
    status, megabytes = done.stderr.split()
    assert status == "0"
    # A block of 128^3 with its ghosts, and the pages of the file that it is read from.
    assert float(megabytes) < 128
    assert insitu.load(tmp_path / "big.insitu").shape == shape
    (tmp_path / "big.npy").unlink()
