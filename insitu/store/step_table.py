"""A manifest's entries as a few bytes each.

In: steps of fields, see `insitu.store.manifest.step`. Out: text for JSON; and the steps again.

The text is base64 of the number of entries, in seven bits a byte, and the entries by field, as
`insitu.codecs.headers`. They are kept as they are; only instead of the ratio there are the raw
bytes, which do not change.

In manifests of version 3 it is base64 of ZSTD of a table (`insitu.codecs.header_table`); this stays
readable.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from insitu.codecs import header_table, headers, prefix, zstd
from insitu.codecs.errors import FrameError

Step = dict[str, Any]
Steps = dict[str, list[Step]]
"""Field name -> its steps, oldest first."""

_FREE, _PER_BYTE = 1 << 20, 1 << 10  # what b bytes of ZSTD stand for at most, in version 3


def pack(steps: Mapping[str, Sequence[Step]]) -> str:
    """The text."""
    rows = []
    for name, listed in steps.items():
        for step in listed:
            kept = {key: value for key, value in step.items() if key != "ratio"}
            if "ratio" in step:
                kept["raw_nbytes"] = round(step["ratio"] * step["nbytes"])
            rows.append({"field": name, **kept})
    return base64.b64encode(prefix.pack(b"", [len(rows)]) + headers.encode(rows)).decode()


def unpack(text: Any, version: int) -> Steps:
    """The steps, in the same order, from a manifest of a version, 3 or 4. Raises FrameError where
    the text is none of such a manifest."""
    if not isinstance(text, str):
        raise FrameError("steps: expected a text")
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FrameError(f"steps: {error}") from None
    if version == 3:
        most = _FREE + _PER_BYTE * len(packed)
        rows = header_table.decode(zstd.decompress(packed, most), most)
    else:
        (n,), at = prefix.unpack(packed, 1, 0)
        rows = headers.decode(packed[at:], n)
    steps: Steps = {}
    for row in rows:
        name, raw = row.pop("field", None), row.pop("raw_nbytes", None)
        if not isinstance(name, str):
            raise FrameError("steps: an entry without a field")
        if raw is not None:
            nbytes = row.get("nbytes")
            if type(raw) is not int or type(nbytes) is not int or nbytes < 1:
                raise FrameError(f"steps: {name}: {raw} raw bytes in {nbytes}")
            row["ratio"] = raw / nbytes
        steps.setdefault(name, []).append(row)
    return steps
