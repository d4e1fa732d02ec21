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
    """How a trained model becomes bytes. What is stored and measured is what they decode to."""

    compression: Annotated[str, OneOf(weight_codecs.names)] = "quantized"
    """Codec of the weights: `quantized`, uniform quantization by rate-distortion with entropy
    coding; `kmeans` (DVNR, Fig. 16); `sz3_zfp` (DVNR, III-D); or `half` precision, nearly
    lossless."""

    compression_loss: Annotated[float, Range(0.01, 6, "dB")] = 0.3
    """Accuracy that this codec may cost, unless `psnr` allows more."""

    r_enc: Annotated[float, Range(1e-9, 1)] | None = None
    """`sz3_zfp`: absolute error bound of the grid's features (r_enc in DVNR, III-D); default: from
    `compression_loss`, for each level."""

    r_mlp: Annotated[float, Range(1e-9, 1)] | None = None
    """`sz3_zfp`: absolute error bound of the MLP's weights (r_mlp); default: from
    `compression_loss`."""
