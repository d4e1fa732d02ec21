"""The relay extract: what is read back is what the blocks hold, on any number of ranks."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from insitu.actions.extracts.relay import Relay
from insitu.core.parallel import RemoteError
from insitu.filters.derived import Derive
from insitu.filters.pipeline import Pipeline
from insitu.filters.schema import DataSchema
from insitu.store.timestep import newest
from tests.support.windows import CELLS, window

COMM = MPI.COMM_WORLD
SPEED = Pipeline("p", (Derive("vector_magnitude", "velocity", "speed"),))
FIELDS = ("density", "velocity", "speed")


def run(folder: Path, protocol: str, **words: object) -> list[Path]:
    relay = Relay(
        name="e", path="saved/a_%03d", protocol=protocol, fields=FIELDS, pipeline=SPEED, **words
    )
    steps = newest(window(COMM), relay.reads, relay.window)
    files = relay.run(COMM, steps, folder)
    COMM.barrier()
    return files


def check(density: np.ndarray, velocity: np.ndarray, speed: np.ndarray) -> None:
    nz, ny, nx = CELLS[0], CELLS[1], CELLS[2] // 2
    assert density.shape == (nz, ny, nx)
    assert velocity.shape == (nz + 1, ny + 1, nx + 1, 3)
    np.testing.assert_allclose(speed, np.linalg.norm(velocity, axis=-1), atol=2e-3)
    assert density.std() > 0.05


@pytest.mark.parallel([1, 3])
def test_numpy(folder: Path) -> None:
    files = run(folder, "numpy", window=2)
    assert files == [folder / "saved/a_005", folder / "saved/a_010"]
    for path, cycle in zip(files, (5, 10), strict=True):
        assert sorted(f.name for f in path.iterdir()) == ["00000.npz", "00001.npz"]
        with np.load(path / "00001.npz") as data:
            check(data["density"], data["velocity"], data["speed"])
            assert data["cycle"] == cycle and data["time"] == cycle / 10
            assert data["x"][0] in (0, 0.5) and len(data["z"]) == CELLS[0] + 1
    again = run(folder, "numpy")  # in its place
    assert again == files[1:] and not list((folder / "saved").glob(".*"))


@pytest.mark.parallel([1, 3])
def test_hdf5(folder: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (path,) = run(folder, "hdf5")
    with h5py.File(path / "00000.h5") as data:
        check(data["density"][:], data["velocity"][:], data["speed"][:])
        assert data["velocity"].attrs["association"] == "vertex"
        assert data.attrs["cycle"] == 10 and data["nodes/y"].shape == (CELLS[1] + 1,)


@pytest.mark.parallel([1, 3])
def test_vtk(folder: Path) -> None:
    xml = pytest.importorskip("vtkmodules.vtkIOXML")
    support = pytest.importorskip("vtkmodules.util.numpy_support")
    (path,) = run(folder, "vtk")
    assert path == folder / "saved/a_010.vtm"
    if COMM.rank == 0:
        reader = xml.vtkXMLMultiBlockDataReader()
        reader.SetFileName(str(path))
        reader.Update()
        assert reader.GetOutput().GetNumberOfBlocks() == 2
        grid = reader.GetOutput().GetBlock(1)
        arrays = {
            name: support.vtk_to_numpy(data.GetArray(name))
            for data, names in (
                (grid.GetCellData(), ("density",)),
                (grid.GetPointData(), ("velocity", "speed")),
            )
            for name in names
        }
        nz, ny, nx = CELLS[0], CELLS[1], CELLS[2] // 2
        nodes = (nz + 1, ny + 1, nx + 1)
        check(
            arrays["density"].reshape(nz, ny, nx),
            arrays["velocity"].reshape(*nodes, 3),
            arrays["speed"].reshape(nodes),
        )


@pytest.mark.parallel([1, 3])
def test_what_is_in_the_way_stays(folder: Path) -> None:
    if COMM.rank == 0:
        (folder / "saved/a_010").mkdir(parents=True)
        (folder / "saved/a_010/mine.txt").write_text("keep me")
    COMM.barrier()
    with pytest.raises(RemoteError, match="already exists and is not a folder of"):
        run(folder, "numpy")
    COMM.barrier()
    assert (folder / "saved/a_010/mine.txt").read_text() == "keep me"
    assert not list((folder / "saved").glob(".*"))


def test_fields_that_are_not_there() -> None:
    relay = Relay(name="e", path="a", fields=("density", "sped"), pipeline=SPEED)
    with pytest.raises(ValueError, match=r"fields: no field 'sped' .* did you mean 'speed'"):
        relay.check(DataSchema({"density": 1, "velocity": 3}))
