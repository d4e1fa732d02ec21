"""How well quiet parts of a field are kept: where all of it has one error, those with a small range
of their own would drown in it.

In: the range of a block or a face, the error of the whole field. Out: the error that it is kept
with. Blocks decide alone; both sides of a face see the same samples of it, and decide alike.
"""

from __future__ import annotations

SHARE = 1 / 12
"""Root mean square error of a part in units of its own range, at most: 21.6 dB."""
FINEST = 1 / 16
"""What the field's error is divided by at most: 4 bits a number."""
MOST_KEPT = 1 / 32
"""Of a part's coefficients: with more (noise, for the most part), it has a larger error."""


def error_of(extent: float, error: float) -> float:
    """Root mean square error of a part whose samples span `extent`, where the field's is `error`;
    all in one unit."""
    finest = error * FINEST
    # What is quieter yet, as rounding errors are, would be lost all the same.
    return min(error, max(finest, SHARE * extent)) if extent > finest else error
