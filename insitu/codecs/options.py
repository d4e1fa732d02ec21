"""How the weights of a network are kept, by the words of the run file.

In: the run file, or keyword arguments. Out: what the codec reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from insitu.codecs import weight_codecs
from insitu.core.limits import OneOf, Range, Section


@dataclass(frozen=True, kw_only=True)
class Compression(Section):
    """How a trained network becomes bytes. What is kept and measured is what they decode to."""

    compression: Annotated[str, OneOf(weight_codecs.names)] = "quantized"
    """Of the weights: `quantized` in uniform steps by rate and distortion, entropy coded; `kmeans`
    (DVNR, Fig. 16); `sz3_zfp` (DVNR, III-D); or `half` precision, which loses next to nothing."""

    compression_loss: Annotated[float, Range(0.01, 6, "dB")] = 0.3
    """Accuracy that the block may lose by it, where `psnr` does not allow more."""

    r_enc: Annotated[float, Range(1e-9, 1)] | None = None
    """`sz3_zfp`: absolute accuracy of the grid's features (r_enc in DVNR, III-D); default: for
    each level what `compression_loss` allows."""

    r_mlp: Annotated[float, Range(1e-9, 1)] | None = None
    """`sz3_zfp`: absolute accuracy of the MLP's weights (r_mlp); default: what `compression_loss`
    allows."""
