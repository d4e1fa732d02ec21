"""The outer faces of the domain, which a pseudocolor plot of a field shows.

In: each rank's blocks. Out: each rank's share of the faces, with the fields' values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from insitu.extract.cell_faces import boundary_faces
from insitu.extract.decomposition import Decomposition, Fields, partitions
from insitu.extract.surfaces import joined
from insitu.geometry import Surface
from insitu.parallel import together

if TYPE_CHECKING:
    from mpi4py import MPI


def boundary_surface(comm: MPI.Comm, fields: Fields) -> Surface:
    """This rank's share of the domain's outer faces, two triangles per cell face, with all fields
    at the cells' corners. Collective: one gather.

    Faces between blocks are none of them; the domain need not be a box. Nothing but the faces is
    evaluated.

    Raises RemoteError on every rank if one fails; ValueError if no rank has a block.
    """
    decomposition = Decomposition.gather(comm, fields)
    with together(comm, "outer faces"):
        pieces = [
            boundary_faces(decomposition, index, part, next(iter(part.values())).nodes)
            for index, part in zip(decomposition.mine, partitions(fields), strict=True)
        ]
        return joined(pieces, decomposition.components)
