"""Options for the compression of a network's weights.

In: the run file, or keyword arguments. Out: options of the codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from insitu.codecs import weight_codecs
from insitu.core.limits import OneOf, Range, Section


@dataclass(frozen=True, kw_only=True)
class Compression(Section):
    """How a trained network is compressed. The accuracy is measured after decoding."""

    compression: Annotated[str, OneOf(weight_codecs.names)] = "quantized"
    """Codec of the weights: `quantized` (rate-distortion optimized uniform quantization with
    entropy coding), `kmeans` (DVNR, Fig. 16), `sz3_zfp` (DVNR, III-D), or `half` precision, which
    is nearly lossless."""

    compression_loss: Annotated[float, Range(0.01, 6, "dB")] = 0.3
    """Accuracy that the block may lose by compression of its weights, unless `psnr` allows more."""

    r_enc: Annotated[float, Range(1e-9, 1)] | None = None
    """`sz3_zfp`: absolute error bound of the grid's features (r_enc in DVNR, III-D); default: what
    `compression_loss` allows for each level."""

    r_mlp: Annotated[float, Range(1e-9, 1)] | None = None
    """`sz3_zfp`: absolute error bound of the MLP's weights (r_mlp); default: what
    `compression_loss` allows."""
