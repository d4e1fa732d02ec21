"""Flipped bits, cut and lost files: a record gives every step as it was, or says it is lost."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI

from insitu.cli.command_line import main
from insitu.codecs.frame import FrameError
from insitu.store.manifest import MANIFEST, Units
from insitu.store.record import Record, open_record
from insitu.store.record_writer import RecordWriter
from insitu.store.window import Window
from tests.support.faults import flipped, rounds
from tests.support.windows import field_at

UNITS = Units("m", "s", {"density": "kg m-3"})
GROUPS = {"rank_00000.frames": {0, 5}, "rank_00000.run2.frames": {10}}
"""The steps of each file, which are one group."""
Content = dict[tuple[str, int], tuple[dict[str, Any], list[bytes]]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of two fields at three steps, a block each, in four writes of two runs."""
    path = tmp_path_factory.mktemp("sound") / "record"
    for cycles in ((0, 5), (10,)):
        writer, window = RecordWriter(MPI.COMM_SELF, path, UNITS), Window(9)
        for name in ("density", "velocity"):
            for cycle in cycles:
                window.append(field_at(MPI.COMM_SELF, cycle, name))
            writer.append(window.entries(name))
        writer.close()
    return path


@pytest.fixture
def record(sound: Path, tmp_path: Path, no_launcher: None) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "record"))


def content(record: Record) -> tuple[Content, list[str]]:
    """What can be read: the entry and the blocks' bytes of each step; and what cannot."""
    found: Content = {}
    lost = []
    for name in record:
        for step, at in enumerate(record.steps[name]):
            try:
                blocks = [block.open().to_bytes() for block in record.blocks(name, step)]
            except FrameError as error:
                lost.append(str(error))
            else:
                found[name, at["cycle"]] = at, blocks
    return found, lost


def check(record: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    status = main(["check", str(record), "--json", *options])
    return status, json.loads(capsys.readouterr().out)


def test_a_sound_record(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = check(record, capsys)
    assert (status, told["problems"], told["notes"]) == (0, [], [])
    assert (told["steps"], told["blocks"]) == (6, 6)
    before = (record / MANIFEST).read_bytes()
    (record / MANIFEST).unlink()
    assert check(record, capsys)[0] == 1
    assert check(record, capsys, "--repair")[0] == 0
    assert (record / MANIFEST).read_bytes() == before  # all of it, with units and times


def test_a_flipped_bit_of_the_frames_costs_one_group_and_is_named(
    record: Path, sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, _ = content(open_record(sound))
    chance = random.Random(17)
    names = ["rank_00000.frames", "rank_00000.run2.frames"]
    for _ in rounds(40):
        name = chance.choice(names)
        whole = (sound / name).read_bytes()
        (record / name).write_bytes(flipped(whole, chance))
        found, lost = content(open_record(record))
        assert len(found) + len(lost) == len(right)
        assert all(right[key] == value for key, value in found.items())
        assert {cycle for _, cycle in right.keys() - found.keys()} <= GROUPS[name]
        assert all(f"{name}, byte" in text for text in lost)
        if lost:
            status, told = check(record, capsys)
            assert status == 1 and told["problems"]
        (record / name).write_bytes(whole)


def test_a_flipped_bit_of_the_manifest_costs_nothing(record: Path, sound: Path) -> None:
    right, units = content(open_record(sound))[0], open_record(sound).units
    chance = random.Random(18)
    whole = (record / MANIFEST).read_bytes()
    for _ in rounds(60):
        (record / MANIFEST).write_bytes(flipped(whole, chance))
        opened = open_record(record)
        assert content(opened) == (right, [])
        assert (opened.units, opened.n_ranks) == (units, 1)


@pytest.mark.parametrize("name", [MANIFEST, "rank_00000.frames"])
def test_commands_on_a_flipped_bit_end_in_words(
    record: Path, sound: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused with status 2, never 1, which means that a target was missed."""
    chance = random.Random(20)
    whole = (sound / name).read_bytes()
    commands = [
        ["info", str(record), "--json"],
        ["decode", f"{record}:density", str(record.parent / "o.npy"), "--step", "1"],
        ["compare", f"{record}:density", f"{sound}:density", "--step", "1"],
    ]
    for _ in rounds(8):
        (record / name).write_bytes(flipped(whole, chance))
        told = [(main(command), capsys.readouterr().err) for command in commands]
        assert told[0][0] == 0
        for status, text in told[1:]:
            assert status == 0 or (status == 2 and name != MANIFEST and f"{name}, byte" in text)


def test_cut_files(record: Path, sound: Path) -> None:
    right, _ = content(open_record(sound))
    chance = random.Random(19)
    for _ in rounds(20):
        for name in (MANIFEST, "rank_00000.frames", "rank_00000.run2.frames"):
            data = (sound / name).read_bytes()
            (record / name).write_bytes(data[: chance.randrange(len(data))])
        found, _ = content(open_record(record))
        assert all(right[key] == value for key, value in found.items())
        shutil.copytree(sound, record, dirs_exist_ok=True)


def test_repair_leaves_what_is_whole(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = record / "rank_00000.frames"
    block = open_record(record).blocks("velocity", 1)[0]
    data = bytearray(frames.read_bytes())
    data[block.at] ^= 1
    frames.write_bytes(bytes(data))
    assert check(record, capsys)[0] == 1
    status, told = check(record, capsys, "--repair")
    assert status == 0 and told["repaired"]
    assert f"velocity at cycle 5: {frames}, byte {block.at}: checksum" in told["problems"][0]
    opened = open_record(record)
    assert not opened.problems and opened["velocity"].cycles.tolist() == [0, 10]
    assert len(opened["density"]) == 3 and content(opened)[1] == []  # written before
    assert frames.read_bytes() == bytes(data)
    assert check(record, capsys)[0] == 0


def test_what_is_no_record_is_refused(
    tmp_path: Path, no_launcher: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert main(["check", str(tmp_path / "none")]) == 2
    (tmp_path / "rank_00000.frames").write_bytes(b"nothing")
    assert main(["check", str(tmp_path)]) == 1
    (tmp_path / MANIFEST).write_text('{"format": "insitu record", "version": 1, "n_ranks": {}}')
    assert main(["info", str(tmp_path)]) == 0
    assert "Traceback" not in capsys.readouterr().err
