"""VTK's readers, which are ParaView's, find the time in every kind of file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vtk
from mpi4py import MPI

import insitu
from insitu.io.part import Part
from insitu.io.sources import open_volume
from insitu.io.vtk_write import write, write_pieces
from tests.support.waves import waves

COMM = MPI.COMM_WORLD
READERS = {
    ".vti": "ImageData",
    ".vtr": "RectilinearGrid",
    ".pvti": "PImageData",
    ".pvtr": "PRectilinearGrid",
    ".vtp": "PolyData",
    ".pvtp": "PPolyData",
    ".vtm": "MultiBlockData",
}


def time_of(path: Path) -> float:
    reader = getattr(vtk, f"vtkXML{READERS[path.suffix]}Reader")()
    reader.SetFileName(str(path))
    reader.Update()
    assert reader.GetErrorCode() == 0
    found = reader.GetOutputDataObject(0).GetFieldData().GetArray("TimeValue")
    return float(found.GetValue(0))


@pytest.mark.parametrize("suffix", [".vti", ".vtr", ".pvti", ".pvtr"])
def test_grids(suffix: str, tmp_path: Path) -> None:
    insitu.compress(waves((4, 5, 6)), psnr=20).save(tmp_path / "a.insitu")
    volume = open_volume(str(tmp_path / "a.insitu"))
    path = tmp_path / f"a{suffix}"
    (write_pieces if suffix[1] == "p" else write)(path, Part(volume, volume.whole, time=0.7))
    for file in (path, *tmp_path.glob("a/*")):
        assert time_of(file) == 0.7


@pytest.mark.parallel([1, 3])
def test_extracts(folder: Path) -> None:
    """Surfaces, and the volume as it is, of every rank."""
    contour = {"type": "contour", "params": {"field": "u", "iso_values": 0.1}}
    extracts: dict[str, Any] = {
        "iso": {"type": "relay", "pipeline": "p", "params": {"path": "iso"}},
        "all": {"type": "relay", "params": {"path": "all", "fields": ["u"]}},
    }
    config = {
        "fields": {"u": {"iterations": 60}},
        "window": {"every": 1},
        "output": folder,
        "actions": [
            {"action": "add_pipelines", "pipelines": {"p": {"f": contour}}},
            {"action": "add_extracts", "extracts": extracts},
        ],
    }
    at = {"cycle": 3, "time": 0.7, "domain_id": COMM.rank}
    with insitu.open(config, COMM, quiet=True) as session:
        session.publish(
            insitu.mesh.uniform({"u": waves((6, 6, 6))}, origin=(0, 0, 6 * COMM.rank), **at)
        )
        session.execute()
    COMM.barrier()
    files = [file for file in folder.rglob("*") if file.suffix in READERS]
    assert {file.suffix for file in files} == {".pvtp", ".vtp", ".vtm", ".vtr"}
    assert [time_of(file) for file in files] == [pytest.approx(0.7)] * len(files)
    assert np.sum([file.suffix == ".vtr" for file in files]) == COMM.size
