"""Statistics over all ranks against NumPy on the whole domain."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from insitu.mesh.partition import Partition
from insitu.parallel import RemoteError
from insitu.reactive import statistics
from insitu.reactive.statistics import FieldReference, field_statistics

WORLD = MPI.COMM_WORLD
RANKS = [1, 2, 3, 4]
CELLS = (24, 7, 5)  # nz, ny, nx; 24 divides by the rank counts, for two blocks per rank
NODES = tuple(np.cumsum(np.linspace(1, 2, n + 1)) for n in reversed(CELLS))  # x, y, z, not even
P = FieldReference("p")


def whole(association, seed=3, dtype=np.float64):
    """The same values (nz, ny, nx) of the whole domain on all ranks, NaN and Inf among them."""
    shape = tuple(n + (association == "vertex") for n in CELLS)
    values = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    values.flat[::17], values.flat[5::31] = np.nan, np.inf
    values.flat[3] = -np.inf
    return values


def blocks(values, association, n_blocks):
    """This rank's share of the domain cut along z into n_blocks, each with one ghost layer."""
    size = CELLS[0] // n_blocks
    extra = association == "vertex"
    found = []
    for i in range(WORLD.rank, n_blocks, WORLD.size):
        low, high = i * size, (i + 1) * size
        padded = np.pad(values, 1, constant_values=1e9)  # ghosts must not be seen
        padded = np.repeat(padded, 2, axis=2)[:, :, ::2]  # strided
        found.append(
            Partition(
                field="p",
                association=association,
                components=(padded[low : high + extra + 2],),
                ghost_layers=((1, 1),) * 3,
                nodes=(NODES[0], NODES[1], NODES[2][low : high + 1]),
                domain_id=i,
            )
        )
    return found


def places(association):
    """World coordinates of the samples along z, y, x."""
    lines = NODES[::-1]
    return lines if association == "vertex" else [0.5 * (n[1:] + n[:-1]) for n in lines]


@pytest.mark.parallel(RANKS)
@pytest.mark.parametrize("n_blocks", [1, 2, 8])
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("chunk", [1, 100, 1 << 18])
def test_statistics_are_those_of_the_whole(association, n_blocks, chunk, monkeypatch):
    monkeypatch.setattr(statistics, "_CHUNK", chunk)
    values = whole(association)
    found = field_statistics(WORLD, {P: blocks(values, association, n_blocks)})[P]
    finite = values[np.isfinite(values)]
    assert found.count == finite.size
    assert found.nan_count == np.isnan(values).sum()
    assert found.inf_count == np.isinf(values).sum()
    assert found.sum == pytest.approx(finite.sum(), rel=1e-12)
    assert found.avg == pytest.approx(finite.mean(), rel=1e-12)
    for extremum, value in ((found.min, finite.min()), (found.max, finite.max())):
        assert extremum.value == value
        index = np.argwhere(values == value)[0]
        expected = [line[i] for line, i in zip(places(association), index, strict=True)]
        assert extremum.position == pytest.approx(expected[::-1])
    assert WORLD.allgather(found) == [found] * WORLD.size


@pytest.mark.parallel(RANKS)
def test_equal_extrema_are_found_at_the_same_place_by_any_number_of_ranks():
    values = np.zeros(CELLS)
    values[[20, 4, 4], [1, 6, 6], [2, 4, 1]] = 5.0
    found = field_statistics(WORLD, {P: blocks(values, "element", 8)})[P]
    z, y, x = (line[i] for line, i in zip(places("element"), (4, 6, 1), strict=True))
    assert found.max.position == (x, y, z)
    assert found.min.position == tuple(line[0] for line in reversed(places("element")))


@pytest.mark.parallel(RANKS)
def test_without_finite_samples_all_is_nan():
    values = np.full(CELLS, np.nan)
    for given in (blocks(values, "element", 4), []):
        found = field_statistics(WORLD, {P: given})[P]
        numbers = (found.min.value, found.max.value, found.avg, *found.max.position)
        assert all(math.isnan(n) for n in numbers)
        assert found.count == 0
        assert found.nan_count == (values.size if given or WORLD.size > 4 else 0)


@pytest.mark.parallel(RANKS)
def test_several_scalars_at_once_and_components():
    values = whole("element", dtype=np.float32)
    block = blocks(values, "element", 4)
    vectors = [
        Partition(
            field="v",
            association="element",
            components=(b.components[0], -b.components[0], 2 * b.components[0]),
            ghost_layers=b.ghost_layers,
            nodes=b.nodes,
            domain_id=b.domain_id,
        )
        for b in block
    ]
    y, z = FieldReference("v", "y"), FieldReference("v", "z")
    found = field_statistics(WORLD, {z: vectors, P: block, y: vectors})
    assert found[y].max.value == -found[P].min.value
    assert found[z].min.value == 2 * found[P].min.value
    assert field_statistics(WORLD, {}) == {}
    for bad, text in (
        (FieldReference("v"), "'v' is a vector: take one of its components x, y, z"),
        (FieldReference("p", "x"), "'p' has no components"),
    ):
        with pytest.raises(RemoteError, match=text):
            field_statistics(WORLD, {bad: vectors if bad.name == "v" else block})
