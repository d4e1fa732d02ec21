"""The time in VTK's XML files, where VTK's own writers do not put it.

In: a time. Out: the element of field data that ParaView and VTK's readers take it from.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET


def time_element(time: float) -> ET.Element:
    """The section FieldData with the array `TimeValue`; the first child of a file's grid."""
    section = ET.Element("FieldData")
    attributes = {"type": "Float64", "Name": "TimeValue", "NumberOfTuples": "1", "format": "ascii"}
    ET.SubElement(section, "DataArray", attributes).text = repr(float(time))
    return section
