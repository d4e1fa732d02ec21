"""Text of untrusted origin, fit to be printed.

In: names from files. Out: the same on one line, without what a terminal would act on.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with control characters, line ends and the like escaped as in Python's "\\x1b"."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
