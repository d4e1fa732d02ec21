"""Blocks of a sparse grid meet without a seam: both sides code the same faces."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.engines import engine
from insitu.fields.block_field import BlockField
from insitu.fields.model_field import ModelField
from insitu.fields.read import read_field
from insitu.fields.seams import face_jumps, jumps
from insitu.mesh import exchange
from insitu.mesh.partition import Partition
from insitu.metrics import psnr
from insitu.models.sparse_grid.model import SparseGrid
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Relative, Target, TrainingOptions
from insitu.training.sparse_grid import agreed_splits

Cuts = Sequence[Sequence[int]]


def volume(shape: tuple[int, int, int], seed: int = 0, dtype: Any = np.float32) -> np.ndarray:
    """Smooth, with a front."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    a, b, c = np.random.default_rng(seed).uniform(2, 6, 3)
    front = np.tanh(12 * (x + 0.7 * y - 0.5 * z - 0.6))
    return (np.sin(a * x + b * y) * np.cos(c * z) + front).astype(dtype)


def cut(
    components: Sequence[np.ndarray], cuts: Cuts, association: str, ghosts: int = 1
) -> list[Partition]:
    """Blocks of one array (nz, ny, nx) per component. cuts: per axis z, y, x, the first cells of
    all blocks but the first."""
    extra = 1 if association == "vertex" else 0
    cells = [n - extra for n in components[0].shape]
    ends = [[0, *inner, n] for inner, n in zip(cuts, cells, strict=True)]
    blocks = []
    for at in np.ndindex(*(len(e) - 1 for e in ends)):
        low = [e[i] for e, i in zip(ends, at, strict=True)]
        high = [e[i + 1] for e, i in zip(ends, at, strict=True)]
        layers = tuple(
            (ghosts * (a > 0), ghosts * (b < n)) for a, b, n in zip(low, high, cells, strict=True)
        )
        box = tuple(
            slice(a - before, b + extra + after)
            for a, b, (before, after) in zip(low, high, layers, strict=True)
        )
        nodes = tuple(np.arange(a, b + 1.0) for a, b in zip(low, high, strict=True))[::-1]
        values = tuple(c[box] for c in components)
        blocks.append(Partition("f", association, values, layers, nodes, len(blocks)))  # type: ignore[arg-type]
    return blocks


def keep(
    blocks: Sequence[Partition], comm: MPI.Comm = MPI.COMM_SELF, **target: Any
) -> list[BlockField]:
    """All blocks, as read from their bytes. Collective."""
    spec = FieldSpec(SparseGrid(), TrainingOptions(), Target(**target), automatic=True)
    found = train_fields(comm, {"f": blocks}, {"f": spec}, {}, cycle=0, time=0.0)
    assert found is not None
    mine = [field.to_bytes() for field in found["f"].fields]
    return [read_field(data) for every in comm.allgather(mine) for data in every]


def seam(blocks: Sequence[BlockField], values: np.ndarray) -> float:
    """Largest jump, in units of the range."""
    jumps = face_jumps(blocks)
    assert jumps.n > 0
    return jumps.max_error / float(np.ptp(values))


ROUNDING = 1e-6  # of float32, for values of this range


@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("cuts", [((), (), (15,)), ((), (14,), (9,)), ((8,), (11,), (17,))])
def test_faces_are_the_same_on_both_sides(association: str, cuts: Cuts) -> None:
    values = volume((21, 26, 30))
    fields = keep(cut([values], cuts, association), psnr=40)
    assert seam(fields, values) < ROUNDING
    alone = keep(cut([values], cuts, association, ghosts=0), psnr=40)
    assert seam(alone, values) > 1e-3
    bytes_of = [sum(len(f.weights.payload) for f in some) for some in (fields, alone)]  # type: ignore[attr-defined]
    assert bytes_of[0] < 1.15 * bytes_of[1]


