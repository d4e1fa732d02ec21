"""A record as it is met at Python's prompt: it says what it has, and is indexed as one expects."""

from pathlib import Path

import numpy as np
import pytest

from insitu.store.record import open_record
from tests.support import records


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record"
    records.write(path)
    return path


def test_what_they_are_is_printed(path: Path) -> None:
    record = open_record(path)
    assert repr(record).startswith(f"<Record {path}, ranks: 1\n  <Series density")
    assert "<Series velocity: 2 steps, cycles 0 to 5, at least " in repr(record)
    assert repr(record["density"]).startswith("<Series density kg m-3: 3 steps, cycles 0 to 10,")
    field = record["density"][-1]
    assert repr(field).startswith("<RecordedField density at cycle 10, time 1: 8 blocks, ")
    assert "fields" not in field.__dict__  # nothing was decoded for that


def test_a_series_is_indexed_by_step(path: Path) -> None:
    series = open_record(path)["density"]
    assert series[-1].summary.cycle == series[2].summary.cycle == 10
    assert [field.summary.cycle for field in series[::2]] == [0, 10]
    assert [field.summary.cycle for field in series] == [0, 5, 10]
    with pytest.raises(IndexError, match="no step 3; density has 3 steps"):
        series[3]


def test_a_field_is_sliced_like_an_array(path: Path) -> None:
    record = open_record(path)
    for name in ("density", "velocity"):
        field = record[name][0]
        whole = field.decode()
        assert field.shape == whole.shape
        np.testing.assert_allclose(field[3, :, ::5], whole[3, :, ::5], atol=1e-6)
        np.testing.assert_allclose(field[..., -1], whole[..., -1], atol=1e-6)
        np.testing.assert_array_equal(np.asarray(field), whole)
    with pytest.raises(IndexError, match=r"expected integers, slices and `...`"):
        field[[1, 2]]
