"""A domain whose whole is known on every rank, cut into blocks; and expressions evaluated on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mpi4py import MPI

from insitu.fields.model_field import ModelField
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.queries.block_view import outer_widths
from insitu.queries.evaluation import Evaluator, Plan, on_root
from insitu.queries.expressions import parse
from insitu.queries.mesh_fields import OF_MESH, blocks_of_mesh
from insitu.queries.scalars import Context
from insitu.queries.values import NotYet, undefined

WORLD = MPI.COMM_WORLD
CELLS = (24, 7, 5)  # nz, ny, nx
NODES = tuple(np.cumsum(np.linspace(1, 2, n + 1) ** 1.3) for n in reversed(CELLS))  # x, y, z


def shape(association: str) -> tuple[int, int, int]:
    nz, ny, nx = (n + (association == "vertex") for n in CELLS)
    return nz, ny, nx


def lines(association: str) -> list[np.ndarray]:
    """World coordinates of the whole's samples along z, y, x."""
    nodes = NODES[::-1]
    if association == "vertex":
        return list(nodes)
    return [0.5 * (n[1:] + n[:-1]) for n in nodes]


def cut(
    components: Sequence[np.ndarray], association: str, n_blocks: int, name: str = "p"
) -> list[Partition]:
    """This rank's share of a field cut along z into n_blocks: strided, beside each inner face a
    true ghost layer, and around all that garbage that must not be seen."""
    size, extra = CELLS[0] // n_blocks, int(association == "vertex")
    found = []
    for i in range(WORLD.rank, n_blocks, WORLD.size):
        low, high = i * size, (i + 1) * size
        front, back = int(i > 0), int(i < n_blocks - 1)
        pieces = []
        for whole in components:
            padded = np.pad(whole, 1, constant_values=1e9)
            padded = np.repeat(padded, 2, axis=2)[:, :, ::2]
            pieces.append(padded[low + 1 - front : high + 1 + extra + back, 1:-1, 1:-1])
        found.append(
            Partition(
                field=name,
                association=association,
                components=tuple(pieces),
                ghost_layers=((front, back), (0, 0), (0, 0)),
                nodes=(NODES[0], NODES[1], NODES[2][low : high + 1]),
                domain_id=i,
            )
        )
    return found


class Recorded:
    """A past of given fields: by name, the oldest step first."""

    def __init__(self, steps: Mapping[str, Sequence[Sequence[ModelField]]] | None = None) -> None:
        self.steps = steps or {}
        self.cycles = list(range(max(map(len, self.steps.values()), default=0)))
        self.read: list[tuple[str, int]] = []

    def fields(self, name: str, back: int) -> Sequence[ModelField]:
        self.read.append((name, back))
        return self.steps[name][-back]


def evaluate(
    text: str,
    blocks: Mapping[str, Sequence[Partition]],
    past: Recorded | None = None,
    evaluator: Evaluator | None = None,
    queries: Mapping[str, str] | None = None,
) -> Any:
    """The value of an expression, as rank 0 has it, on every rank; None if it is not there yet."""
    roots: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    for name, query in (queries or {}).items():
        expression = parse(query, kinds)
        roots[name], kinds[name] = expression.root, expression.kind
    root = parse(text, kinds).root
    plan = Plan(roots, [root])
    context = Context(
        7, 0.5, dict.fromkeys(roots, ()), {n: (r, undefined(kinds[n])) for n, r in roots.items()}
    )
    widths = {name: outer_widths(WORLD, blocks[name]) for name, g in plan.ghosts.items() if g}
    some = next(iter(blocks.values()))
    mesh = [replace(block, components=(), ghost_layers=NO_LAYERS) for block in some]
    blocks = {**blocks, **{name: blocks_of_mesh(mesh, name) for name in OF_MESH}}
    (evaluator or Evaluator(WORLD)).reduce(plan, context, blocks, past or Recorded(), widths)

    def value() -> Any:
        try:
            return root.value(context)
        except NotYet:
            return None

    return on_root(WORLD, "test", value)
