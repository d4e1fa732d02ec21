"""Targets as people type them, and ratios by the bytes of the file."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from insitu.cli import main
from insitu.core.errors import ConfigError
from insitu.io.compress import compress
from insitu.io.sources import open_volume
from insitu.io.targets import make_target
from tests.support.waves import waves


@pytest.mark.parametrize("text", ["45", "45dB", "45 dB", "4.5e1 db", 45, 45.0])
def test_decibels(text: object) -> None:
    assert make_target(psnr=text).psnr == 45.0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("psnr", "high", "psnr: expected a number, with or without dB; found 'high'"),
        ("psnr", "45 s", "psnr: expected a number, with or without dB; found '45 s'"),
        ("ratio", "10x", "ratio: expected a number; found '10x'"),
        ("iterations", "3.5", "iterations: expected a whole number; found 3.5"),
        ("seconds", "nan", "seconds: nan is not in"),
    ],
)
def test_what_is_no_number_is_refused_in_words(name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_target(**{name: text})


def test_words() -> None:
    assert [make_target(quality=word).psnr for word in ("draft", "visual", "fine")] == [40, 55, 70]
    for given, said in (
        ({"quality": "visul"}, "'visul' is not one of draft, visual, fine; did you mean 'visual'"),
        ({"quality": "fine", "psnr": 30}, "quality and psnr are both given"),
    ):
        with pytest.raises(ConfigError, match=said):
            make_target(**given)


def test_decibels_in_a_threshold(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", waves((12, 12, 12)))
    same = ["compare", str(tmp_path / "a.npy"), str(tmp_path / "a.npy"), "--psnr"]
    assert main([*same, "40 dB"]) == 0
    assert main([*same, "much"]) == 2


def packed(path: Path) -> str:
    with netCDF4.Dataset(str(path), "w") as file:
        for name in "zyx":
            file.createDimension(name, 24)
        variable = file.createVariable("p", "i2", tuple("zyx"))
        variable.scale_factor, variable.add_offset = 1e-3, 0.5  # float64: four times the bytes
        variable[:] = waves((24, 24, 24))
    return f"{path}:p"


def test_a_ratio_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    volume = open_volume(packed(tmp_path / "packed.nc"))
    assert (volume.dtype, volume.raw_nbytes) == (np.float64, 2 * 24**3)
    array = compress(volume, psnr=30)
    assert array.ratio == 2 * 24**3 / array.nbytes
    smaller = compress(volume, ratio=10, codec="sz3")
    assert smaller.ratio > 9 and sum(smaller.header.lengths) <= 2 * 24**3 / 10
