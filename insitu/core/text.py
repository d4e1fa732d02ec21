"""Text of untrusted origin, fit to be printed.

In: names from files. Out: the same, without what a terminal would act on.
"""

from __future__ import annotations


def printable(text: str, *, lines: bool = False) -> str:
    """The text with control characters and the like escaped as in Python's "\\x1b"; `lines`: but
    for line ends."""
    keep = "\n" if lines else ""
    return "".join(c if c.isprintable() or c == keep else ascii(c)[1:-1] for c in text)
