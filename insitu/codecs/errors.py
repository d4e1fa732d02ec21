"""What is wrong with bytes that were to be read.

In: what was found and what was expected. Out: FrameError, the one error that reading bytes raises.
"""

from __future__ import annotations


class FrameError(ValueError):
    """The bytes are not a whole, unharmed frame; the message says what is wrong."""
