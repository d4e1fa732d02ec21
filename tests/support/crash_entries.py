"""Entries of a crash file that are known by their number.

In: a number. Out: its frames; the entry, appended.
"""

from __future__ import annotations

import numpy as np

from insitu.codecs import frame
from insitu.store.crash_file import CrashFile


def frames_of(number: int) -> list[bytes]:
    """Frames of no, one or several blocks, known by their number; a few KiB."""
    random = np.random.default_rng(number)
    return [
        frame.pack({"block": i}, [random.bytes(int(random.integers(1, 9000)))])
        for i in range(number % 3)
    ]


def add(file: CrashFile, number: int) -> None:
    what = {"name": "density", "cycle": number, "n_blocks": number % 3}
    file.append(number, what, frames_of(number))
