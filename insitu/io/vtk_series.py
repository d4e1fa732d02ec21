"""Steps as VTK files for ParaView: a file for each, and a collection (.pvd) with their times.

In: a part of an array at several steps. Out: NAME_0000.vtr and so on, and NAME.pvd.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from insitu.core.atomic_file import atomic_file
from insitu.io import vtk_write
from insitu.io.part import Steps


def write_series(path: Path, steps: Steps, progress: vtk_write.Progress = None) -> list[Path]:
    """Write every step in the format of the suffix of `path` -> the files, the collection last.

    Steps without a time are numbered. Raises as `vtk_write.write`.
    """
    pieces = path.suffix.lower() in vtk_write.PARALLEL
    write = vtk_write.write_pieces if pieces else vtk_write.write
    root = ET.Element("VTKFile", type="Collection", version="1.0", byte_order="LittleEndian")
    collection = ET.SubElement(root, "Collection")
    files = []
    for number, part in enumerate(steps):
        file = path.with_name(f"{path.stem}_{number:04d}{path.suffix}")
        write(file, part)
        time = number if part.time is None else part.time
        ET.SubElement(collection, "DataSet", timestep=repr(time), part="0", file=file.name)
        files.append(file)
        if progress:
            progress(number + 1, steps.count)
    ET.indent(root)
    index = path.with_suffix(".pvd")
    with atomic_file(index) as tmp:
        ET.ElementTree(root).write(tmp, xml_declaration=True, encoding="UTF-8")
    return [*files, index]
