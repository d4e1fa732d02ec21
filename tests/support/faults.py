"""How often faults are injected, and where: the same in every run.

In: the environment variable INSITU_FAULTS, which `make faults` sets to 10. Out: numbers of rounds;
random numbers with a fixed seed; altered bytes.
"""

from __future__ import annotations

import os
import random

TIMES = int(os.environ.get("INSITU_FAULTS", "1"))


def rounds(number: int) -> range:
    """So many rounds, or that many times more."""
    return range(number * TIMES)


def flipped(data: bytes, chance: random.Random) -> bytes:
    """With one bit changed."""
    altered = bytearray(data)
    altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
    return bytes(altered)
