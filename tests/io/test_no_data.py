"""Samples without data (masks, fill values, NaN) are not learned, and decode to NaN."""

from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest

from insitu.io.compress import compress
from insitu.io.compressed_array import CompressedArray
from insitu.io.sources import open_volume
from tests.support.waves import waves

SHAPE = (12, 20, 24)
LAND = np.zeros(SHAPE, bool)
LAND[:, :9, 5:17] = True
FILL = 1e20


def sea(dtype: str = "f4") -> np.ma.MaskedArray:
    values = waves(SHAPE).astype(dtype)
    values[LAND] = FILL
    return np.ma.masked_array(values, LAND)


def check(array: CompressedArray) -> None:
    truth, decoded = waves(SHAPE), array.decode()
    np.testing.assert_array_equal(np.isnan(decoded), LAND)
    assert np.abs(decoded - truth)[~LAND].max() < 0.2 * np.ptp(truth)
    assert array.range == (truth[~LAND].min(), truth[~LAND].max())
    assert array.metrics.nan_count == LAND.sum()
    assert np.isnan(array([[6.0, 2.0, 2.0]])).all()


@pytest.mark.parametrize("codec", ["inr", "sz3"])
def test_a_masked_array(codec: str, tmp_path: Path) -> None:
    array = compress(sea(), psnr=30, codec=codec)
    check(array)
    array.save(tmp_path / "a.insitu")
    check(CompressedArray.open(tmp_path / "a.insitu"))


def test_nan() -> None:
    check(compress(sea().filled(np.nan), psnr=30))


def test_a_guaranteed_error() -> None:
    array = compress(sea(), max_error=0.01)
    check(array)
    assert np.abs(array.decode() - waves(SHAPE))[~LAND].max() <= 0.01


@pytest.mark.parametrize("key", ["_FillValue", "missing_value"])
def test_fill_values_in_hdf5(key: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = sea().data
        file["a"].attrs[key] = np.array([FILL], "f4")
    check(compress(open_volume(f"{tmp_path}/a.h5:a"), psnr=30))


@pytest.mark.parametrize("suffix", ["nc", "h5"])
def test_fill_values_in_netcdf(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    with netCDF4.Dataset(str(path), "w") as file:
        for name, n in zip("zyx", SHAPE, strict=True):
            file.createDimension(name, n)
        file.createVariable("a", "f4", tuple("zyx"), fill_value=FILL)[:] = sea()
    check(compress(open_volume(f"{path}:a"), psnr=30))
