"""Files of frames with damaged lengths: what is behind is read, and no memory is asked for."""

from pathlib import Path

import pytest

from insitu.codecs import frame, group_frame, prefix
from insitu.store import frame_file
from insitu.store.frame_file import Damage, FoundFrame


@pytest.mark.parametrize("magic", [frame.MAGIC, group_frame.MAGICS[-1]])
@pytest.mark.parametrize("lengths", [(2**62, 9), (9, 2**62), (2**40, 2**40)])
def test_a_damaged_length_costs_its_frame(
    magic: bytes, lengths: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "rank.frames"
    path.write_bytes(prefix.pack(magic, lengths) + b"x" * 99 + frame.pack({"cycle": 5}, [b"data"]))
    damage, found = frame_file.scan(path)
    assert isinstance(damage, Damage) and damage.at == 0
    assert isinstance(found, FoundFrame) and found.header["cycle"] == 5
