"""The registry of weight codecs, by their names in run files and frames.

In: a name. Out: a `WeightCodec`; `register` adds one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from insitu.codecs import half, kmeans, quantized, sz3_zfp
from insitu.codecs.arrays import Layout

if TYPE_CHECKING:
    from insitu.codecs.options import Compression

Floats = NDArray[np.float32]


class Coder(Protocol):
    """Codes the parameters of one model with a given coarseness."""

    @property
    def fixed(self) -> bool:
        """Whether the options determine the result, so that the coarseness has no effect."""

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): approximately what the bytes of this coarseness decode to."""

    def body(self, coarseness: float) -> bytes:
        """The coded bytes. Raises ValueError where a weight cannot be coded."""


@dataclass(frozen=True)
class WeightCodec:
    """One method to code weights."""

    name: str
    decode: Callable[[Layout, bytes], Floats]
    """Decodes a coder's bytes to parameters (n_params,). Raises FrameError where they do not match
    the layout. The bytes are untrusted."""
    prepare: Callable[[Layout, Floats, Floats, Compression], Coder] | None = None
    """Makes a coder from the layout, finite parameters (n_params,), the sensitivity of each of
    `arrays.views`, and the options. None: half precision, which has no coarseness."""


_CODECS: dict[str, WeightCodec] = {}


def register(codec: WeightCodec) -> None:
    """Add a codec. Raises ValueError where its name is taken: frames with that name would be
    ambiguous."""
    if codec.name in _CODECS:
        raise ValueError(f"weight codec {codec.name!r}: this name is already registered")
    _CODECS[codec.name] = codec


def names() -> tuple[str, ...]:
    """The names of all registered codecs."""
    return tuple(_CODECS)


def weight_codec(name: str) -> WeightCodec:
    """The codec of a name. Raises ValueError, with the valid names, for an unknown one."""
    if name not in _CODECS:
        raise ValueError(f"codec {name!r}, expected one of {', '.join(_CODECS)}")
    return _CODECS[name]


register(
    WeightCodec(
        "quantized",
        quantized.decode,
        lambda layout, params, sensitivity, _: quantized.Quantized(layout, params, sensitivity),
    )
)
register(
    WeightCodec(
        "kmeans",
        kmeans.decode,
        lambda layout, params, sensitivity, _: kmeans.KMeans(layout, params, sensitivity),
    )
)
register(
    WeightCodec(
        "sz3_zfp",
        sz3_zfp.decode,
        lambda layout, params, sensitivity, options: sz3_zfp.Sz3Zfp(
            layout, params, sensitivity, options.r_enc, options.r_mlp
        ),
    )
)
register(WeightCodec("half", lambda layout, body: half.unpack(body, layout.n_params)))