@given(
    st.tuples(*[st.integers(2, 20)] * 3),
    st.integers(0, 6),
    st.sampled_from(["element", "vertex"]),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, 1e5]),
    st.integers(30, 60),
)
@settings(deadline=None, max_examples=25)
def test_blocks_of_any_size(
    shape: Any, which: int, association: str, dtype: Any, offset: float, goal: int
) -> None:
    """Odd and even, thin and long, far from zero."""
    values = volume((20, 20, 20), which, dtype)[: shape[0], : shape[1], : shape[2]]
    if dtype == np.float64:  # float32 cannot hold both
        values = values + offset
    extra = 1 if association == "vertex" else 0
    cells = [n - extra for n in values.shape]
    cuts = [(n // 2,) if n > 1 and which >> a & 1 else () for a, n in enumerate(cells)]
    if min(cells) < 1 or not any(cuts) or np.ptp(values) == 0:
        return
    blocks = cut([values], cuts, association)
    if any(np.ptp(block.owned[0]) == 0 for block in blocks):
        return  # a constant: nothing is coded
    fields = keep(blocks, psnr=goal)
    rounding = ROUNDING + 1e-15 * offset / np.ptp(values)
    assert seam(fields, values) < rounding
    for field, block in zip(fields, blocks, strict=True):
        error = field.decode().astype(float) - block.owned[0]
        assert np.isfinite(error).all()


def test_every_engine_reads_the_same_field() -> None:
    values = volume((12, 19, 23))
    blocks = cut([values], ((), (9,), (12,)), "element")
    rng = np.random.default_rng(0)
    for field in keep(blocks, psnr=45):
        assert isinstance(field, ModelField)
        low, high = (np.array([axis[i] for axis in field.nodes]) for i in (0, -1))
        points = rng.uniform(low, high, (300, 3))
        points[:20, 0], points[20:40, 1] = high[0], low[1]
        slow = read_field(field.to_bytes(), engine("numpy"))
        np.testing.assert_allclose(slow(points), field(points), atol=2e-5)
        np.testing.assert_allclose(slow.gradient(points), field.gradient(points), atol=3e-3)
        np.testing.assert_allclose(slow.decode(), field.decode(), atol=2e-5)


def test_vectors_share_every_component() -> None:
    values = [volume((14, 15, 30), seed) for seed in range(3)]
    assert seam(keep(cut(values, ((), (), (14,)), "element"), psnr=40), values[0]) < ROUNDING


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_holes_reach_across_faces(association: str) -> None:
    values = volume((14, 15, 30))
    values[3:9, 4:12, 9:20] = np.nan
    blocks = cut([values], ((), (), (14,)), association)
    fields = keep(blocks, psnr=40)
    for field, block in zip(fields, blocks, strict=True):
        np.testing.assert_array_equal(np.isnan(field.decode()), np.isnan(block.owned[0]))
    whole = face_jumps(fields)
    assert whole.max_error < ROUNDING * np.nanmax(values) or np.isnan(whole.max_error)


def test_jumps_are_told_by_block_and_face() -> None:
    """Two blocks side by side, and one below both: its face conforms to neither of theirs."""
    values = volume((20, 13, 30))
    upper, lower = values[9:], values[:10]
    blocks = [
        *cut([upper], ((), (), (15,)), "vertex"),
        replace(cut([lower], ((), (), ()), "vertex")[0], domain_id=7),
    ]
    for i in range(2):
        blocks[i] = replace(blocks[i], nodes=(*blocks[i].nodes[:2], blocks[i].nodes[2] + 9))
    fields = keep(blocks, psnr=40)
    found = {(jump.low, jump.high): jump for jump in jumps(fields)}
    assert set(found) == {(0, 1), (7, 0), (7, 1)}
    assert [found[pair].axis for pair in ((0, 1), (7, 0), (7, 1))] == [0, 2, 2]
    assert [found[pair].conforms for pair in ((0, 1), (7, 0), (7, 1))] == [True, False, False]
    largest = {pair: jump.errors.max_error / np.ptp(values) for pair, jump in found.items()}
    assert largest[0, 1] < ROUNDING
    assert 1e-4 < largest[7, 0] < 0.1 and 1e-4 < largest[7, 1] < 0.1
    # A point on the common edge of all three counts for each pair.
    assert found[7, 0].errors.n == (3 * 15 + 1) * (3 * 12 + 1)
    assert face_jumps(fields).n == found[0, 1].errors.n


def test_what_is_not_agreed_on_is_not_shared() -> None:
    """Without ghosts there is no sample on a face; with a ratio, no error that blocks agree on."""
    values = volume((12, 13, 30))
    cuts = ((), (), (15,))
    for fields in (
        keep(cut([values], cuts, "element", ghosts=0), psnr=40),
        keep(cut([values], cuts, "element"), ratio=20),
    ):
        assert all(field.model.ends == 0 for field in fields)  # type: ignore[attr-defined]


@pytest.mark.parametrize("target", [{}, {"max_error": Relative(rel=0.02)}])
def test_other_targets_share_faces_too(target: dict[str, Any]) -> None:
    values = volume((12, 13, 30))
    fields = keep(cut([values], ((), (), (15,)), "vertex"), **target)
    assert all(field.model.ends for field in fields)  # type: ignore[attr-defined]


def test_blocks_that_meet_in_a_t_are_as_exact_as_elsewhere() -> None:
    """Faces that do not conform are coded apart: what is left is about the error of the field."""
    values = volume((16, 20, 32))
    left = cut([values], ((), (), (16,)), "element")[0]
    right = [b for b in cut([values], ((), (10,), (16,)), "element") if b.nodes[0][0] == 16]
    fields = keep([left, *right], psnr=45)
    rng = np.random.default_rng(0)
    points = rng.uniform((16, 0, 0), (16, 20, 16), (2000, 3))
    for field, low, high in zip(fields[1:], (0, 10), (10, 20), strict=True):
        at = points[(points[:, 1] > low) & (points[:, 1] < high)]
        assert psnr(fields[0](at), field(at)) > 36


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_ranks_agree_without_communication(association: str) -> None:
    """Blocks on several ranks: ghosts are exchanged, faces are not."""
    comm = MPI.COMM_WORLD
    values = volume((18, 22, 27))
    blocks = cut([values], ((9,), (10,), ()), association, ghosts=0)
    mine = exchange(comm, blocks[comm.rank :: comm.size])
    fields = keep(mine, comm, psnr=42)
    assert len(fields) == 4
    assert seam(fields, values) < ROUNDING


def test_levels_are_agreed_on() -> None:
    """Along a face, blocks of any thickness split the same axes; a coarse axis waits."""
    same, coarse = np.array([[1.0, 1]] * 3), np.array([[16.0, 1], [1, 1], [1, 1]])
    assert agreed_splits((64, 64, 64), same)[:3] == [7, 7, 7]
    assert agreed_splits((64, 64, 64), coarse)[:3] == [3, 3, 7]
    for roughness in (same, coarse):
        for axis in range(3):
            thick, thin = [40, 33, 20], [40, 33, 20]
            thin[axis] = 5
            along_face = [
                [m & ~(1 << (2 - axis)) for m in agreed_splits(tuple(shape), roughness)]
                for shape in (thick, thin)
            ]
            assert len({tuple(m for m in some if m) for some in along_face}) == 1
