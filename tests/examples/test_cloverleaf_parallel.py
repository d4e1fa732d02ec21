"""CloverLeaf on several ranks: how the grid is cut, halos, and equal results for every cut.

In: a deck with moving states on a grid that cuts unevenly. Out: nothing but pass or fail.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cloverleaf import CloverLeaf, DeckError
from cloverleaf.axes import X, Y, Z
from cloverleaf.decomposition import choose_chunks, decompose
from cloverleaf.fields import Fields
from cloverleaf.halo import HaloExchange
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

MOVING = """*clover
 state 1 density=0.2 energy=1.0
 state 2 density=1.0 energy=2.5 geometry=sphere xmin=4.0 ymin=5.0 zmin=5.5 radius=2.0
 state 3 density=1.5 energy=4.0 xvel=0.3 yvel=-0.2 geometry=cuboid xmin=6.0 xmax=8.0 \\
   ymin=2.0 ymax=4.0 zmin=1.0 zmax=9.0
 xmax=10.0 ymax=10.0 zmax=10.0
 timestep_rise=1.5 max_timestep=0.12
*endclover
"""
FIELDS = ("density0", "energy0", "pressure", "viscosity", "xvel0", "yvel0", "zvel0")


@pytest.mark.parametrize(
    ("cells", "ranks", "chunks"),
    [
        ((64, 64, 64), 1, (1, 1, 1)),
        # Among equal cuts the first considered stays: along z for two ranks, for four y and z.
        ((64, 64, 64), 2, (1, 1, 2)),
        ((64, 64, 64), 4, (1, 2, 2)),
        ((64, 64, 64), 8, (2, 2, 2)),
        ((100, 10, 10), 3, (3, 1, 1)),
        ((10, 100, 10), 5, (1, 5, 1)),
        ((40, 40, 10), 4, (2, 2, 1)),
    ],
)
def test_cut_has_the_least_surface(cells: tuple, ranks: int, chunks: tuple) -> None:
    assert choose_chunks(cells, ranks) == chunks


@settings(max_examples=60, deadline=None)
@given(cells=st.tuples(*[st.integers(8, 40)] * 3), ranks=st.integers(1, 16))
def test_blocks_tile_the_grid_and_neighbours_touch(cells: tuple, ranks: int) -> None:
    try:
        blocks = [decompose(cells, ranks, rank) for rank in range(ranks)]
    except ValueError:
        # Some long cuts, such as 13 along one axis, leave too few cells; refused for all ranks.
        for rank in range(ranks):
            with pytest.raises(ValueError, match="use fewer ranks or more cells"):
                decompose(cells, ranks, rank)
        return
    covered = np.zeros(cells[::-1], dtype=int)
    for block in blocks:
        box = tuple(slice(o, o + n) for o, n in zip(block.offset, block.shape, strict=True))
        covered[box] += 1
    assert (covered == 1).all()
    for rank, block in enumerate(blocks):
        for axis in (Z, Y, X):
            above = block.neighbours[axis][1]
            if above is None:
                assert block.offset[axis] + block.shape[axis] == cells[::-1][axis]
            else:
                assert blocks[above].neighbours[axis][0] == rank
                assert blocks[above].offset[axis] == block.offset[axis] + block.shape[axis]


def test_larger_blocks_come_first() -> None:
    shapes = [decompose((11, 4, 4), 3, rank).shape[X] for rank in range(3)]
    assert shapes == [4, 4, 3]


@pytest.mark.parametrize(("cells", "what"), [((3, 1, 1), "no cells"), ((9, 2, 2), "fewer than")])
def test_too_many_ranks_are_refused(cells: tuple, what: str) -> None:
    with pytest.raises(ValueError, match=f"leaves a rank with {what}.*along x"):
        decompose(cells, 5, 4)


@pytest.mark.parallel(3)
def test_errors_reach_every_rank(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leaves a rank with no cells"):
        CloverLeaf(moving_deck(tmp_path), cells=(1, 1, 1))
    with pytest.raises(FileNotFoundError):
        CloverLeaf(tmp_path / "none.in")
    (tmp_path / "bad.in").write_text("*clover\nend_stop 1\n*endclover\n")
    with pytest.raises(DeckError, match="line 2: unknown word 'end_stop'"):
        CloverLeaf(tmp_path / "bad.in")


def moving_deck(folder: Path) -> Path:
    path = folder / "moving.in"
    path.write_text(MOVING)
    return path


def global_index(array: np.ndarray, offset: tuple) -> np.ndarray:
    """For each value, a number that names its global place, ghosts included."""
    z, y, x = np.ix_(*(np.arange(n) - 2 + o for n, o in zip(array.shape, offset, strict=True)))
    return z * 1e6 + y * 1e3 + x


@pytest.mark.parallel(4)
def test_halo_brings_the_neighbours_values_corners_included() -> None:
    comm, cells = MPI.COMM_WORLD, (9, 7, 11)
    place = decompose(cells, comm.size, comm.rank)
    fields = Fields(place.shape)
    names = ("density0", "xvel1", "vol_flux_x", "mass_flux_y", "mass_flux_z")
    halo = HaloExchange(comm, place, fields)
    for depth in (1, 2):
        for name in names:
            array = fields.named(name)
            array[...] = -1.0
            own = tuple(slice(2, n - 2) for n in array.shape)
            array[own] = global_index(array, place.offset)[own]
        halo.update(names, depth)
        for name in names:
            array = fields.named(name)
            expected = global_index(array, place.offset)
            # Beyond walls the values are mirrored; elsewhere they are the neighbours' own.
            inside = tuple(
                slice(2 - depth * (low is not None), n - 2 + depth * (high is not None))
                for n, (low, high) in zip(array.shape, place.neighbours, strict=True)
            )
            np.testing.assert_array_equal(array[inside], expected[inside], err_msg=name)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("axis", [Z, Y, X])
def test_walls_mirror_cells_and_flip_the_normal_velocity(axis: int, side: int) -> None:
    place = decompose((5, 6, 7), 1, 0)
    fields = Fields(place.shape)
    rng = np.random.default_rng(1)
    for name in ("density1", "xvel0", "yvel0", "zvel0"):
        array = fields.named(name)
        array[...] = rng.normal(size=array.shape)
    HaloExchange(MPI.COMM_SELF, place, fields).update(("density1", "xvel0", "yvel0", "zvel0"), 2)

    def planes(name: str) -> np.ndarray:
        moved = np.moveaxis(fields.named(name), axis, 0)
        return moved if side == 0 else moved[::-1]

    density = planes("density1")
    np.testing.assert_array_equal(density[:2], density[3:1:-1])
    for name, own_axis in (("xvel0", X), ("yvel0", Y), ("zvel0", Z)):
        velocity = planes(name)
        sign = -1.0 if axis == own_axis else 1.0
        np.testing.assert_array_equal(velocity[:2], sign * velocity[4:2:-1])


def check_equal_to_one_rank(deck: Path, cells: tuple[int, int, int], steps: int) -> None:
    """Owned values, and the ghosts that the original publishes as good, bit for bit."""
    cut = CloverLeaf(deck, cells=cells)
    whole = CloverLeaf(deck, MPI.COMM_SELF, cells=cells)
    for _ in range(steps):
        cut.step()
        whole.step()
    cut.mesh()
    whole.mesh()
    assert cut.dt == whole.dt and cut.time == whole.time
    for name in FIELDS:
        ghosts = 1 if name == "pressure" or "vel" in name else 0
        ours, theirs = cut.fields.named(name), whole.fields.named(name)
        mine = tuple(slice(2 - ghosts, n - 2 + ghosts) for n in ours.shape)
        same = tuple(
            slice(part.start + o, part.stop + o)
            for part, o in zip(mine, cut.place.offset, strict=True)
        )
        np.testing.assert_array_equal(ours[mine], theirs[same], err_msg=name)
    ours, theirs = cut.summary(), whole.summary()
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-13), name


@pytest.mark.parallel(4)
def test_every_rank_count_gives_the_same_fields(tmp_path: Path) -> None:
    check_equal_to_one_rank(moving_deck(tmp_path), (13, 11, 14), steps=40)


@pytest.mark.parallel(3)
@pytest.mark.parametrize("cells", [(24, 6, 5), (5, 24, 6), (6, 5, 24)])
def test_slabs_along_each_axis_give_the_same_fields(cells: tuple, tmp_path: Path) -> None:
    check_equal_to_one_rank(moving_deck(tmp_path), cells, steps=25)
