"""A VTK file that was cut short is refused, whatever its encoding; nothing is read as garbage."""

from pathlib import Path

import pytest
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkIOXML import vtkXMLImageDataWriter

from insitu.cli import main
from insitu.core.errors import ConfigError
from insitu.io.sources import open_volume
from tests.support.waves import waves

WAYS = {
    "raw": lambda w: (w.EncodeAppendedDataOff(), w.SetCompressorTypeToNone()),
    "zlib": lambda w: (w.EncodeAppendedDataOff(), w.SetCompressorTypeToZLib()),
    "base64": lambda w: w.SetDataModeToBinary(),
    "ascii": lambda w: w.SetDataModeToAscii(),
}


@pytest.fixture(params=WAYS)
def content(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    grid, values = vtkImageData(), waves((10, 11, 12))
    grid.SetDimensions(12, 11, 10)
    array = numpy_to_vtk(values.ravel(), deep=True)
    array.SetName("a")
    grid.GetPointData().AddArray(array)
    writer = vtkXMLImageDataWriter()
    WAYS[request.param](writer)
    writer.SetFileName(str(tmp_path / "whole.vti"))
    writer.SetInputData(grid)
    writer.Write()
    return (tmp_path / "whole.vti").read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_cut_short(content: bytes, share: float, tmp_path: Path) -> None:
    (tmp_path / "cut.vti").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ConfigError, match=r"cut\.vti: not a complete \.vti file"):
        open_volume(str(tmp_path / "cut.vti"))
    assert main(["compress", str(tmp_path / "cut.vti"), str(tmp_path / "o.insitu")]) == 2
    assert not (tmp_path / "o.insitu").exists()


def test_damaged_inside(content: bytes, tmp_path: Path) -> None:
    if b'encoding="raw"' in content and b"compressor" not in content:
        return  # uncompressed values have no redundancy by which damage could be seen
    middle = len(content) // 2
    (tmp_path / "cut.vti").write_bytes(content[:middle] + content[middle + 500 :])
    with pytest.raises(ConfigError, match=r"cut\.vti: VTK cannot read it"):
        volume = open_volume(str(tmp_path / "cut.vti"))
        volume.read(volume.whole)
