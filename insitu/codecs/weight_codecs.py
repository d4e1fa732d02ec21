"""The codecs of weights, by the words of the run file and of frames.

In: a name. Out: a `WeightCodec`; another one is added by `register`.
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
    """The parameters of one model, ready to be coded more or less coarsely."""

    @property
    def fixed(self) -> bool:
        """Whether the options say all, so that the coarseness counts for nothing."""

    def rounded(self, coarseness: float) -> Floats:
        """(n_params,): about what the bytes of this coarseness decode to."""

    def body(self, coarseness: float) -> bytes:
        """The bytes. ValueError where a weight cannot be coded."""


@dataclass(frozen=True)
class WeightCodec:
    """One way to keep weights."""

    name: str
    decode: Callable[[Layout, bytes], Floats]
    """The parameters (n_params,) of a coder's bytes; FrameError where they are not of this layout.
    Bytes are read with distrust."""
    prepare: Callable[[Layout, Floats, Floats, Compression], Coder] | None = None
    """From the layout, finite parameters (n_params,), the sensitivity of each of `arrays.views`,
    and the options. None: half precision, in which there is nothing to choose."""


_CODECS: dict[str, WeightCodec] = {}


def register(codec: WeightCodec) -> None:
    """Add a codec. ValueError where its name is taken: frames that name it would be misread."""
    if codec.name in _CODECS:
        raise ValueError(f"weight codec {codec.name!r}: there is one of this name")
    _CODECS[codec.name] = codec


def names() -> tuple[str, ...]:
    """Those that there are."""
    return tuple(_CODECS)


def weight_codec(name: str) -> WeightCodec:
    """The codec of a name. ValueError with the names that there are."""
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
