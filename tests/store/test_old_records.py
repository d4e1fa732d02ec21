"""Records of earlier versions open, and are continued in a form that those versions read."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.codecs import frame, json_frame
from insitu.store import frame_file, record_check, record_files
from insitu.store.frame_file import FoundFrame, FoundGroup
from insitu.store.manifest import MANIFEST, Units
from insitu.store.record import Record, open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from tests.support.windows import field_at

COMM = MPI.COMM_WORLD
DATA = Path(__file__).parents[1] / "data" / "records"
UNITS = Units("m", "s", {"density": "kg m-3"})


@pytest.fixture
def old(folder: Path) -> Path:
    """A record of version 2: density and velocity at three steps, three ranks, two runs."""
    path = folder / "record"
    if COMM.rank == 0:
        shutil.copytree(DATA / "version_2", path)
    COMM.barrier()
    return path


@pytest.fixture
def grouped(folder: Path) -> Path:
    """A record of version 3, in groups: density as sparse grids and energy as hash grids at eight
    steps, two blocks on each of three ranks, two runs."""
    path = folder / "record"
    if COMM.rank == 0:
        shutil.copytree(DATA / "version_3", path)
    COMM.barrier()
    return path


def assert_golden(record: Record, version: int = 2) -> None:
    told = json.loads((DATA / f"version_{version}.json").read_text())
    for name, steps in told["values"].items():
        for step, values in enumerate(steps):
            np.testing.assert_allclose(record.load(name, step)(told["points"]), values, atol=1e-5)
    assert record.units == UNITS and not record.problems


def test_a_record_of_version_2_opens(old: Path) -> None:
    assert_golden(open_record(old))
    before = (old / MANIFEST).read_bytes()
    checked = record_check.check(old)
    assert (checked.n_steps, checked.n_blocks, checked.problems) == (6, 18, [])
    (old / MANIFEST).unlink()
    record_check.repair(record_check.check(old))
    assert (old / MANIFEST).read_bytes() == before


@pytest.mark.parallel([3])
def test_it_is_continued_in_its_form(old: Path) -> None:
    window, writer = Window(9), RecordWriter(COMM, old, UNITS)
    steps = [field_at(COMM, cycle, name) for name in ("density", "velocity") for cycle in (15, 20)]
    for step in steps:
        window.append(step)
    told = writer.append([e for name in window.names for e in window.entries(name)])
    writer.close()
    COMM.barrier()
    assert told == "" and writer.path == old
    record = open_record(old)
    assert_golden(record)
    assert record["density"].cycles.tolist() == [0, 5, 10, 15, 20]
    read = record.blocks("density", -1)[COMM.rank].read()
    assert read.startswith(json_frame.MAGIC)
    assert frame.unpack(read) == frame.unpack(steps[1].fields[0].to_bytes())
    # What an earlier insitu needs: a manifest of version 2, and frames alone.
    manifest = json.loads((old / MANIFEST).read_text())
    assert manifest["version"] == 2 and len(manifest["fields"]["velocity"]) == 5
    found = list(frame_file.scan(old / f"rank_{COMM.rank:05d}.run3.frames"))
    assert [type(item) for item in found] == [FoundFrame] * 5
    assert record_check.check(old).problems == []
    COMM.barrier()


@pytest.mark.parametrize("version", [3, 4])
def test_a_record_in_groups_opens(folder: Path, version: int) -> None:
    grouped = Path(shutil.copytree(DATA / f"version_{version}", folder / "record"))
    record = open_record(grouped)
    assert_golden(record, version)
    checked = record_check.check(grouped)
    assert (checked.n_steps, checked.n_blocks, checked.problems) == (16, 96, [])
    (grouped / MANIFEST).unlink()
    record_check.repair(record_check.check(grouped))
    again = open_record(grouped)
    assert_golden(again, version)
    assert json.loads((grouped / MANIFEST).read_text())["version"] == 4


@pytest.mark.parallel([3])
def test_it_becomes_one_of_version_4(grouped: Path) -> None:
    window, writer = Window(9), RecordWriter(COMM, grouped, UNITS)
    steps = [field_at(COMM, cycle, name) for name in ("density", "energy") for cycle in (45, 50)]
    for step in steps:
        window.append(step)
    told = writer.append([e for name in window.names for e in window.entries(name)])
    writer.close()
    COMM.barrier()
    assert told == "" and writer.path == grouped
    record = open_record(grouped)
    assert_golden(record, 3)
    assert record["density"].cycles.tolist() == [*range(0, 40, 5), 45, 50]
    assert record.blocks("density", -1)[COMM.rank].read() == steps[1].fields[0].to_bytes()
    assert json.loads((grouped / MANIFEST).read_text())["version"] == 4
    for run, version in ((1, 5), (2, 5), (3, 7)):
        path = grouped / record_files.file_name(COMM.rank, run)
        groups = list(frame_file.scan(path))
        assert all(isinstance(group, FoundGroup) for group in groups)
        assert {group.header.version for group in groups} == {version}
    assert record_check.check(grouped).problems == []
    COMM.barrier()
