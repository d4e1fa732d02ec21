"""Records for tests of the viewer: every kind of block, many blocks, one smooth block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from insitu.codecs.weights import Weights
from insitu.fields.block_field import BlockField
from insitu.fields.distributed_field import DistributedField
from insitu.fields.model_field import ModelField
from insitu.fields.validity_mask import ValidityMask
from insitu.mesh.partition import Partition
from insitu.models.base import Model
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.store.record_writer import RecordWriter, Units
from insitu.store.window import Window
from insitu.training.bricks import compress_bricks
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.job import TrainingJob
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.ranges import GlobalRange
from insitu.training.train import train
from tests.support.blocks import Function, blob, rough, split, swirl

_SMALL = HashGrid(log2_hashmap_size=9, n_levels=3, base_resolution=4)
_SPARSE, _FINE = SparseGrid(), Target(psnr=50)


def write(path: Path, fields: Sequence[Sequence[Sequence[BlockField]]]) -> None:
    """A record of fields, each a list of steps, each a list of blocks."""
    from mpi4py import MPI

    writer = RecordWriter(MPI.COMM_SELF, path, Units("m", "s", {}))
    for steps in fields:
        window = Window(len(steps))
        for blocks in steps:
            window.append(DistributedField.join(blocks))
        writer.append(window.entries(steps[0][0].name))


def smooth(path: Path, cycles: tuple[int, ...] = (0, 5, 10)) -> None:
    """One block of 32^3 cells: a bump that moves, and a second field."""
    write(
        path,
        [
            [_trained("density", [blob], (32, 32, 32), _SMALL, cycle)[0:1] for cycle in cycles],
            [_trained("energy", [swirl], (32, 32, 32), _SMALL, cycle)[0:1] for cycle in cycles],
        ],
    )


def every_kind(path: Path) -> None:
    """Fields of 8 blocks: hash grids, dense grids with waves, vectors at nodes, SZ3, holes,
    a constant block, values in a narrow range and beyond single precision, five components."""
    dense = DenseGrid(resolution=(5, 6, 4), n_features=4, n_frequencies=2)
    wide = replace(_SMALL, n_features_per_level=2, n_neurons=32, n_outputs=3)
    cells, parts = (12, 16, 20), (2, 2, 2)
    hashed = _trained("hashed", [blob], cells, _SMALL, 0, parts)
    holed = [_with_hole(field) for field in _trained("holed", [blob], cells, _SMALL, 0, parts)]
    holed[0] = replace(holed[0], model=None, weights=Weights.none(), _bytes=None)
    vector = _trained("vector", [blob, swirl, blob], cells, wide, 0, parts, "vertex")
    bricks = [
        compress_bricks(_job(block, _SMALL, 1, 0, Target(psnr=50)), "sz3")
        for block in split([blob], cells, parts, name="bricks")
    ]
    tensor = [
        compress_bricks(_job(block, _SMALL, 5, 0, Target(psnr=50)), "sz3")
        for block in split([blob, swirl, blob, swirl, blob], cells, (1, 1, 1), name="tensor")
    ]
    narrow = _trained("narrow", [blob], cells, _SMALL, 0, parts, scaled=(1e5, 1e-3))
    huge = _trained("huge", [blob], cells, _SMALL, 0, parts, scaled=(0, 1e60))
    many = [hashed, _trained("dense", [swirl], cells, dense, 0, parts), vector, holed, bricks]
    many += [narrow, huge, tensor]
    write(path, [[blocks] for blocks in many])


def sparse_kinds(path: Path) -> None:
    """Fields of two steps in sparse grids: blocks with shared faces of cells and of nodes, vectors,
    a plane, holes; and corrections of sparse grids and of hash grids."""
    cells, parts = (13, 20, 24), (2, 1, 2)
    exact = Target(max_error=Relative(rel=2e-3))
    fields = [
        _sparse("cells", [blob], cells, parts),
        _sparse("nodes", [swirl], cells, parts, "vertex"),
        _sparse("vector", [blob, swirl, rough], cells, parts),
        _sparse("plane", [blob], (1, 40, 32), (1, 2, 1)),
        _sparse("bounded", [rough], cells, parts, target=exact),
        _sparse("corrected", [rough, blob], cells, parts, target=exact, model=_SMALL),
    ]
    holed = [
        [_with_hole(block) for block in step] for step in _sparse("holed", [blob], cells, parts)
    ]
    write(path, [*fields, holed])


def _sparse(
    name: str,
    functions: Sequence[Function],
    cells: tuple[int, int, int],
    parts: tuple[int, int, int],
    association: str = "element",
    target: Target = _FINE,
    model: Model = _SPARSE,
) -> list[Sequence[BlockField]]:
    """Steps of blocks that were trained together."""
    from mpi4py import MPI

    options = TrainingOptions(n_min=40, epochs=1)
    spec = FieldSpec(model, options, target, automatic=isinstance(model, SparseGrid))
    steps = []
    for cycle in (0, 5):
        moved = [lambda x, y, z, f=f, by=0.01 * cycle: f(x + by, y, z) for f in functions]
        blocks = split(moved, cells, parts, name=name, association=association)
        numbered = [replace(block, domain_id=i) for i, block in enumerate(blocks)]
        given = {name: numbered}, {name: spec}, {}
        found = train_fields(MPI.COMM_SELF, *given, cycle=cycle, time=cycle / 10)
        assert found is not None
        steps.append(found[name].fields)
    return steps


def many_blocks(path: Path) -> None:
    """64 blocks that are hardly trained."""
    tiny = HashGrid(log2_hashmap_size=5, n_levels=1, base_resolution=3, n_features_per_level=2)
    write(path, [[_trained("density", [blob], (16, 16, 16), tiny, 0, (4, 4, 4))]])


def bump(path: Path, n: int, model: Model) -> None:
    """One block of n^3 cells, one step."""
    write(path, [[_trained("density", [blob], (n, n, n), model, 0)]])


def _trained(
    name: str,
    functions: Sequence[Function],
    cells: tuple[int, int, int],
    model: Model,
    cycle: int,
    parts: tuple[int, int, int] = (1, 1, 1),
    association: str = "element",
    scaled: tuple[float, float] = (0, 1),
) -> list[ModelField]:
    start, scale = scaled
    moved = [lambda x, y, z, f=f: start + scale * f(x + 0.02 * cycle, y, z) for f in functions]
    dtype = np.float32 if scaled == (0, 1) else np.float64
    blocks = split(moved, cells, parts, name=name, association=association, dtype=dtype)
    n, n_voxels = len(functions), int(np.prod(cells))
    ends = (start - scale, start + 1.5 * scale)
    return [train(_job(block, model, n, cycle, Target(), n_voxels, ends)) for block in blocks]


def _job(
    block: Partition,
    model: Model,
    n: int,
    cycle: int,
    target: Target,
    n_voxels: int = 3840,
    ends: tuple[float, float] = (-1.0, 1.5),
) -> TrainingJob:
    return TrainingJob.of(
        block,
        model,
        options=TrainingOptions(n_min=64, epochs=2),
        target=target,
        whole=GlobalRange(n_voxels, np.array([ends] * n)),
        cycle=cycle,
        time=cycle / 10,
    )


def _with_hole(field: ModelField) -> ModelField:
    mask = np.zeros(field.shape, bool)
    mask[1:3, 2:5, 3:] = True
    outside = ValidityMask.of(mask, field.association == "vertex")
    return replace(field, holes=outside, _bytes=None)
