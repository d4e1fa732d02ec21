"""A record as xarray sees it: coordinates and units, and nothing decoded that was not asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import insitu
from insitu.fields.model_field import ModelField
from insitu.store.record import open_record
from tests.support import records
from tests.support.waves import waves

xr = pytest.importorskip("xarray")
from insitu.io.xarray_engine import InsituEntrypoint  # noqa: E402


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record"
    records.write(path)
    return path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """(cycle, first sample along x in the block, samples) of every call that decodes a block."""
    calls: list[tuple[int, int, int]] = []
    decode_box = ModelField.decode_box

    def counted(self: ModelField, box: Any) -> Any:
        values = decode_box(self, box)
        calls.append((self.cycle, box[2].start, values.size))
        return values

    monkeypatch.setattr(ModelField, "decode_box", counted)
    return calls


def test_what_it_looks_like(path: Path, decoded: list[Any]) -> None:
    data = xr.open_dataset(path, engine=InsituEntrypoint)
    assert set(data.data_vars) == {"density", "velocity", "height"}
    assert data.density.dims == ("time", "z", "y", "x")
    assert data.density.shape == (3, *records.CELLS) and data.density.dtype == np.float32
    assert data.velocity.dims == ("time", "z_node", "y_node", "x_node", "component")
    assert data.velocity.shape == (3, 13, 17, 21, 3)
    np.testing.assert_allclose(data.time, [0, 0.5, 1])
    assert data.cycle.values.tolist() == [0, 5, 10] and data.cycle.dims == ("time",)
    np.testing.assert_allclose(data.x, (np.arange(20) + 0.5) / 20)
    np.testing.assert_allclose(data.z_node, np.arange(13) / 12)
    assert (data.density.units, data.x.units, data.time.units) == ("kg m-3", "m", "s")
    assert "units" not in data.height.attrs
    repr(data)
    assert decoded == []
    assert InsituEntrypoint().guess_can_open(path)
    assert not InsituEntrypoint().guess_can_open(path.parent)
    only = xr.open_dataset(path, engine=InsituEntrypoint, drop_variables=["density"])
    assert only.height.dims == ("time", "z", "y", "x")


def test_values_are_those_of_the_fields(path: Path) -> None:
    data = xr.open_dataset(path, engine=InsituEntrypoint)
    record = open_record(path)
    for step in range(3):
        whole = record["density"].sel(step=step).decode()
        np.testing.assert_allclose(data.density[step], whole, atol=1e-6)
    velocity = record["velocity"].sel(cycle=5).decode()
    np.testing.assert_allclose(data.velocity[1, ..., 2], velocity[..., 2], atol=1e-6)
    assert np.isnan(data.velocity[2]).all()  # not recorded at cycle 10
    there = data.density.sel(time=0.5, x=0.31, y=0.62, z=0.2, method="nearest")
    np.testing.assert_allclose(there, record["density"].sel(step=1).decode()[2, 9, 6], atol=1e-6)


@pytest.mark.parametrize(
    "index",
    [
        (0, 3, 4, 5),
        (slice(None), -1, slice(2, 5), 0),
        (slice(None, None, -1), slice(11, 2, -3), slice(0, 0), slice(5)),
        (1, [1, 5, 3], slice(None), [0, 19]),
        (slice(1, 1), 0, slice(None), slice(None)),
        (np.array([True, False, True]), slice(None, None, 5), 3, slice(-4, None)),
    ],
)
def test_any_index(path: Path, index: Any) -> None:
    lazy = xr.open_dataset(path, engine=InsituEntrypoint).density
    whole = lazy.copy(data=lazy.values)
    np.testing.assert_allclose(lazy[index], whole[index], atol=1e-6)
    assert lazy[index].shape == whole[index].shape


def test_only_touched_blocks_are_decoded(path: Path, decoded: list[Any]) -> None:
    data = xr.open_dataset(path, engine=InsituEntrypoint).density
    data[1, 2, 3, 4].load()
    assert decoded == [(5, 4, 1)]  # one sample, of one block, at one step
    decoded.clear()
    data[:, 0, :, 10:12].load()  # one plane in z, the second half in x, both halves in y
    assert sorted(decoded) == [(cycle, 0, 16) for cycle in (0, 5, 10) for _ in range(2)]
    decoded.clear()
    data.isel(time=-1).load()
    assert sorted(decoded) == [(10, 0, 480)] * 8


def test_nothing_but_headers_is_read_to_open(path: Path, tmp_path: Path) -> None:
    """With a byte altered in the last step, all others are still there."""
    import shutil

    copy = shutil.copytree(path, tmp_path / "copy")
    file = copy / "rank_00000.frames"
    raw = bytearray(file.read_bytes())
    last = open_record(path)["density"].sel(step=-1).blocks[0]
    raw[last.at] ^= 1
    file.write_bytes(raw)
    data = xr.open_dataset(copy, engine=InsituEntrypoint).density
    assert np.isfinite(data[:-1]).all()
    with pytest.raises(ValueError, match="checksum"):
        data[-1, 0, 0, 0].load()


def test_the_engine_is_registered_under_its_name(path: Path, root: Path) -> None:
    """What the package tells installers, xarray finds."""
    from configparser import ConfigParser
    from importlib.metadata import EntryPoint

    from xarray.backends.plugins import build_engines

    setup = ConfigParser()
    setup.read(root / "setup.cfg")
    ((name, value),) = (
        line.split(" = ")
        for line in setup["options.entry_points"]["xarray.backends"].strip().splitlines()
    )
    engines = build_engines([EntryPoint(name, value, "xarray.backends")])
    data = xr.open_dataset(path, engine=type(engines["insitu"]))
    assert data.density.dims == ("time", "z", "y", "x")


@pytest.mark.parametrize(
    "words",
    [
        {"decode_times": False},
        {"mask_and_scale": False},
        {"decode_coords": True},
        {"decode_timedelta": False},
        {"concat_characters": False},
        {"decode_cf": False},
    ],
)
def test_words_of_generic_code_are_accepted(words: dict[str, Any], path: Path) -> None:
    data = xr.open_dataset(path, engine=InsituEntrypoint, **words)
    np.testing.assert_allclose(data.time, [0, 0.5, 1])
    with pytest.raises(TypeError, match="unknown options: decode"):
        xr.open_dataset(path, engine=InsituEntrypoint, decode="all")


def test_chunks_are_blocks_and_components_have_names(path: Path) -> None:
    data = xr.open_dataset(path, engine=InsituEntrypoint)
    assert data.density.encoding["preferred_chunks"] == {
        "time": 1,
        "z": (6, 6),
        "y": (8, 8),
        "x": (10, 10),
    }
    chunks = data.velocity.encoding["preferred_chunks"]
    assert chunks == {
        "time": 1,
        "z_node": (6, 7),
        "y_node": (8, 9),
        "x_node": (10, 11),
        "component": 3,
    }
    assert data.component.values.tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(data.velocity.sel(component="y"), data.velocity[..., 1])


@pytest.mark.parametrize("shape", [(9, 10, 11), (10, 11)], ids=str)
def test_a_compressed_array(shape: tuple[int, ...], tmp_path: Path) -> None:
    array = insitu.compress(waves(shape), name="u", psnr=30, block=8)
    array.save(tmp_path / "u.insitu")
    assert InsituEntrypoint().guess_can_open(tmp_path / "u.insitu")
    data = xr.open_dataset(tmp_path / "u.insitu", engine=InsituEntrypoint)
    assert data.u.dims == tuple("zyx"[3 - len(shape) :]) and data.u.shape == shape
    assert data.u.encoding["preferred_chunks"]["y"] == (5, 5)
    np.testing.assert_allclose(data.x, np.arange(11) + 0.5)
    np.testing.assert_allclose(data.u[..., ::-2], array.decode()[..., ::-2], atol=1e-6)
    np.testing.assert_allclose(data.u.sel(x=3.4, y=2.6, method="nearest"), array[..., 2, 3])


def moving(folder: Path, **changes: Any) -> Path:
    """A record whose grid grows along x, from 1 to 3."""
    config = {"fields": {"u": {"psnr": 30}}, "window": {"every": 1}, "output": folder}
    with insitu.open(config, quiet=True) as session:
        for cycle in range(3):
            n = changes.get("n", {}).get(cycle, 6)
            lines = [np.linspace(0, stop, n + 1) for stop in (1 + cycle, 2, 2)]
            tree = insitu.mesh.rectilinear({"u": waves((n, n, n))}, *lines, cycle=cycle)
            session.publish(tree)
            session.execute()
    return folder / "record"


def test_a_moving_mesh_has_coordinates_that_depend_on_time(tmp_path: Path) -> None:
    data = xr.open_dataset(moving(tmp_path), engine=InsituEntrypoint)
    assert data.u.dims == ("time", "z", "y", "x")
    assert "x" not in data.coords and data.x_t.dims == ("time", "x")
    for cycle in range(3):
        np.testing.assert_allclose(data.x_t[cycle], (np.arange(6) + 0.5) / 6 * (1 + cycle))
    np.testing.assert_allclose(data.y, (np.arange(6) + 0.5) / 3)
    assert np.isfinite(data.u).all()


def test_another_number_of_samples_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\(7, 7, 7\) samples at cycle 2, and \(6, 6, 6\)"):
        xr.open_dataset(moving(tmp_path, n={2: 7}), engine=InsituEntrypoint)
