"""The error raised for invalid bytes.

In: what was found and what was expected. Out: FrameError, the only error that reading bytes raises.
"""

from __future__ import annotations


class FrameError(ValueError):
    """The bytes are not a complete, unaltered frame; the message says what is wrong."""
