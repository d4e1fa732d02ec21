"""The result of a clip or threshold.

In: masked blocks, and how to extract the surface around them. Out: fields for volume plots, a
surface for pseudocolor plots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insitu.core.geometry import Surface
from insitu.core.parallel import together
from insitu.fields.sampled_block import SampledBlock
from insitu.filters.geometry.decomposition import Fields, Partition, blocks_of
from insitu.filters.geometry.join import join
from insitu.filters.geometry.masked_block import MaskedBlock, Region
from insitu.filters.geometry.surfaces import empty_surface

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class ClippedVolume:
    """The kept part of each block. Immutable."""

    fields: Mapping[str, tuple[MaskedBlock, ...]]
    """This rank's blocks of every field; NaN in the removed part."""
    _components: Mapping[str, int]
    _pieces: Callable[[MPI.Comm], list[Surface]]

    def surface(self, comm: MPI.Comm) -> Surface:
        """This rank's piece of the surface around the kept part: the domain's outer faces and the
        cut, without the faces between blocks; with the values of all fields at its points. The
        pieces of all ranks form a closed surface. Collective; recomputed at each call.

        Raises RemoteError on every rank if one fails.
        """
        pieces = self._pieces(comm)
        with together(comm, "surface of what is left"):
            return join([empty_surface(self._components), *pieces])


def clipped_volume(
    fields: Fields,
    components: Mapping[str, int],
    regions: Sequence[Region],
    pieces: Callable[[MPI.Comm], list[Surface]],
) -> ClippedVolume:
    """components: field name -> number of components. regions: of this rank's blocks. pieces: a
    collective function that extracts the surface."""
    masked = {
        name: tuple(
            MaskedBlock(block.name, block, region)
            for block, region in zip(blocks_of(field), regions, strict=True)
        )
        for name, field in fields.items()
    }
    return ClippedVolume(masked, components, pieces)


def scalar(part: Partition, field: str) -> SampledBlock:
    """The block of a scalar field. Raises ValueError if the field is unknown or a vector."""
    if field not in part:
        raise ValueError(f"field: '{field}' is unknown; there are {', '.join(part)}")
    block = part[field]
    if block.n_components != 1:
        raise ValueError(
            f"field: '{field}' has {block.n_components} components; take its magnitude or one "
            "component first"
        )
    return block
