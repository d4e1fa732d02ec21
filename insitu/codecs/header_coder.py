"""Coding of the values of headers, compiled; by `header_values` where that is not built.

Both have the same classes and give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insitu.codecs.arithmetic import Coder, Decoder, Encoder
    from insitu.codecs.header_values import Chances, Recent, Values, trust
else:
    try:
        from insitu.codecs._range_coder import (
            Chances,
            Decoder,
            Encoder,
            Recent,
            Values,
            trust,
        )
        from insitu.codecs._range_coder import Encoder as Coder
    except ImportError:
        from insitu.codecs.arithmetic import Coder, Decoder, Encoder
        from insitu.codecs.header_values import Chances, Recent, Values, trust

__all__ = ["Chances", "Coder", "Decoder", "Encoder", "Recent", "Values", "trust"]
