"""Blocks as Conduit Blueprint meshes: a recorded step for the simulation's own Ascent.

In: fields of one step on the same blocks. Out: a dict of paths and arrays for each block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from insitu.fields.block_field import BlockField


def blocks_to_blueprint(
    fields: Mapping[str, Sequence[BlockField]], first_id: int
) -> list[dict[str, Any]]:
    """One domain per block of this rank: rectilinear coordinates and the decoded fields, no ghosts.
    Not collective.

    Args:
        fields: name -> blocks; block i of every field has the same box and number of cells.
        first_id: domain_id of the first block; the others are numbered consecutively.

    Returns:
        Path -> value for each domain, as `to_blueprint` returns for surfaces.

    Raises:
        ValueError: if the fields' blocks differ in number or in cells.
    """
    first = next(iter(fields.values()))
    domains = []
    for i, block in enumerate(first):
        mesh: dict[str, Any] = {
            "state/domain_id": first_id + i,
            "coordsets/coords/type": "rectilinear",
            "topologies/mesh/type": "rectilinear",
            "topologies/mesh/coordset": "coords",
        }
        for letter, nodes in zip("xyz", block.nodes, strict=True):
            mesh[f"coordsets/coords/values/{letter}"] = np.ascontiguousarray(nodes)
        for name, blocks in fields.items():
            if len(blocks) != len(first) or blocks[i].cells != block.cells:
                raise ValueError(
                    f"field '{name}': its blocks differ from those of '{block.name}'; expected "
                    "the same number of blocks and cells"
                )
            mesh |= _field(name, blocks[i])
        domains.append(mesh)
    return domains


def _field(name: str, block: BlockField) -> dict[str, Any]:
    """The entries of one field on its block."""
    values = block.decode()
    path = f"fields/{name}"
    entries: dict[str, Any] = {
        f"{path}/association": block.association,
        f"{path}/topology": "mesh",
    }
    if block.n_components == 1:
        return entries | {f"{path}/values": values.reshape(-1)}
    columns = np.moveaxis(values, -1, 0)
    letters = "xyz" if len(columns) <= 3 else [f"c{i}" for i in range(len(columns))]
    for letter, column in zip(letters, columns, strict=False):
        entries[f"{path}/values/{letter}"] = np.ascontiguousarray(column).reshape(-1)
    return entries
